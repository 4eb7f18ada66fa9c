import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { nodeStunCrypto } from '../../../src/io/stun-crypto.ts';
import type { DtlsEvent, DtlsSession } from '../../../src/protocol/dtls/dtls-session.ts';
import { HandshakeType, parseHandshakeFragments } from '../../../src/protocol/dtls/handshake-message.ts';
import { parseRecord } from '../../../src/protocol/dtls/record.ts';
import { makeIceParameters } from '../../../src/protocol/ice/credentials.ts';
import { IceLiteAgent } from '../../../src/protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../../src/protocol/ice/ice-tuple.ts';
import { fromHexadecimal, toHexadecimal } from '../../../src/wire/hexadecimal.ts';
import { ChromiumPage } from '../../peers/chromium.ts';
import { type CertificateKind, certificateOf, makeSession } from './dtls-kit.ts';

const START_TIMEOUT_MS = 30_000;

let browser: ChromiumPage;

beforeAll(async () => {
  browser = await ChromiumPage.open();
}, START_TIMEOUT_MS);

afterAll(() => browser.close(), START_TIMEOUT_MS);

/** Our side of a connection: a port with an agent that answers checks, and a session behind it. */
class OurPeer {
  readonly session: DtlsSession;
  readonly events: DtlsEvent[] = [];
  /** Datagrams of DTLS until it was connected. */
  readonly received: Uint8Array[] = [];
  readonly parameters = makeIceParameters((sizeBytes) => nodeDtlsCrypto.randomBytes(sizeBytes));
  readonly #agent = new IceLiteAgent<IceTuple>({ parameters: this.parameters, crypto: nodeStunCrypto });
  readonly #socket: Socket = createSocket('udp4');
  #remote: IceTuple | undefined;
  #waiting: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(session: DtlsSession) {
    this.session = session;
    this.#socket.on('message', (bytes, { address, port }) => {
      const remoteAddress = address;
      const { port: localPort } = this.#socket.address();
      const tuple = { protocol: 'udp', localAddress: '127.0.0.1', localPort, remoteAddress, remotePort: port } as const;
      if (bytes[0]! < 4) this.#check(bytes, tuple);
      else this.#receive(bytes);
    });
  }

  async start(): Promise<number> {
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    this.handle(this.session.start(performance.now()));
    return this.#socket.address().port;
  }

  async close(): Promise<void> {
    this.handle(this.session.close());
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  handle(events: readonly DtlsEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') this.#waiting.push(event.bytes);
      else this.events.push(event);
    }
    this.#flush();
    clearTimeout(this.#timer);
    const atMs = this.session.nextTimeoutMs();
    if (atMs === undefined) return;
    const run = (): void => this.handle(this.session.handleTimeout(performance.now()));
    this.#timer = setTimeout(run, Math.max(0, atMs - performance.now()));
  }

  #check(bytes: Uint8Array, tuple: IceTuple): void {
    for (const event of this.#agent.receive(bytes, tuple, performance.now())) {
      if (event.type === 'send') this.#socket.send(event.bytes, tuple.remotePort, tuple.remoteAddress);
    }
    this.#remote = this.#agent.selectedTuple;
    this.#flush();
  }

  #receive(bytes: Buffer): void {
    if (this.session.state === 'connecting') this.received.push(bytes);
    this.handle(this.session.receive(bytes, performance.now()));
  }

  #flush(): void {
    if (this.#remote === undefined) return;
    for (const bytes of this.#waiting.splice(0))
      this.#socket.send(bytes, this.#remote.remotePort, this.#remote.remoteAddress);
  }
}

/** What the page runs, as text: there are no types of browsers here. */
const KEY_ALGORITHMS: Readonly<Record<CertificateKind, string>> = {
  'ecdsa-p256': "{ name: 'ECDSA', namedCurve: 'P-256' }",
  rsa: "{ name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' }",
};

/** Lets the page make an offer with a certificate of that kind. */
function makeOffer(kind: CertificateKind): Promise<string> {
  return browser.page.evaluate<string>(`(async () => {
    const certificate = await RTCPeerConnection.generateCertificate(${KEY_ALGORITHMS[kind]});
    globalThis.connection = new RTCPeerConnection({ certificates: [certificate] });
    connection.createDataChannel('data');
    connection.addTransceiver('audio');
    await connection.setLocalDescription();
    return connection.localDescription.sdp;
  })()`);
}

/** Lets the page take the answer, and waits until it is connected. */
function takeAnswer(sdp: string): Promise<void> {
  return browser.page.evaluate<void>(`(async () => {
    await connection.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(sdp)} });
    while (connection.connectionState !== 'connected') await new Promise((resolve) => setTimeout(resolve, 5));
  })()`);
}

function writeAnswer(
  offer: string,
  peer: OurPeer,
  port: number,
  setup: 'active' | 'passive',
  sha256: Uint8Array,
): string {
  const { usernameFragment, password } = peer.parameters;
  const fingerprint = toHexadecimal(sha256)
    .toUpperCase()
    .replaceAll(/..(?!$)/g, '$&:');
  const transport = [
    'c=IN IP4 127.0.0.1',
    `a=ice-ufrag:${usernameFragment}`,
    `a=ice-pwd:${password}`,
    `a=fingerprint:sha-256 ${fingerprint}`,
    `a=setup:${setup}`,
    `a=candidate:1 1 udp 2130706431 127.0.0.1 ${port} typ host`,
    'a=end-of-candidates',
  ];
  const mids = [...offer.matchAll(/^a=mid:(.+)\r$/gm)].map(([, mid]) => mid!);
  const media = [...offer.matchAll(/^m=(\w+)/gm)].flatMap(([, kind], i) => {
    const mid = `a=mid:${mids[i]}`;
    return kind === 'application'
      ? ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', ...transport, mid, 'a=sctp-port:5000']
      : ['m=audio 9 UDP/TLS/RTP/SAVPF 111', ...transport, mid, 'a=recvonly', 'a=rtcp-mux', 'a=rtpmap:111 opus/48000/2'];
  });
  const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=ice-lite', `a=group:BUNDLE ${mids.join(' ')}`];
  return `${[...head, ...media].join('\r\n')}\r\n`;
}

/** Datagrams the client's hello came in, the repeated ones left out. */
function fragmentsOfHello(datagrams: readonly Uint8Array[]): number {
  const offsets = datagrams.flatMap((datagram) => {
    const record = parseRecord(datagram, 0);
    const fragments = record?.epoch === 0 ? parseHandshakeFragments(record.fragment).fragments : [];
    return fragments.filter(({ type }) => type === HandshakeType.clientHello).map(({ offset }) => offset);
  });
  return new Set(offsets).size;
}

describe('Chromium', () => {
  const kinds: readonly CertificateKind[] = ['ecdsa-p256', 'rsa'];
  const scenes = (['client', 'server'] as const).flatMap((role) =>
    kinds.flatMap((ours) => kinds.map((theirs) => ({ role, ours, theirs }))),
  );

  it.each(scenes)(
    'with a certificate of $theirs connects to our $role with one of $ours',
    async ({ role, ours, theirs }) => {
      const certificate = certificateOf(ours, 'chromium');
      const peer = new OurPeer(
        makeSession(role, { certificate, initialRetransmissionMs: 100, srtpProfiles: [8, 7, 1] }),
      );
      const port = await peer.start();
      const offer = await makeOffer(theirs);
      const value = fromHexadecimal(/a=fingerprint:sha-256 (\S+)/.exec(offer)![1]!.replaceAll(':', ''))!;
      peer.handle(peer.session.setRemoteFingerprints([{ algorithm: 'sha-256', value }]));
      const setup = role === 'client' ? 'active' : 'passive';
      const answer = writeAnswer(offer, peer, port, setup, certificate.fingerprint('sha-256').value);
      await takeAnswer(answer);
      // SCTP of the page: what it sends can be read.
      await expect.poll(() => peer.events.map(({ type }) => type).slice(0, 2)).toEqual(['connected', 'data']);
      // The server's order counts, and Chromium's begins with AES_CM.
      expect(peer.events[0]).toMatchObject({ srtpProfile: role === 'server' ? 8 : 1 });
      if (role === 'server') expect(fragmentsOfHello(peer.received)).toBeGreaterThan(1);
      await browser.page.evaluate('connection.close()');
      await peer.close();
    },
  );
});
