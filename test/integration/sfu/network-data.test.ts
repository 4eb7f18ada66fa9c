import { expect, it } from 'vitest';
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import { SctpAssociation } from '../../../src/protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../../src/protocol/sctp/sctp-event.ts';
import type { SctpStreamParameters } from '../../../src/sfu/data/data-producer.ts';
import { bytePattern, seedOf } from '../../peers/byte-pattern.ts';
import { type LinkOptions, MachinePeer } from '../../peers/netem.ts';
import { NetworkWorld } from './network-kit.ts';
import { plainTransport, socketOf, TestQueue } from './sfu-kit.ts';

const SIZES = { maxSendMessageBytes: 1_000_000, maxReceiveMessageBytes: 1_000_000 };
const ADDRESS = { address: '192.0.2.1', port: 5004 };

/** A peer of data at the end of a link, which sends on stream 0 and hears on stream 1. */
function dataPeer(world: NetworkWorld, id: string, link: LinkOptions) {
  const association = new SctpAssociation({ crypto: nodeSctpCrypto, ...SIZES });
  const peer = new MachinePeer<SctpEvent>(association);
  const [there, back] = [world.network.link(link), world.network.link({ ...link, seed: link.seed + 1 })];
  const socket = socketOf(new TestQueue((bytes) => there.send(bytes)));
  const sctp = { maxSendMessageSize: 1_000_000, maxReceiveMessageSize: 1_000_000, isDataChannel: false };
  const { transport } = plainTransport(world.router, id, { socket, sctp });
  there.onDatagram = (bytes, nowMs) => peer.receive(bytes, nowMs);
  back.onDatagram = (bytes) => transport.receiveDatagram(bytes, 0, bytes.length, ADDRESS, false);
  peer.transmit = (bytes) => back.send(bytes);
  world.network.add(peer);
  transport.connect({ ip: ADDRESS.address, port: ADDRESS.port });
  peer.handle(association.start(world.network.nowMs));
  const common = { type: 'sctp', label: '', protocol: '' } as const;
  return {
    association,
    offer: (parameters: Omit<SctpStreamParameters, 'streamId'>) =>
      transport.produceData({ id: `${id}-out`, ...common, sctpStreamParameters: { streamId: 0, ...parameters } }),
    take: (producerId: string, parameters: Omit<SctpStreamParameters, 'streamId'>) =>
      transport.consumeData(producerId, {
        id: `${id}-in`,
        ...common,
        sctpStreamParameters: { streamId: 1, ...parameters },
      }),
    send: (bytes: Uint8Array, options: Parameters<SctpAssociation['sendMessage']>[3]) =>
      peer.handle(association.sendMessage(0, 53, bytes, options, world.network.nowMs)),
    get count(): number {
      return peer.events.filter(({ type }) => type === 'message').length;
    },
    get heard(): readonly [number, number][] {
      return peer.events.flatMap((event) =>
        event.type === 'message' ? [[seedOf(event.bytes), event.bytes.length]] : [],
      );
    },
  };
}

it.each([
  ['in order', { ordered: true }],
  ['in any order', { ordered: false }],
])('messages of 1 MB go both ways %s, over paths that lose some', (_, options) => {
  const world = new NetworkWorld();
  const link = { seed: 1, lossRate: 0.02, delayMs: 20, jitterMs: 5, bandwidthBps: 50e6 };
  const [a, b] = [dataPeer(world, 'a', link), dataPeer(world, 'b', { ...link, seed: 3 })];
  b.take(a.offer(options).id, options);
  a.take(b.offer(options).id, options);
  expect(world.network.runUntil(() => [a, b].every(({ association }) => association.state === 'established'))).toBe(
    true,
  );
  const sent = [1_000_000, 1_000_000, 10, 300_000].map((size, seed): [number, number] => [seed, size]);
  for (const from of [a, b]) {
    for (const [seed, size] of sent) {
      expect(world.network.runUntil(() => from.association.checkSend(0, size) === undefined)).toBe(true);
      from.send(bytePattern(size, seed), options);
    }
  }
  expect(world.network.runUntil(() => [a, b].every(({ count }) => count === sent.length))).toBe(true);
  for (const { heard } of [a, b]) {
    expect(options.ordered ? heard : heard.toSorted(([x], [y]) => x - y)).toEqual(sent);
  }
});
