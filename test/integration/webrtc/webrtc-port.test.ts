import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeIceParameters } from '../../../src/protocol/ice/credentials.ts';
import { writeTcpFrame } from '../../../src/protocol/ice/tcp-framing.ts';
import { StunClass } from '../../../src/protocol/stun/stun-message.ts';
import { MAX_UNPROVEN_PACKET_BYTES, TCP_PROOF_TIMEOUT_MS } from '../../../src/server/webrtc/ice-tcp-connections.ts';
import type { PortSession } from '../../../src/server/webrtc/port-member.ts';
import { WebRtcPort } from '../../../src/server/webrtc/webrtc-port.ts';
import { plainMessage } from './dtls-forgery.ts';
import { certificateOf } from './dtls-kit.ts';
import { HOST, RawPeer, writeCheck } from './raw-peer.ts';

const certificate = certificateOf('ecdsa-p256', 'port');
const fingerprint = certificate.fingerprint('sha-256');
const rightFingerprint = certificateOf('ecdsa-p256', 'raw peer').fingerprint('sha-256');
const wrongFingerprint = certificateOf('ecdsa-p256', 'somebody else').fingerprint('sha-256');
const nothingKept = { routes: 0, fragments: 0, connections: 0 };

let port: WebRtcPort;
let peers: RawPeer[] = [];

beforeEach(async () => {
  port = await WebRtcPort.listen({ udp: { host: HOST, port: 0 }, tcp: { host: HOST, port: 0 } });
});

afterEach(async () => {
  await Promise.all([port.close(), ...peers.splice(0).map((peer) => peer.close())]);
});

async function newPeer(): Promise<RawPeer> {
  const peer = await RawPeer.open(port.udpPort!);
  peers.push(peer);
  return peer;
}

function newSession(fingerprints = [rightFingerprint]): PortSession {
  const session = port.open({ certificate })!;
  session.session.connect('server', fingerprints);
  return session;
}

function usedHeapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** Unlike `expect.poll` it leaves nothing in the memory that is measured here. */
async function untilFailed({ session }: PortSession): Promise<void> {
  while (session.secure.state !== 'failed') await nextTurn();
}

/** Ways a handshake comes to nothing; each is over when the promise is. */
const failures: readonly ((peer: RawPeer) => Promise<void>)[] = [
  // Another certificate than was signalled.
  async (peer) => {
    const opened = newSession([wrongFingerprint]);
    await peer.check(opened.iceParameters);
    peer.startDtls(fingerprint);
    await untilFailed(opened);
    opened.close();
  },
  // A message that has no place there.
  async (peer) => {
    const opened = newSession();
    await peer.check(opened.iceParameters);
    peer.send(plainMessage(20, 0, new Uint8Array(12)));
    peer.send(plainMessage(14, 0, new Uint8Array()));
    await untilFailed(opened);
    opened.close();
  },
  // Silence behind the first flight.
  async (peer) => {
    const opened = newSession();
    await peer.check(opened.iceParameters);
    const answer = peer.next((bytes) => bytes[0] === 22);
    peer.sendHello(fingerprint);
    await answer;
    opened.close();
  },
  // Nobody comes.
  async () => newSession().close(),
];

describe('a port', () => {
  it('keeps nothing of 1,000 handshakes that came to nothing', async () => {
    let before = 0;
    for (let round = 0; round < 50; round++) {
      const some = await Promise.all(Array.from({ length: 20 }, newPeer));
      await Promise.all(some.map((peer, i) => failures[i % failures.length]!(peer)));
      await Promise.all(some.map((peer) => peer.close()));
      peers = [];
      if (round === 9) before = usedHeapBytes();
    }
    expect([port.sessions, port.tables]).toEqual([0, nothingKept]);
    expect(usedHeapBytes() - before).toBeLessThan(2_000_000);
  });

  it('sends nothing more for a session that was closed', async () => {
    const [closed, open] = [newSession(), newSession()];
    const [silent, other] = [await newPeer(), await newPeer()];
    for (const [peer, { iceParameters }] of [
      [silent, closed],
      [other, open],
    ] as const) {
      await peer.check(iceParameters);
      peer.sendHello(fingerprint);
      await expect.poll(() => peer.dtls.length, { interval: 1 }).toBeGreaterThan(0);
    }
    closed.close();
    closed.close();
    // It says that it ends.
    await expect.poll(() => silent.dtls.at(-1)?.[0], { interval: 1 }).toBe(21);
    const sent = silent.dtls.length;
    silent.sendHello(fingerprint);
    silent.send(writeCheck(closed.iceParameters));
    // The other one has repeated its flight twice meanwhile.
    await expect.poll(() => other.dtls.length, { interval: 10, timeout: 3000 }).toBeGreaterThanOrEqual(3);
    expect(silent.dtls.length).toBe(sent);
    expect(port.sessions).toBe(1);
  });

  it('takes nothing but checks from addresses that have shown no consent', async () => {
    const opened = newSession();
    const [stranger, peer] = [await newPeer(), await newPeer()];
    expect(await stranger.check({ ...opened.iceParameters, password: 'x'.repeat(32) })).toBe(StunClass.error);
    stranger.sendHello(fingerprint);
    stranger.send(new Uint8Array(60).fill(0x80));
    expect(await peer.check(opened.iceParameters)).toBe(StunClass.success);
    stranger.sendHello(fingerprint);
    // Datagrams come in order here: what the stranger sent has been looked at.
    await peer.check(opened.iceParameters);
    expect(stranger.dtls).toEqual([]);
    expect([opened.session.secure.state, port.tables.routes]).toEqual(['connecting', 1]);
    expect(opened.session.selectedTuple?.remotePort).toBeDefined();
    expect([port.dropped, opened.session.dropped.strange]).toEqual([{ strange: 3, unsent: 0 }, 0]);
  });

  it('leaves an address with the session that has it, whatever others say from there', async () => {
    const [first, second] = [newSession(), newSession()];
    const peer = await newPeer();
    expect(await peer.check(first.iceParameters)).toBe(StunClass.success);
    expect(await peer.check(second.iceParameters)).toBe(StunClass.error);
    expect(second.session.selectedTuple).toBeUndefined();
    first.close();
    expect(await peer.check(second.iceParameters)).toBe(StunClass.success);
    expect(port.tables.routes).toBe(1);
  });

  it('gives everything back when it closes, and takes nobody afterwards', async () => {
    const sessions = Array.from({ length: 100 }, () => newSession());
    const peer = await newPeer();
    await peer.check(sessions[50]!.iceParameters);
    await port.close();
    await port.close();
    expect([port.sessions, port.tables]).toEqual([0, nothingKept]);
    expect(port.open({ certificate })).toBeUndefined();
  });
});

describe('a TCP port', () => {
  async function newConnection(): Promise<Socket> {
    const socket = connect(port.tcpPort!, HOST);
    // How it ends does not matter, only that it does.
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  it.each([
    ['names nobody', () => writeTcpFrame(writeCheck(makeIceParameters((sizeBytes) => new Uint8Array(sizeBytes))))],
    ['begins with something else', () => writeTcpFrame(new Uint8Array(100).fill(0x80))],
    ['begins with a long packet', () => new Uint8Array(2).fill((MAX_UNPROVEN_PACKET_BYTES + 255) >>> 8)],
    ['speaks another protocol', () => new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
  ])('closes a connection at once that %s', { timeout: TCP_PROOF_TIMEOUT_MS / 2 }, async (_, firstBytes) => {
    const socket = await newConnection();
    socket.write(firstBytes());
    socket.resume();
    await once(socket, 'close');
    await expect.poll(() => port.tables).toEqual(nothingKept);
  });

  it('closes the connections of a session with it', async () => {
    const opened = newSession();
    const socket = await newConnection();
    socket.write(writeTcpFrame(writeCheck(opened.iceParameters)));
    await once(socket, 'data');
    expect(port.tables.connections).toBe(1);
    const end = once(socket.resume(), 'close');
    opened.close();
    await end;
    await expect.poll(() => port.tables).toEqual(nothingKept);
  });
});
