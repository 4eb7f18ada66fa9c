/**
 * What a check costs a server, with a genuine and with a forged signature, and what finding the transport of a packet
 * costs: `node bench/micro/ice-lite.bench.ts`.
 */
import { nodeStunCrypto } from '../../src/io/stun-crypto.ts';
import { IceLiteAgent } from '../../src/protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../src/protocol/ice/ice-tuple.ts';
import { packetKindOf } from '../../src/protocol/ice/packet-kind.ts';
import { TupleTable, UfragTable } from '../../src/protocol/ice/tuple-table.ts';
import { StunAttribute } from '../../src/protocol/stun/stun-attributes.ts';
import { parseStunMessage, StunClass } from '../../src/protocol/stun/stun-message.ts';
import { StunWriter } from '../../src/protocol/stun/stun-writer.ts';
import { benchWork, runWorks } from './throughput.ts';

const REQUESTS = 1000;
const TRANSPORTS = 1000;
const parameters = { usernameFragment: 'aBcDeFgH', password: 'x'.repeat(32) };

/** As Chromium sends them. */
function requestsSignedWith(password: string): readonly Uint8Array[] {
  const key = nodeStunCrypto.importKey(new TextEncoder().encode(password));
  return Array.from({ length: REQUESTS }, (_, i) => {
    const transactionId = new Uint8Array(12);
    new DataView(transactionId.buffer).setUint32(0, i);
    return new StunWriter(StunClass.request, 1, transactionId)
      .text(StunAttribute.username, `${parameters.usernameFragment}:RwL6`)
      .u32(0xc057, 0x0000_03e7)
      .u64(StunAttribute.iceControlling, 0x1234_5678_9abc_def0n)
      .flag(StunAttribute.useCandidate)
      .u32(StunAttribute.priority, 1_845_501_695)
      .messageIntegrity(key)
      .fingerprint()
      .finish();
  });
}

const tuple: IceTuple = {
  protocol: 'udp',
  localAddress: '192.0.2.1',
  localPort: 40_000,
  remoteAddress: '198.51.100.1',
  remotePort: 50_000,
};
const genuine = requestsSignedWith(parameters.password);
const forged = requestsSignedWith('y'.repeat(32));
const bytes = genuine.reduce((sum, { length }) => sum + length, 0);
const work = { bytes, items: REQUESTS, item: 'request' };

benchWork('parse a Binding request', work, () => {
  let count = 0;
  for (const request of genuine) if (parseStunMessage(request) !== undefined) count++;
  return count;
});

benchWork('answer a genuine Binding request', work, () => {
  const agent = new IceLiteAgent<IceTuple>({ parameters, crypto: nodeStunCrypto });
  let count = 0;
  for (const request of genuine) {
    for (const event of agent.receive(request, tuple, count)) if (event.type === 'send') count++;
  }
  return count;
});

benchWork('refuse a forged Binding request', work, () => {
  const agent = new IceLiteAgent<IceTuple>({ parameters, crypto: nodeStunCrypto });
  let count = 0;
  for (const request of forged) {
    agent.receive(request, tuple, 0);
    count++;
  }
  return agent.tuples.length === 0 ? count : 0;
});

const table = new TupleTable(new UfragTable<object>());
const packet = new Uint8Array(1100);
packet[0] = 0x80;
packet[1] = 96;
for (let i = 0; i < TRANSPORTS; i++) table.addRoute(`198.51.${i >>> 8}.${i & 255}`, 1000 + i, { name: i });
const addresses = Array.from({ length: TRANSPORTS }, (_, i) => `198.51.${i >>> 8}.${i & 255}`);

benchWork(
  'tell a packet’s kind and find its transport',
  { bytes: TRANSPORTS * packet.length, items: TRANSPORTS, item: 'packet' },
  () => {
    let count = 0;
    for (let i = 0; i < TRANSPORTS; i++) {
      if (packetKindOf(packet) === 'rtp' && table.find(packet, addresses[i]!, 1000 + i) !== undefined) count++;
    }
    return count;
  },
);

await runWorks();
