import { describe, expect, it } from 'vitest';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import type { DtlsEvent, DtlsSession } from '../../../src/protocol/dtls/dtls-session.ts';
import { HelloVerifier } from '../../../src/protocol/dtls/hello-verifier.ts';
import { parseRecord } from '../../../src/protocol/dtls/record.ts';
import { MachinePeer, SimulatedNetwork } from '../../peers/netem.ts';
import { makePair } from './dtls-kit.ts';

const peer = new TextEncoder().encode('192.0.2.1:1234');

/** The datagram of the first event. */
function bytesOf([event]: readonly DtlsEvent[]): Uint8Array {
  if (event?.type !== 'send') throw new TypeError('nothing was sent');
  return event.bytes;
}

/** A server without state until the peer has shown that it receives. Gives the session it made in the end. */
function connect(
  mtu: number,
  lossRate: number,
  seed: number,
): { server: DtlsSession | undefined; client: DtlsSession } {
  const verifier = new HelloVerifier(nodeDtlsCrypto);
  const network = new SimulatedNetwork();
  const { client } = makePair({ mtu, initialRetransmissionMs: 100 });
  let serverPeer: MachinePeer<{ type: string }> | undefined;
  let server: DtlsSession | undefined;
  const clientPeer = new MachinePeer<{ type: string }>(client);
  const toServer = network.link({ seed, delayMs: 10, lossRate });
  const toClient = network.link({ seed: seed + 1000, delayMs: 10, lossRate });
  clientPeer.transmit = (bytes) => toServer.send(bytes);
  toClient.onDatagram = (bytes, nowMs) => clientPeer.receive(bytes, nowMs);
  toServer.onDatagram = (bytes, nowMs) => {
    if (serverPeer === undefined) {
      const verdict = verifier.judge(bytes, peer);
      if (verdict.type === 'challenge') toClient.send(verdict.bytes);
      if (verdict.type !== 'accept') return;
      const { firstMessageSequence } = verdict;
      ({ server } = makePair({}, { firstMessageSequence, mtu, initialRetransmissionMs: 100 }));
      serverPeer = new MachinePeer<{ type: string }>(server);
      serverPeer.transmit = (answer) => toClient.send(answer);
      network.add(serverPeer);
      server.start(nowMs);
    }
    serverPeer.receive(bytes, nowMs);
  };
  network.add(clientPeer);
  clientPeer.handle(client.start(0));
  network.runUntil(() => client.state === 'connected' && server?.state === 'connected');
  return { server, client };
}

describe('a server that asks for a cookie first', () => {
  it.each([1200, 200, 128])('connects in datagrams of %d bytes', (mtu) => {
    const { client, server } = connect(mtu, 0, 1);
    expect([client.state, server?.state]).toEqual(['connected', 'connected']);
  });

  it('numbers its records on from the question, which a client with a replay window may have seen used', () => {
    const verifier = new HelloVerifier(nodeDtlsCrypto);
    const { client } = makePair({ initialRetransmissionMs: 10 });
    client.start(0);
    const repeated = bytesOf(client.handleTimeout(10));
    const challenge = verifier.judge(repeated, peer);
    if (challenge.type !== 'challenge') throw new TypeError('no challenge');
    const second = bytesOf(client.receive(challenge.bytes, 11));
    expect(parseRecord(second, 0)!.sequenceNumber).toBe(2);
    const { server } = makePair({}, { firstMessageSequence: 1 });
    server.start(12);
    expect(parseRecord(bytesOf(server.receive(second, 12)), 0)!.sequenceNumber).toBe(2);
  });

  it('connects over a path that loses a third', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { client, server } = connect(1200, 0.3, seed);
      expect([client.state, server?.state], `seed ${seed}`).toEqual(['connected', 'connected']);
    }
  });

  it('makes cookies that are good for one peer and one hello only, and no longer than the question', () => {
    const verifier = new HelloVerifier(nodeDtlsCrypto);
    const { client } = makePair();
    const hello = bytesOf(client.start(0));
    const challenge = verifier.judge(hello, peer);
    if (challenge.type !== 'challenge') throw new TypeError('no challenge');
    expect(challenge.bytes.length).toBeLessThan(hello.length);
    expect(challenge.bytes.subarray(3, 11)).toEqual(hello.subarray(3, 11));
    const second = bytesOf(client.receive(challenge.bytes, 1));
    expect(verifier.judge(second, peer)).toEqual({ type: 'accept', firstMessageSequence: 1 });
    expect(verifier.judge(second, peer.with(0, 0)).type).toBe('challenge');
    const random = second.with(13 + 12 + 2 + 5, second[13 + 12 + 2 + 5]! ^ 1);
    expect(verifier.judge(random, peer).type).toBe('challenge');
    expect(new HelloVerifier(nodeDtlsCrypto).judge(second, peer).type).toBe('challenge');
  });
});
