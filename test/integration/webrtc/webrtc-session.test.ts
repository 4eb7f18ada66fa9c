import { beforeEach, describe, expect, it } from 'vitest';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import { nodeSrtpCrypto } from '../../../src/io/srtp-cipher.ts';
import { nodeStunCrypto } from '../../../src/io/stun-crypto.ts';
import { type DtlsEvent, DtlsSession } from '../../../src/protocol/dtls/dtls-session.ts';
import { makeIceParameters } from '../../../src/protocol/ice/credentials.ts';
import { IceLiteAgent } from '../../../src/protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../../src/protocol/ice/ice-tuple.ts';
import { SrtpSender } from '../../../src/protocol/srtp/srtp-sender.ts';
import { MAX_EARLY_DATAGRAMS, WebRtcSession } from '../../../src/server/webrtc/webrtc-session.ts';
import { DtlsSrtpTransport } from '../../../src/sfu/transport/dtls-srtp-transport.ts';
import { FakeClock } from '../../media-test-kit.ts';
import { certificateOf } from './dtls-kit.ts';
import { seededBytes } from './ice-network.ts';
import { writeCheck } from './raw-peer.ts';

const ours = certificateOf('ecdsa-p256', 'ours');
const theirs = certificateOf('ecdsa-p256', 'theirs');
const parameters = makeIceParameters(seededBytes(1));

const tupleOf = (remotePort: number): IceTuple => ({
  protocol: 'udp',
  localAddress: '192.0.2.1',
  localPort: 40_000,
  remoteAddress: '198.51.100.1',
  remotePort,
});
const path = tupleOf(1);
const strange = tupleOf(666);

/** A session and the peer's side of DTLS; what the session sends waits in `sent`. */
class Scene {
  readonly clock = new FakeClock();
  readonly sent: { readonly bytes: Uint8Array; readonly tuple: IceTuple }[] = [];
  readonly rtp: Uint8Array[] = [];
  readonly states: string[] = [];
  readonly peerEvents: DtlsEvent[] = [];
  onState: (state: string) => void = () => undefined;
  readonly session: WebRtcSession<IceTuple> = new WebRtcSession<IceTuple>({
    ice: new IceLiteAgent<IceTuple>({ parameters, crypto: nodeStunCrypto }),
    secure: new DtlsSrtpTransport({
      certificate: ours,
      dtlsCrypto: nodeDtlsCrypto,
      srtpCrypto: nodeSrtpCrypto,
      sctp: { crypto: nodeSctpCrypto },
    }),
    clock: this.clock,
    handlers: {
      onNetwork: (event) => event.type === 'send' && this.sent.push(event),
      onRtp: (bytes, end) => this.rtp.push(bytes.slice(0, end)),
      onDtlsState: (state) => {
        this.states.push(state);
        this.onState(state);
      },
    },
  });
  readonly peer = new DtlsSession({
    role: 'client',
    certificate: theirs,
    crypto: nodeDtlsCrypto,
    expectedFingerprints: [ours.fingerprint('sha-256')],
    srtpProfiles: [7],
  });

  /** What the session sends over DTLS goes to the peer, and its answers come by `tuple`, until there are none. */
  exchange(tuple: IceTuple, first: readonly DtlsEvent[] = []): void {
    let events = first;
    for (let round = 0; round < 10; round++) {
      for (const event of events) {
        if (event.type === 'send') this.session.receive(event.bytes, tuple);
        else this.peerEvents.push(event);
      }
      const datagrams = this.sent.splice(0).filter(({ bytes }) => bytes[0]! >= 20);
      if (datagrams.length === 0) return;
      events = datagrams.flatMap(({ bytes }) => this.peer.receive(bytes, this.clock.nowMs()));
    }
  }

  connect(): void {
    this.session.connect('server', [theirs.fingerprint('sha-256')]);
    this.session.receive(writeCheck(parameters), path);
    this.sent.length = 0;
    this.exchange(path, this.peer.start(this.clock.nowMs()));
    expect(this.states).toEqual(['connecting', 'connected']);
  }

  /** A packet of the peer, protected. */
  media(sequenceNumber: number): Uint8Array {
    const connected = this.peerEvents.find((event) => event.type === 'connected');
    const { clientKey: masterKey, clientSalt: masterSalt } = connected!.keys!;
    const bytes = new Uint8Array(60);
    bytes.set([0x80, 96, 0, sequenceNumber, 0, 0, 0, 0, 1, 2, 3, 4]);
    const sender = new SrtpSender({ profile: 'AEAD_AES_128_GCM', masterKey, masterSalt }, nodeSrtpCrypto);
    return bytes.subarray(0, sender.protectRtp(bytes, 0, 30));
  }
}

let scene: Scene;

beforeEach(() => {
  scene = new Scene();
});

describe('a session', () => {
  it('takes media from the paths ICE has found genuine, and from no other, though it is genuine itself', () => {
    scene.connect();
    scene.session.receive(scene.media(1), strange);
    expect([scene.rtp.length, scene.session.dropped.strange]).toEqual([0, 1]);
    scene.session.receive(scene.media(1), path);
    expect(scene.rtp).toHaveLength(1);
    scene.session.receive(scene.media(1), path);
    expect([scene.rtp.length, scene.session.dropped.media]).toEqual([1, 1]);
  });

  it('takes DTLS from those paths only', () => {
    scene.session.connect('server', [theirs.fingerprint('sha-256')]);
    scene.session.receive(writeCheck(parameters), path);
    scene.sent.length = 0;
    const hello = scene.peer.start(scene.clock.nowMs());
    scene.exchange(strange, hello);
    expect([scene.sent, scene.session.dropped.strange]).toEqual([[], 1]);
    scene.exchange(path, hello);
    expect(scene.states).toEqual(['connecting', 'connected']);
  });

  it('keeps a few datagrams that come before their path is genuine, and takes them then', () => {
    scene.session.connect('server', [theirs.fingerprint('sha-256')]);
    scene.exchange(path, scene.peer.start(scene.clock.nowMs()));
    for (let i = 0; i < 2 * MAX_EARLY_DATAGRAMS; i++) scene.session.receive(Uint8Array.of(22, 254, 253, 0), strange);
    expect(scene.session.dropped.strange).toBe(MAX_EARLY_DATAGRAMS + 1);
    expect(scene.states).toEqual(['connecting']);
    scene.session.receive(writeCheck(parameters), path);
    scene.exchange(path);
    expect(scene.states).toEqual(['connecting', 'connected']);
  });

  it.each(['before anything', 'with a path', 'in the middle of the handshake', 'connected'])(
    'closed %s leaves no timer, and does nothing more',
    (moment) => {
      if (moment !== 'before anything') {
        scene.session.connect('server', [theirs.fingerprint('sha-256')]);
        scene.session.receive(writeCheck(parameters), path);
      }
      if (moment === 'in the middle of the handshake') {
        for (const event of scene.peer.start(0)) if (event.type === 'send') scene.session.receive(event.bytes, path);
      }
      if (moment === 'connected') scene.exchange(path, scene.peer.start(scene.clock.nowMs()));
      scene.session.close();
      expect(scene.clock.timers).toBe(0);
      scene.sent.length = 0;
      const states = scene.states.length;
      scene.session.close();
      scene.session.connect('server', []);
      scene.session.receive(writeCheck(parameters), path);
      scene.session.receive(Uint8Array.of(22, 254, 253), path);
      scene.clock.advance(600_000);
      expect([scene.clock.timers, scene.sent.length, scene.states.length]).toEqual([0, 0, states]);
      expect(scene.session.sendRtp(new Uint8Array(100), 20)).toBe(false);
    },
  );

  it.each(['connecting', 'connected', 'failed'])('may be closed by who is told that it is %s', (state) => {
    scene.onState = (entered) => entered === state && scene.session.close();
    scene.session.connect('server', [(state === 'failed' ? ours : theirs).fingerprint('sha-256')]);
    scene.session.receive(writeCheck(parameters), path);
    scene.exchange(path, scene.peer.start(scene.clock.nowMs()));
    expect(scene.states).toContain(state);
    expect(scene.clock.timers).toBe(0);
  });

  it('whose handshake fails asks for no more than consent', () => {
    scene.session.connect('server', [ours.fingerprint('sha-256')]);
    scene.session.receive(writeCheck(parameters), path);
    scene.exchange(path, scene.peer.start(scene.clock.nowMs()));
    expect(scene.states).toEqual(['connecting', 'failed']);
    scene.sent.length = 0;
    scene.clock.advance(600_000);
    expect([scene.clock.timers, scene.sent.length]).toEqual([0, 0]);
  });
});
