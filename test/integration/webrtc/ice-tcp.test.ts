import { describe, expect, it } from 'vitest';
import { nodeStunCrypto } from '../../../src/io/stun-crypto.ts';
import { makeIceParameters } from '../../../src/protocol/ice/credentials.ts';
import { IceAgent, type IceAgentEvent } from '../../../src/protocol/ice/ice-agent.ts';
import { IceLiteAgent } from '../../../src/protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../../src/protocol/ice/ice-tuple.ts';
import { TcpFrameReader, writeTcpFrame } from '../../../src/protocol/ice/tcp-framing.ts';
import { SimulatedNetwork } from '../../peers/netem.ts';
import { seededBytes } from './ice-network.ts';

const DELAY_MS = 20;
const SERVER_PORT = 443;
const CLIENT_PORT = 51_000;

/** An active agent and a lite one behind a TCP port, joined by a stream that arrives in pieces of `pieceBytes`. */
function overTcp(pieceBytes: number) {
  const network = new SimulatedNetwork();
  const parameters = makeIceParameters(seededBytes(1));
  const lite = new IceLiteAgent<IceTuple>({ parameters, crypto: nodeStunCrypto });
  const agent = new IceAgent({
    parameters: makeIceParameters(seededBytes(2)),
    role: 'controlled',
    crypto: nodeStunCrypto,
    random: seededBytes(3),
  });
  const accepted: IceTuple = {
    protocol: 'tcp',
    localAddress: '192.0.2.1',
    localPort: SERVER_PORT,
    remoteAddress: '198.51.100.1',
    remotePort: CLIENT_PORT,
  };
  const connects: IceTuple[] = [];
  const states: string[] = [];
  let isListening = true;
  const pipe = (receive: (packet: Uint8Array) => void): ((packet: Uint8Array) => void) => {
    const reader = new TcpFrameReader();
    return (packet) => {
      const framed = writeTcpFrame(packet);
      for (let at = 0; at < framed.length; at += pieceBytes) {
        const piece = framed.slice(at, at + pieceBytes);
        network.schedule(DELAY_MS, () => {
          for (const frame of reader.read(piece)) receive(frame);
        });
      }
    };
  };
  const toLite = pipe((packet) => {
    for (const event of lite.receive(packet, accepted, network.nowMs)) if (event.type === 'send') toAgent(event.bytes);
  });
  const toAgent = pipe((packet) => handle(agent.receive(packet, connects[0]!, network.nowMs)));
  const handle = (events: readonly IceAgentEvent[]): void => {
    for (const event of events) {
      if (event.type === 'send') toLite(event.bytes);
      if (event.type === 'state') states.push(event.state);
      if (event.type !== 'connect') continue;
      connects.push(event.tuple);
      network.schedule(2 * DELAY_MS, () =>
        handle(isListening ? agent.connected(event.tuple) : agent.disconnected(event.tuple)),
      );
    }
  };
  network.add({
    transmit: undefined,
    receive: () => undefined,
    nextTimeoutMs: () => agent.nextTimeoutMs(),
    handleTimeout: (nowMs) => handle(agent.handleTimeout(nowMs)),
  });
  handle(agent.addBase({ protocol: 'tcp', address: '198.51.100.1', port: 9, tcpType: 'active' }));
  handle(agent.setRemoteParameters({ ...parameters, iceLite: true }, 0));
  handle(
    agent.addRemoteCandidate({
      foundation: '1',
      component: 1,
      transport: 'tcp',
      priority: 1_076_276_479,
      address: '192.0.2.1',
      port: SERVER_PORT,
      type: 'host',
      tcpType: 'passive',
    }),
  );
  handle(agent.endOfRemoteCandidates());
  const refuse = (): void => {
    isListening = false;
  };
  return { network, lite, agent, connects, states, accepted, handle, refuse };
}

describe('ICE over TCP', () => {
  it.each([1, 7, 1000])('connects once and completes, the stream in pieces of %i bytes', (pieceBytes) => {
    const { network, lite, agent, connects, accepted } = overTcp(pieceBytes);
    expect(network.runUntil(() => agent.state === 'completed' && lite.state === 'completed', 1000)).toBe(true);
    expect(connects).toEqual([
      {
        protocol: 'tcp',
        localAddress: '198.51.100.1',
        localPort: 9,
        remoteAddress: '192.0.2.1',
        remotePort: SERVER_PORT,
      },
    ]);
    expect(agent.selectedTuple).toEqual(connects[0]);
    expect(lite.selectedTuple).toBe(accepted);
    network.runFor(120_000);
    expect([agent.state, lite.state, connects.length]).toEqual(['completed', 'completed', 1]);
  });

  it('is disconnected at both ends when the connection ends', () => {
    const { network, lite, agent, connects, states, accepted, handle } = overTcp(1000);
    network.runUntil(() => agent.state === 'completed', 1000);
    handle(agent.disconnected(connects[0]!));
    lite.removeTuple(accepted);
    expect([agent.selectedTuple, lite.selectedTuple]).toEqual([undefined, undefined]);
    expect(states.at(-1)).toBe('disconnected');
    expect(lite.state).toBe('disconnected');
  });

  it('fails when nobody listens', () => {
    const { network, agent, refuse, states } = overTcp(1000);
    refuse();
    network.runUntil(60_000);
    expect(states).toEqual(['checking', 'failed']);
    expect(agent.selectedTuple).toBeUndefined();
  });
});
