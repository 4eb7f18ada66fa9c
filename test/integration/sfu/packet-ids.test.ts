/** Ids by which packets are known in every router they come to. */
import { describe, expect, it } from 'vitest';
import { createWorker } from '../../../src/mediasoup/index.ts';
import type { Consumer } from '../../../src/mediasoup/types.ts';
import { writeNack } from '../../../src/protocol/rtp/rtcp-feedback.ts';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import type { RtpParameters } from '../../../src/sfu/transports/rtp-parameters.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import { connectedPair, VP8_MAPPING, VP8_SENDER, VP8_VIEWER, vp8Packet } from './sfu-kit.ts';

const PACKET_ID = { uri: 'urn:mediasoup:params:rtp-hdrext:packet-id', id: 12 };
const MODE = { scalabilityMode: 'L1T3' };

function idOf(view: RtpPacketView): number | undefined {
  const at = view.findElement(PACKET_ID.id);
  if (at < 0) return undefined;
  expect(view.elementBytes).toBe(4);
  return new DataView(view.bytes.buffer, view.bytes.byteOffset + at).getUint32(0);
}

function payloadOf({ bytes, payloadStart, payloadEnd }: RtpPacketView): readonly number[] {
  return [...bytes.subarray(payloadStart, payloadEnd)];
}

/** What a viewer gets of a stream with layers, whose numbers of pictures are rewritten, and of what it asks for again. */
function watch(
  enableMediasoupPacketIdHeaderExtension: boolean,
  viewerExtensions: NonNullable<RtpParameters['headerExtensions']>,
): readonly RtpPacketView[] {
  const { world, router, sender, from, viewer, to } = connectedPair();
  from.produce({
    id: 'p',
    kind: 'video',
    rtpParameters: { ...VP8_SENDER, encodings: [{ ssrc: 1000, rtx: { ssrc: 1001 }, ...MODE }] },
    rtpMapping: VP8_MAPPING,
    enableMediasoupPacketIdHeaderExtension,
  });
  to.consume('p', {
    id: 'c',
    kind: 'video',
    type: 'svc',
    rtpParameters: {
      ...VP8_VIEWER,
      headerExtensions: [...VP8_VIEWER.headerExtensions!, ...viewerExtensions],
      encodings: [{ ssrc: 7000, rtx: { ssrc: 7001 }, ...MODE }],
    },
    consumableRtpEncodings: [{ ssrc: 5000, ...MODE }],
  });
  for (let i = 0; i < 8; i++) {
    sender.send(vp8Packet({ sequenceNumber: 100 + i, isKeyFrame: i === 0, tl0: i, pictureId: 500 + i }));
  }
  world.run(300);
  const nack = new ByteWriter();
  writeNack({ senderSsrc: 1, mediaSsrc: 7000 }, [viewer.rtp[3]!.sequenceNumber], nack);
  viewer.send(nack.finish());
  router.close();
  return viewer.rtp;
}

describe('with ids wanted of a producer', () => {
  it('packets have one each, the same when they are sent again, and are otherwise as without', () => {
    const [packets, without] = [watch(true, [PACKET_ID]), watch(false, [PACKET_ID])];
    expect(packets.map(({ ssrc }) => ssrc)).toEqual([...Array.from({ length: 8 }, () => 7000), 7001]);
    expect(packets.map(idOf)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 4]);
    expect(without.map(idOf)).toEqual(packets.map(() => undefined));
    expect(packets.map(payloadOf)).toEqual(without.map(payloadOf));
    const orientations = packets.map((view) => view.bytes[view.findElement(8)]);
    expect(orientations).toEqual(packets.map(() => 2));
  });

  it('a viewer that has not agreed on them gets none', () => {
    const [packets, without] = [watch(true, []), watch(false, [])];
    expect(packets.map(idOf)).toEqual(packets.map(() => undefined));
    expect(packets.map(({ end, start }) => end - start)).toEqual(without.map(({ end, start }) => end - start));
  });
});

/** What the next packet is to a consumer of a direct transport. */
function nextPacket(consumer: Consumer): Promise<RtpPacketView> {
  return new Promise((resolve) => {
    consumer.once('rtp', (packet) => {
      const view = new RtpPacketView();
      expect(view.look(packet)).toBe(true);
      resolve(view);
    });
  });
}

it.each([
  [true, [1, 1]],
  [false, [undefined, undefined]],
])('when they are wanted (%s), a packet has the same id in the next router', async (wanted, expected) => {
  const worker = await createWorker({ inProcess: true });
  try {
    const mediaCodecs = [{ kind: 'audio' as const, mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }];
    const [near, far] = [await worker.createRouter({ mediaCodecs }), await worker.createRouter({ mediaCodecs })];
    const [input, output] = [await near.createDirectTransport(), await far.createDirectTransport()];
    const producer = await input.produce({
      kind: 'audio',
      rtpParameters: { codecs: [{ ...mediaCodecs[0]!, payloadType: 96 }], encodings: [{ ssrc: 1000 }] },
      enableMediasoupPacketIdHeaderExtension: wanted,
    });
    const { pipeProducer } = await near.pipeToRouter({ producerId: producer.id, router: far, keepId: false });
    const { rtpCapabilities } = near;
    const here = await input.consume({ producerId: producer.id, rtpCapabilities });
    const there = await output.consume({ producerId: pipeProducer!.id, rtpCapabilities });
    const packets = Promise.all([nextPacket(here), nextPacket(there)]);
    producer.send(Buffer.from(vp8Packet({ sequenceNumber: 1 })));
    expect((await packets).map(idOf)).toEqual(expected);
  } finally {
    worker.close();
  }
});
