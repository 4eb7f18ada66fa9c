/** Streams without SSRCs in signalling: found by MID and RID, as browsers that send simulcast have them. */
import { describe, expect, it } from 'vitest';
import { HEADER_EXTENSION_URI } from '../../../src/protocol/rtp/extensions/header-extension-uris.ts';
import { streamNameBytes } from '../../../src/protocol/rtp/extensions/stream-name.ts';
import { writeExtensionElements } from '../../../src/protocol/rtp/header-extension.ts';
import { rtpPacketSize, writeRtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';
import type { Consumer } from '../../../src/sfu/consumers/consumer.ts';
import type { Producer } from '../../../src/sfu/producer.ts';
import type { DatagramTransport } from '../../../src/sfu/transports/datagram-transport.ts';
import type { RtpEncodingParameters } from '../../../src/sfu/transports/rtp-parameters.ts';
import { connectedPair, type RtpPeer, type VirtualWorld, VP8_MAPPING, VP8_SENDER, VP8_VIEWER } from './sfu-kit.ts';

const IDS = { mid: 9, rid: 10, repairedRid: 11 } as const;
const MEDIA = 96;
const RTX = 97;

interface Sent {
  readonly ssrc: number;
  readonly sequenceNumber: number;
  readonly isKeyFrame?: boolean;
  readonly names?: Partial<Record<keyof typeof IDS, string>>;
  /** Of a repair: the number of what it repeats. */
  readonly repeats?: number;
  readonly timestamp?: number;
}

function packetOf({ ssrc, sequenceNumber, isKeyFrame = false, names = {}, repeats, timestamp }: Sent): Uint8Array {
  const elements = Object.entries(names).map(([name, value]) => {
    return { id: IDS[name as keyof typeof IDS], data: streamNameBytes(value)! };
  });
  const picture = [0x90, 0xe0, 0x80, sequenceNumber & 0xff, 0, 0, isKeyFrame ? 0 : 1, 1, 2, 3];
  const fields = {
    marker: true,
    payloadType: repeats === undefined ? MEDIA : RTX,
    sequenceNumber,
    timestamp: timestamp ?? sequenceNumber * 3000,
    ssrc,
    payload: Uint8Array.from(repeats === undefined ? picture : [repeats >>> 8, repeats & 0xff, ...picture]),
    ...(elements.length === 0 ? {} : writeExtensionElements(elements)),
  };
  const bytes = new Uint8Array(rtpPacketSize(fields));
  writeRtpPacket(fields, bytes);
  return bytes;
}

interface NameScene {
  readonly world: VirtualWorld;
  readonly from: DatagramTransport;
  readonly sender: RtpPeer;
  readonly viewer: RtpPeer;
  readonly producer: Producer;
  readonly consumer: Consumer;
}

function scene(encodings: readonly RtpEncodingParameters[], mid = 'v'): NameScene {
  const { world, sender, from, viewer, to } = connectedPair();
  const producer = produce(from, 'p', encodings, mid);
  const consumer = to.consume('p', {
    id: 'c',
    kind: 'video',
    type: producer.type,
    rtpParameters: VP8_VIEWER,
    consumableRtpEncodings: encodings.map((_, i) => ({ ssrc: 5000 + i })),
  });
  return { world, from, sender, viewer, producer, consumer };
}

function produce(
  from: DatagramTransport,
  id: string,
  encodings: readonly RtpEncodingParameters[],
  mid: string,
): Producer {
  const headerExtensions = Object.entries(IDS).map(([name, one]) => {
    return { uri: HEADER_EXTENSION_URI[name as keyof typeof IDS], id: one };
  });
  return from.produce({
    id,
    kind: 'video',
    rtpParameters: { ...VP8_SENDER, mid, headerExtensions, encodings },
    rtpMapping: { ...VP8_MAPPING, encodings: encodings.map((one, i) => ({ ...one, mappedSsrc: 5000 + i })) },
  });
}

const TWO = [{ rid: 'r0' }, { rid: 'r1' }];

/** Pictures of both encodings, the names in the first of each only; numbers from `first` on, by 7,000 more for each SSRC. */
function play({ sender, world }: NameScene, ssrcs: readonly number[], first: number, count: number): void {
  for (let i = first; i < first + count; i++) {
    for (const [encoding, ssrc] of ssrcs.entries()) {
      const names = i === first ? { names: { mid: 'v', rid: `r${encoding}` } } : {};
      sender.send(packetOf({ ssrc, sequenceNumber: i + 7 * ssrc, isKeyFrame: i % 10 === 0, ...names }));
    }
    world.run(33);
  }
}

describe('streams that are named', () => {
  it('are found by RID, and by SSRC from then on', () => {
    const all = scene(TWO);
    play(all, [2000, 1000], 100, 200);
    const streams = all.producer.stats(0).map(({ rid, ssrc, packetCount }) => ({ rid, ssrc, packetCount }));
    expect(streams).toEqual([
      { rid: 'r0', ssrc: 2000, packetCount: 200 },
      { rid: 'r1', ssrc: 1000, packetCount: 200 },
    ]);
    expect(all.world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer: 1, temporalLayer: 0 });
    all.consumer.setPreferredLayers({ spatialLayer: 0 });
    play(all, [2000, 1000], 300, 30);
    expect(all.world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer: 0, temporalLayer: 0 });
  });

  it('are not, without a name, or with another', () => {
    const all = scene(TWO);
    for (const [i, names] of [{}, { mid: 'v' }, { mid: 'v', rid: 'r2' }, { mid: 'w', rid: 'r0' }].entries()) {
      all.sender.send(packetOf({ ssrc: 3000 + i, sequenceNumber: 1, names }));
    }
    expect(all.producer.stats(0)).toEqual([]);
  });

  it.each([
    ['of several', TWO, [2000, 1000], [2000, 4000]],
    ['with layers', [{ rid: 'r0', scalabilityMode: 'L1T3' }], [1000], [4000]],
    ['alone', [{ rid: 'r0' }], [1000], [4000]],
  ])('go on under a new SSRC, with numbers that go on for viewers: one %s', (_, encodings, ssrcs, later) => {
    const all = scene(encodings);
    play(all, ssrcs, 100, 200);
    const before = all.viewer.rtp.length;
    const asked = all.sender.rtcp.filter(({ type }) => type === 'payload-feedback').length;
    play(all, later, 301, 5);
    expect(all.sender.rtcp.filter(({ type }) => type === 'payload-feedback').length).toBeGreaterThan(asked);
    play(all, later, 306, 200);
    expect(all.producer.stats(0).map(({ ssrc }) => ssrc)).toEqual(later);
    expect(all.viewer.rtp.length).toBeGreaterThan(before + 150);
    for (const [i, view] of all.viewer.rtp.slice(1).entries()) {
      expect((view.sequenceNumber - all.viewer.rtp[i]!.sequenceNumber) & 0xffff).toBe(1);
    }
  });

  it('are found by MID alone where there is one', () => {
    const all = scene([{}]);
    all.sender.send(packetOf({ ssrc: 3000, sequenceNumber: 10, isKeyFrame: true, names: { mid: 'v' } }));
    all.sender.send(packetOf({ ssrc: 3000, sequenceNumber: 11 }));
    expect(all.viewer.rtp).toHaveLength(2);
  });

  it('may come back under another MID, once their producer is closed', () => {
    const all = scene(TWO);
    play(all, [2000, 1000], 100, 5);
    all.from.closeProducer('p');
    const next = produce(all.from, 'q', TWO, 'w');
    // The MID of before belongs to nobody now, and its SSRC is not remembered.
    all.sender.send(packetOf({ ssrc: 2000, sequenceNumber: 106, names: { mid: 'v', rid: 'r0' } }));
    all.sender.send(packetOf({ ssrc: 2000, sequenceNumber: 107 }));
    expect(next.stats(0)).toEqual([]);
    all.sender.send(packetOf({ ssrc: 2000, sequenceNumber: 108, names: { mid: 'w', rid: 'r1' } }));
    expect(next.stats(0).map(({ rid, ssrc }) => ({ rid, ssrc }))).toEqual([{ rid: 'r1', ssrc: 2000 }]);
  });
});

describe('repairs of streams that are named', () => {
  it.each([
    ['the RID of what they repair', { mid: 'v', repairedRid: 'r0' }],
    ['the RID of the stream, as some do', { mid: 'v', rid: 'r0' }],
  ])('are found by %s, and the first one already repairs', (_, names) => {
    const all = scene(TWO);
    all.consumer.setPreferredLayers({ spatialLayer: 0 });
    const first = { mid: 'v', rid: 'r0' };
    for (const sequenceNumber of [10, 11, 13]) {
      const isKeyFrame = sequenceNumber === 10;
      const one = { ssrc: 2000, sequenceNumber, isKeyFrame, ...(isKeyFrame && { names: first }) };
      all.sender.send(packetOf(one));
      all.world.run(33);
    }
    const seen = all.viewer.rtp.length;
    all.sender.send(packetOf({ ssrc: 2001, sequenceNumber: 500, repeats: 12, timestamp: 36_000, names }));
    const [stats] = all.producer.stats(0);
    expect(stats).toMatchObject({ rid: 'r0', ssrc: 2000, rtxSsrc: 2001, packetsRepaired: 1, packetCount: 4 });
    expect(all.viewer.rtp.length).toBe(seen + 1);
    expect(all.viewer.rtp.at(-1)!.timestamp).toBe(36_000);
  });

  it('are nothing before what they repair has come', () => {
    const all = scene(TWO);
    const names = { mid: 'v', repairedRid: 'r0' };
    all.sender.send(packetOf({ ssrc: 2001, sequenceNumber: 500, repeats: 9, names }));
    expect(all.producer.stats(0)).toEqual([]);
  });
});
