import { describe, expect, it, vi } from 'vitest';
import { parseVp8Descriptor, Vp8Descriptor } from '../../../src/protocol/rtp/layers/vp8-descriptor.ts';
import { writeNack } from '../../../src/protocol/rtp/rtcp-feedback.ts';
import { writeRtcp } from '../../../src/protocol/rtp/rtcp-packet.ts';
import { writeReceiverEstimatedBitrate } from '../../../src/protocol/rtp/rtcp-receiver-estimated-bitrate.ts';
import { writeTransportWideFeedback } from '../../../src/protocol/rtp/rtcp-transport-wide-feedback.ts';
import type { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import { ArrivalRecorder } from '../../../src/sfu/bwe/arrival-recorder.ts';
import type { Consumer } from '../../../src/sfu/consumers/consumer.ts';
import type { DatagramTransport } from '../../../src/sfu/transports/datagram-transport.ts';
import type { RtpParameters } from '../../../src/sfu/transports/rtp-parameters.ts';
import { MIN_DISTRIBUTION_INTERVAL_MS } from '../../../src/sfu/transports/sending-path.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import { toNtpTime } from '../../../src/wire/ntp-time.ts';
import {
  connectedPair,
  type RtpPeer,
  type VirtualWorld,
  VP8_MAPPING,
  VP8_SENDER,
  VP8_VIEWER,
  vp8Packet,
} from './sfu-kit.ts';

const SSRCS = [1000, 2000, 3000];
const CLOCK_OFFSETS = [0, 1_000_000, 4_000_000_000];

interface Scene {
  readonly world: VirtualWorld;
  readonly sender: RtpPeer;
  readonly viewer: RtpPeer;
  readonly to: DatagramTransport;
  readonly consumer: Consumer;
  /** Sends for so long: 30 pictures a second of each encoding, key frames when asked for. */
  readonly play: (durationMs: number, hasReports?: boolean) => void;
}

function simulcast(
  encodings: number,
  scalabilityMode: string,
  { hasRemb = false, hasTransportFeedback = false } = {},
): Scene {
  const { world, sender, from, viewer, to } = connectedPair();
  const viewerParameters = hasTransportFeedback ? withTransportFeedback(VP8_VIEWER) : VP8_VIEWER;
  const ssrcs = SSRCS.slice(0, encodings);
  const rtpParameters: RtpParameters = { ...VP8_SENDER, encodings: ssrcs.map((ssrc) => ({ ssrc, scalabilityMode })) };
  const mapped = ssrcs.map((ssrc) => ({ ssrc, mappedSsrc: ssrc + 1 }));
  const producer = from.produce({
    id: 'p',
    kind: 'video',
    rtpParameters,
    rtpMapping: { ...VP8_MAPPING, encodings: mapped },
  });
  const consumer = to.consume('p', {
    id: 'c',
    kind: 'video',
    type: producer.type,
    rtpParameters: {
      ...(hasRemb ? withRemb(VP8_VIEWER) : viewerParameters),
      encodings: [{ ssrc: 7000, rtx: { ssrc: 7001 }, scalabilityMode }],
    },
    consumableRtpEncodings: mapped.map(({ mappedSsrc }) => ({ ssrc: mappedSsrc, scalabilityMode })),
  });
  const wantsKeyFrame = new Set(ssrcs);
  sender.onRtcp = (packet) => {
    if (packet.type === 'payload-feedback') wantsKeyFrame.add(packet.mediaSsrc);
  };
  let picture = 0;
  let tl0 = 0;
  const play = (durationMs: number, hasReports = true): void => {
    for (let sentMs = 0; sentMs < durationMs; sentMs += 33) {
      const temporalLayer = scalabilityMode === 'L1T1' ? 0 : ([0, 2, 1, 2] as const)[picture % 4]!;
      if (temporalLayer === 0) tl0++;
      for (const [i, ssrc] of ssrcs.entries()) {
        const timestamp = world.nowMs * 90 + CLOCK_OFFSETS[i]!;
        if (hasReports && picture % 15 === 0) {
          const out = new ByteWriter();
          const report = { ssrc, rtpTimestamp: timestamp >>> 0, packetCount: 0, octetCount: 0, reports: [] };
          writeRtcp({ type: 'sender-report', ...toNtpTime(world.unixMs()), ...report }, out);
          sender.send(out.finish());
        }
        sender.send(
          vp8Packet({
            ssrc,
            sequenceNumber: (picture + 100 * i) & 0xffff,
            timestamp,
            pictureId: (picture + 500 * i) & 0x7fff,
            tl0: (tl0 + 50 * i) & 0xff,
            temporalLayer,
            isSync: temporalLayer > 0,
            isKeyFrame: temporalLayer === 0 && wantsKeyFrame.delete(ssrc),
            payloadBytes: 200 * (i + 1),
          }),
        );
      }
      picture++;
      world.run(33);
    }
  };
  return { world, sender, viewer, to, consumer, play };
}

function withRemb(params: RtpParameters): RtpParameters {
  const [media, ...others] = params.codecs;
  const rtcpFeedback = [...(media!.rtcpFeedback ?? []), { type: 'goog-remb', parameter: '' }];
  return { ...params, codecs: [{ ...media!, rtcpFeedback }, ...others] };
}

function withTransportFeedback(params: RtpParameters): RtpParameters {
  const [media, ...others] = params.codecs;
  const rtcpFeedback = [...(media!.rtcpFeedback ?? []), { type: 'transport-cc', parameter: '' }];
  const uri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
  const headerExtensions = [...(params.headerExtensions ?? []), { uri, id: 5 }];
  return { ...params, codecs: [{ ...media!, rtcpFeedback }, ...others], headerExtensions };
}

function descriptorOf(view: RtpPacketView): Vp8Descriptor {
  const descriptor = new Vp8Descriptor();
  expect(parseVp8Descriptor(view.bytes, view.payloadStart, view.payloadEnd, descriptor)).toBe(true);
  return descriptor;
}

/** What a decoder would stumble over. */
function expectSmooth(views: readonly RtpPacketView[]): void {
  for (let i = 1; i < views.length; i++) {
    const [before, after] = [views[i - 1]!, views[i]!];
    expect((after.sequenceNumber - before.sequenceNumber) & 0xffff).toBe(1);
    expect((descriptorOf(after).pictureId - descriptorOf(before).pictureId) & 0x7fff).toBe(1);
    const ticks = (after.timestamp - before.timestamp) | 0;
    expect(ticks).toBeGreaterThan(0);
    expect(ticks).toBeLessThan(90 * 400);
    expect((descriptorOf(after).tl0PictureIndex - descriptorOf(before).tl0PictureIndex) & 0xff).toBeLessThan(2);
  }
}

describe('a simulcast consumer', () => {
  it.each([true, false])('goes from one encoding to another without a seam (sender reports: %s)', (hasReports) => {
    const { world, viewer, consumer, play } = simulcast(3, 'L1T1');
    play(5000, hasReports);
    expect(world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer: 2, temporalLayer: 0 });
    for (const spatialLayer of [0, 2, 1]) {
      consumer.setPreferredLayers({ spatialLayer });
      play(3000, hasReports);
      expect(world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer, temporalLayer: 0 });
      expect(viewer.rtp.at(-1)!.payloadBytes).toBe(200 * (spatialLayer + 1));
    }
    expect(viewer.rtp.length).toBeGreaterThan(400);
    expectSmooth(viewer.rtp);
  });

  it('keeps the time of its pictures over a switch when the clocks are told', () => {
    const { viewer, consumer, play } = simulcast(2, 'L1T1');
    play(4000);
    consumer.setPreferredLayers({ spatialLayer: 0 });
    play(2000);
    const steps = viewer.rtp.slice(1).map((view, i) => (view.timestamp - viewer.rtp[i]!.timestamp) | 0);
    // 33 ms each, and one picture that came twice: small, then large.
    expect(steps.filter((step) => Math.abs(step - 2970) > 10)).toEqual([1]);
  });

  it('sends again with the numbers it had, whichever encoding it was of', () => {
    const { world, viewer, consumer, play } = simulcast(2, 'L1T3');
    play(3000);
    consumer.setPreferredLayers({ spatialLayer: 0 });
    play(1000);
    const lost = viewer.rtp.slice(-45);
    const out = new ByteWriter();
    const numbers = lost.map(({ sequenceNumber }) => sequenceNumber);
    writeNack({ senderSsrc: 1, mediaSsrc: 7000 }, numbers, out);
    viewer.send(out.finish());
    world.run(1);
    const repairs = viewer.rtp.filter(({ ssrc }) => ssrc === 7001);
    expect(repairs).toHaveLength(lost.length);
    for (const [i, repair] of repairs.entries()) {
      const original = lost[i]!;
      expect(repair.timestamp).toBe(original.timestamp);
      expect(repair.bytes.subarray(repair.payloadStart + 2, repair.payloadEnd)).toEqual(
        original.bytes.subarray(original.payloadStart, original.payloadEnd),
      );
    }
  });
});

it('a receiver that says how little it can take has smaller pictures, and larger ones again when it can take them', () => {
  const { world, viewer, play } = simulcast(3, 'L1T1', { hasRemb: true });
  const tell = (bitrateBps: number): void => {
    const out = new ByteWriter();
    writeReceiverEstimatedBitrate(1, { bitrateBps, ssrcs: [7000] }, out);
    viewer.send(out.finish());
  };
  for (let i = 0; i < 5; i++) {
    tell(2_000_000);
    play(1000);
  }
  expect(world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer: 2, temporalLayer: 0 });
  for (let i = 0; i < 5; i++) {
    tell(80_000);
    play(1000);
  }
  expect(world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer: 0, temporalLayer: 0 });
  for (let i = 0; i < 25; i++) {
    tell(2_000_000);
    play(1000);
  }
  expect(world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer: 2, temporalLayer: 0 });
  expectSmooth(viewer.rtp.filter(({ ssrc }) => ssrc === 7000));
});

it('a receiver that says something else with each packet makes layers be chosen no more often, and has what it said last', () => {
  const { world, viewer, consumer, play } = simulcast(3, 'L1T1', { hasRemb: true });
  play(3000);
  const choice = vi.spyOn(consumer, 'layerBitrates');
  for (let i = 0; i < 500; i++) {
    const out = new ByteWriter();
    writeReceiverEstimatedBitrate(1, { bitrateBps: i % 2 === 0 ? 2_000_000 : 40_000, ssrcs: [7000] }, out);
    viewer.send(out.finish());
    if (i % 5 === 4) world.run(1);
  }
  expect(choice.mock.calls.length).toBeLessThanOrEqual(100 / MIN_DISTRIBUTION_INTERVAL_MS + 2);
  play(200);
  expect(consumer.dump()).toMatchObject({ targetSpatialLayer: 0 });
});

describe('a consumer of temporal layers', () => {
  it.each([0, 1, 2])('goes up in encoding %i of several, without another key frame', (spatialLayer) => {
    const { world, viewer, consumer, play } = simulcast(3, 'L1T3');
    consumer.setPreferredLayers({ spatialLayer, temporalLayer: 0 });
    play(5000);
    expect(world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer, temporalLayer: 0 });
    const from = viewer.rtp.length;

    consumer.setPreferredLayers({ spatialLayer, temporalLayer: 2 });
    play(1000);
    expect(world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer, temporalLayer: 2 });
    const views = viewer.rtp.slice(from);
    expectSmooth(views);
    expect(views.length).toBeGreaterThan(25);
    expect(views.some((view) => descriptorOf(view).isKeyFrame)).toBe(false);
  });

  it('leaves upper layers out and takes them in again without a seam', () => {
    const { world, viewer, consumer, play } = simulcast(1, 'L1T3');
    expect(consumer.type).toBe('svc');
    play(2000);
    for (const temporalLayer of [0, 1, 2]) {
      consumer.setPreferredLayers({ spatialLayer: 0, temporalLayer });
      const before = viewer.rtp.length;
      play(2000);
      expect(world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer: 0, temporalLayer });
      const rate = (viewer.rtp.length - before) / 61;
      expect(rate).toBeCloseTo([0.25, 0.5, 1][temporalLayer]!, 1);
    }
    expectSmooth(viewer.rtp);
  });
});

it('traces what it sends as it is sent', () => {
  const { world, consumer, play } = simulcast(2, 'L1T1');
  play(1000);
  consumer.trace.enable(['rtp', 'keyframe', 'nothing']);
  play(66);
  expect(consumer.dump()).toMatchObject({ traceEventTypes: ['rtp', 'keyframe'] });
  const traces = world.eventsOf('c', 'trace') as { direction: string; info: { rtpPacket: { ssrc: number } } }[];
  expect(traces.map(({ direction, info }) => [direction, info.rtpPacket.ssrc])).toContainEqual(['out', 7000]);
});

it.each([
  ['has room', 5_000_000, 2],
  ['has little room', 90_000, 0],
])('what can be sent is found out by transport-wide feedback: a path that %s', (_, linkBps, spatialLayer) => {
  const { world, viewer, to, play } = simulcast(3, 'L1T1', { hasTransportFeedback: true });
  const recorder = new ArrivalRecorder();
  let freeMs = 0;
  const sizes: number[] = [];
  viewer.onRtp = (view) => {
    const at = view.findElement(5);
    const number = (view.bytes[at]! << 8) | view.bytes[at + 1]!;
    freeMs = Math.max(freeMs, world.nowMs) + ((view.end - view.start) * 8000) / linkBps;
    recorder.onPacket(number, Math.round(freeMs * 1000));
    sizes.push(view.payloadBytes);
  };
  for (let i = 0; i < 450; i++) {
    play(33);
    for (const feedback of recorder.takeFeedback(world.nowMs)) {
      const out = new ByteWriter();
      writeTransportWideFeedback({ senderSsrc: 1, mediaSsrc: 7000 }, feedback, out);
      viewer.send(out.finish());
    }
  }
  expect(viewer.rtp.some(({ ssrc, payloadType }) => ssrc === 1234 && payloadType === 127)).toBe(true);
  const [stats] = to.stats() as { availableOutgoingBitrate: number }[];
  if (spatialLayer === 0) expect(stats!.availableOutgoingBitrate).toBeLessThan(150_000);
  else expect(stats!.availableOutgoingBitrate).toBeGreaterThan(150_000);
  expect(world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer, temporalLayer: 0 });
});
