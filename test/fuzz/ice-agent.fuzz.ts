import { IceAgent } from '../../src/protocol/ice/ice-agent.ts';
import { IceLiteAgent, MAX_TUPLES } from '../../src/protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../src/protocol/ice/ice-tuple.ts';
import { TcpFrameReader } from '../../src/protocol/ice/tcp-framing.ts';
import { TupleTable, UfragTable } from '../../src/protocol/ice/tuple-table.ts';
import type { StunCrypto } from '../../src/protocol/stun/stun-crypto.ts';
import { parseStunMessage } from '../../src/protocol/stun/stun-message.ts';

export const name = 'ice-agent';

/** Believes every signature, so that what an authenticated but hostile peer can do is tried. */
const crypto: StunCrypto = {
  importKey: () => ({ hmacSha1: () => new Uint8Array(20), hmacSha256: () => new Uint8Array(32) }),
  equal: () => true,
  md5: () => new Uint8Array(16),
};
const parameters = { usernameFragment: 'fuzz', password: 'x'.repeat(22) };
/** Answers a message may cause: itself, and what it triggers. */
const MAX_EVENTS = 8;

/** Framed datagrams to both kinds of agents, each 10 ms after the one before, from ports told by their sizes. */
export function run(bytes: Uint8Array): void {
  let counter = 0;
  const random = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes).fill(counter++);
  const lite = new IceLiteAgent<IceTuple>({ parameters, crypto });
  const agent = new IceAgent({ parameters, crypto, random, role: 'controlled' });
  agent.addBase({ protocol: 'udp', address: '192.0.2.1', port: 5000 });
  agent.setRemoteParameters({ usernameFragment: 'peer', password: 'y'.repeat(22) }, 0);
  const fragments = new UfragTable<object>();
  const table = new TupleTable(fragments);
  fragments.add('fuzz', lite);
  let nowMs = 0;
  for (const packet of new TcpFrameReader().read(bytes)) {
    nowMs += 10;
    const tuple: IceTuple = {
      protocol: 'udp',
      localAddress: '192.0.2.1',
      localPort: 5000,
      remoteAddress: '198.51.100.1',
      remotePort: 1000 + packet.length,
    };
    const route = table.find(packet, tuple.remoteAddress, tuple.remotePort);
    if (route !== undefined && route !== lite) throw new RangeError('a route to nobody');
    const events = [...lite.receive(packet, tuple, nowMs)];
    if (events.length > MAX_EVENTS || lite.tuples.length > MAX_TUPLES) throw new RangeError('the lite agent grows');
    const answers = [...agent.receive(packet, tuple, nowMs), ...agent.handleTimeout(nowMs)];
    if (answers.length > MAX_EVENTS) throw new RangeError('the agent grows');
    for (const event of [...events, ...answers]) {
      if (event.type === 'send' && parseStunMessage(event.bytes) === undefined) throw new RangeError('sends no STUN');
    }
  }
  for (let i = 0; i < 20; i++) {
    nowMs = Math.max(
      nowMs + 1,
      Math.min(agent.nextTimeoutMs() ?? nowMs, lite.nextTimeoutMs() ?? Number.POSITIVE_INFINITY),
    );
    agent.handleTimeout(nowMs);
    lite.handleTimeout(nowMs);
  }
  agent.close();
  if (lite.close().length > MAX_TUPLES + 2 || lite.tuples.length > 0) throw new RangeError('tuples stay');
}
