import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NACK_INITIAL_DELAY_MS } from '../../../src/sfu/streams/nack-generator.ts';
import {
  DTX_INACTIVITY_MS,
  INACTIVITY_MS,
  NO_LAYERS,
  type PacketLayers,
  ReceivedStream,
} from '../../../src/sfu/streams/received-stream.ts';
import type { StreamParameters } from '../../../src/sfu/streams/stream-parameters.ts';
import { ntpMiddle, toNtpTime } from '../../../src/wire/ntp-time.ts';
import { PLAIN_STREAM, packetOf, RTX_STREAM, rtxOf } from './stream-kit.ts';

const VIDEO: StreamParameters = { ...RTX_STREAM, rid: 'r0' };
const AUDIO: StreamParameters = {
  ...PLAIN_STREAM,
  mimeType: 'audio/opus',
  clockRate: 48_000,
  useNack: false,
  useDtx: true,
};
const KEY: PacketLayers = { isKeyFrame: true, spatialLayer: 0, temporalLayer: 0 };

function repair(stream: ReceivedStream, sequenceNumber: number, nowMs: number): boolean {
  const packet = rtxOf(packetOf(sequenceNumber), 7);
  return stream.restore(packet, nowMs) && stream.receiveRepair(packet, NO_LAYERS, nowMs);
}

describe('ReceivedStream', () => {
  it('has stats of exactly the names there are', () => {
    const stream = new ReceivedStream(VIDEO);
    stream.receive(packetOf(1), KEY, 1000);
    expect(stream.stats(1000.5)).toEqual({
      type: 'inbound-rtp',
      timestamp: 1000,
      ssrc: 1111,
      rtxSsrc: 2222,
      rid: 'r0',
      kind: 'video',
      mimeType: 'video/VP8',
      packetsLost: 0,
      fractionLost: 0,
      jitter: 0,
      packetsDiscarded: 0,
      packetsRetransmitted: 0,
      packetsRepaired: 0,
      nackCount: 0,
      nackPacketCount: 0,
      pliCount: 0,
      firCount: 0,
      rtxPacketsDiscarded: 0,
      score: 10,
      packetCount: 1,
      byteCount: 32,
      bitrate: 256,
      bitrateByLayer: {},
    });
  });

  it('leaves out of stats what a stream without RTX and rid has not', () => {
    const stats = new ReceivedStream(AUDIO).stats(0);
    expect(stats.kind).toBe('audio');
    for (const name of ['rtxSsrc', 'rid', 'roundTripTime', 'rtxPacketsDiscarded'])
      expect(stats).not.toHaveProperty(name);
  });

  it('dumps its parameters and those of its RTX stream', () => {
    expect(new ReceivedStream(VIDEO).dump()).toEqual({
      params: VIDEO,
      score: 10,
      rtxStream: {
        params: { ssrc: 2222, payloadType: 102, mimeType: 'video/rtx', clockRate: 90_000, rrid: 'r0', cname: 'c' },
      },
    });
    expect(new ReceivedStream(AUDIO).dump()).toEqual({ params: AUDIO, score: 10 });
  });

  it.each([0, 1, 32_767, 32_768, 65_534, 65_535])(
    'asks for a lost packet and takes its repair, from %i on',
    (first) => {
      const stream = new ReceivedStream(VIDEO);
      stream.receive(packetOf(first), NO_LAYERS, 0);
      stream.receive(packetOf((first + 2) & 0xffff), NO_LAYERS, 0);
      const lost = (first + 1) & 0xffff;
      expect(stream.nextTimeoutMs()).toBe(NACK_INITIAL_DELAY_MS);
      expect(stream.takeNack(NACK_INITIAL_DELAY_MS)).toEqual([lost]);
      expect(repair(stream, lost, 40)).toBe(true);
      expect(repair(stream, lost, 50)).toBe(false);
      expect(stream.receive(packetOf(lost), NO_LAYERS, 60)).toBe(false);
      expect(stream.stats(60)).toMatchObject({
        packetsRepaired: 1,
        packetsRetransmitted: 2,
        rtxPacketsDiscarded: 1,
        nackCount: 1,
        nackPacketCount: 1,
        packetCount: 3,
      });
      expect(stream.duplicates).toBe(2);
    },
  );

  it('counts a packet that is sent again as it was as repaired', () => {
    const stream = new ReceivedStream(PLAIN_STREAM);
    stream.receive(packetOf(1), NO_LAYERS, 0);
    stream.receive(packetOf(3), NO_LAYERS, 0);
    stream.takeNack(20);
    expect(stream.receive(packetOf(2), NO_LAYERS, 60)).toBe(true);
    expect(stream.stats(60)).toMatchObject({ packetsRepaired: 1, packetsRetransmitted: 1 });
  });

  it('restores the packet that an RTX packet repeats', () => {
    const stream = new ReceivedStream(VIDEO);
    const rtx = rtxOf(packetOf(500, 9000, 33), 7);
    expect(stream.restore(rtx, 0)).toBe(true);
    expect([rtx.sequenceNumber, rtx.timestamp, rtx.ssrc, rtx.payloadType]).toEqual([500, 9000, 1111, 101]);
    expect(rtx.payloadBytes).toBe(33);
  });

  it('discards RTX packets of another type, without a number, or from before the first packet', () => {
    const stream = new ReceivedStream(VIDEO);
    expect(stream.restore(rtxOf(packetOf(1), 1, 99), 0)).toBe(false);
    const empty = packetOf(8, 0, 0);
    empty.ssrc = 2222;
    empty.payloadType = 102;
    expect(stream.restore(empty, 0)).toBe(false);
    expect(stream.stats(0).rtxPacketsDiscarded).toBe(1);
    expect(repair(stream, 5, 0)).toBe(false);
    expect(new ReceivedStream(AUDIO).restore(rtxOf(packetOf(1), 7), 0)).toBe(false);
  });

  it('follows a source that begins anew, at its second packet', () => {
    const stream = new ReceivedStream(VIDEO);
    stream.receive(packetOf(1), NO_LAYERS, 0);
    expect(stream.receive(packetOf(30_000), NO_LAYERS, 10)).toBe(false);
    expect(stream.epoch).toBe(0);
    expect(stream.receive(packetOf(30_001, 7), NO_LAYERS, 20)).toBe(true);
    expect([stream.epoch, stream.newestTimestamp]).toEqual([1, 7]);
    expect(stream.stats(20)).toMatchObject({ packetsDiscarded: 1, packetsLost: 0 });
    expect(stream.takeNack(1000)).toEqual([]);
  });

  it('does not take repairs for a new beginning', () => {
    const stream = new ReceivedStream(VIDEO);
    stream.receive(packetOf(5000), NO_LAYERS, 0);
    expect([repair(stream, 100, 1), repair(stream, 101, 2), repair(stream, 102, 3)]).toEqual([false, false, false]);
    expect(stream.epoch).toBe(0);
    expect(stream.receive(packetOf(5001), NO_LAYERS, 4)).toBe(true);
  });

  it('takes the repair of a packet far behind when it asked for it', () => {
    const stream = new ReceivedStream(VIDEO);
    stream.receive(packetOf(0), NO_LAYERS, 0);
    for (let i = 2; i < 1500; i++) stream.receive(packetOf(i), NO_LAYERS, 0);
    expect(stream.takeNack(50)).toEqual([1]);
    expect(repair(stream, 1, 60)).toBe(true);
    expect(repair(stream, 1, 61)).toBe(false);
  });

  it.each([
    ['video', VIDEO, INACTIVITY_MS],
    ['sound that may be silent', AUDIO, DTX_INACTIVITY_MS],
  ])('scores 0 when nothing comes: %s', (_, params, inactivityMs) => {
    const stream = new ReceivedStream(params);
    expect(stream.nextTimeoutMs()).toBeUndefined();
    stream.receive(packetOf(1), NO_LAYERS, 100);
    stream.receive(packetOf(2), NO_LAYERS, 200);
    expect([stream.nextTimeoutMs(), stream.activeMs(250)]).toEqual([200 + inactivityMs, 150]);
    stream.handleTimeout(199 + inactivityMs);
    expect([stream.score, stream.isActive]).toEqual([10, true]);
    stream.handleTimeout(200 + inactivityMs);
    expect([stream.score, stream.isActive, stream.activeMs(20_000)]).toEqual([0, false, 0]);
    stream.receive(packetOf(3), NO_LAYERS, 20_000);
    expect([stream.score, stream.isActive]).toEqual([10, true]);
  });

  it('takes silence for no fault when told so, and while paused', () => {
    const stream = new ReceivedStream(VIDEO, { checksInactivity: false });
    stream.receive(packetOf(1), NO_LAYERS, 0);
    expect(stream.nextTimeoutMs()).toBeUndefined();
    const paused = new ReceivedStream(VIDEO);
    paused.receive(packetOf(1), NO_LAYERS, 0);
    paused.receive(packetOf(3), NO_LAYERS, 0);
    paused.pause();
    paused.handleTimeout(10_000);
    expect([paused.nextTimeoutMs(), paused.takeNack(50), paused.score]).toEqual([undefined, [], 10]);
    paused.receive(packetOf(9), NO_LAYERS, 9000);
    paused.receive(packetOf(19), NO_LAYERS, 9000);
    paused.resume(10_000);
    expect(paused.takeNack(20_000)).toEqual([]);
    expect(paused.nextTimeoutMs()).toBe(10_000 + INACTIVITY_MS);
  });

  it('reports loss of the stream and of its RTX stream, and scores by it', () => {
    const stream = new ReceivedStream(VIDEO);
    expect(stream.takeReports(0)).toEqual([]);
    for (let i = 0; i < 100; i++) if (i % 10 !== 5) stream.receive(packetOf(i, i * 3000), NO_LAYERS, i * 33);
    expect(stream.takeReports(3300)).toMatchObject([{ ssrc: 1111, packetsLost: 10, fractionLost: 25 }]);
    expect(stream.score).toBe(Math.round(0.9 ** 4 * 10));
    expect(stream.stats(3300)).toMatchObject({ packetsLost: 10, fractionLost: 25, score: 7 });
    repair(stream, 95, 3301);
    expect(stream.takeReports(3302)).toMatchObject([{ ssrc: 1111 }, { ssrc: 2222, highestSequenceNumber: 7 }]);
  });

  it('scores better when the loss is repaired', () => {
    const [lossy, repaired] = [new ReceivedStream(VIDEO), new ReceivedStream(VIDEO)];
    for (let i = 0; i < 100; i++) {
      for (const stream of [lossy, repaired]) if (i % 10 !== 5) stream.receive(packetOf(i), NO_LAYERS, i);
      if (i % 10 === 7) repair(repaired, i - 2, i);
    }
    lossy.takeReports(100);
    repaired.takeReports(100);
    expect(repaired.score).toBeGreaterThan(lossy.score);
  });

  it('measures the round trip by the answer to its reference time', () => {
    const stream = new ReceivedStream(VIDEO);
    const sent = toNtpTime(1_700_000_000_000);
    const entry = { ssrc: 1, lastReceiverReport: ntpMiddle(sent), delaySinceLast: 65_536 };
    stream.receiveDlrr(entry, toNtpTime(1_700_000_001_250));
    expect(stream.rttMs).toBeCloseTo(250, 0);
    stream.receiveDlrr({ ...entry, lastReceiverReport: 0 }, toNtpTime(1_700_000_009_000));
    stream.receiveDlrr(entry, toNtpTime(1_700_000_000_000));
    expect(stream.rttMs).toBeCloseTo(250, 0);
    expect(stream.stats(0).roundTripTime).toBe(stream.rttMs);
  });

  it('ties timestamps to the clock of the sender', () => {
    const stream = new ReceivedStream(VIDEO);
    expect([stream.ntpMsAt(0), stream.timestampAt(0)]).toEqual([undefined, undefined]);
    const report = {
      type: 'sender-report',
      ssrc: 1111,
      ntpSeconds: 1000,
      ntpFraction: 2 ** 31,
      rtpTimestamp: 0xffff_ff00,
      packetCount: 0,
      octetCount: 0,
      reports: [],
    } as const;
    stream.receiveSenderReport(report, 0);
    expect(stream.ntpMsAt(0xffff_ff00)).toBe(1_000_500);
    expect(stream.ntpMsAt((0xffff_ff00 + 90_000) >>> 0)).toBe(1_001_500);
    expect(stream.timestampAt(1_001_500)).toBe((0xffff_ff00 + 90_000) >>> 0);
    expect(stream.timestampAt(999_500)).toBe(0xffff_ff00 - 90_000);
    stream.receive(packetOf(1), NO_LAYERS, 0);
    expect(stream.takeReports(500)[0]).toMatchObject({ lastSr: (1000 << 16) | 0x8000, delaySinceLastSr: 32_768 });
  });

  it('passes over a sender report without wall clock', () => {
    const stream = new ReceivedStream(VIDEO);
    const zero = { ntpSeconds: 0, ntpFraction: 0, rtpTimestamp: 5, packetCount: 0, octetCount: 0 };
    stream.receiveSenderReport({ type: 'sender-report', ssrc: 1111, reports: [], ...zero }, 0);
    expect(stream.ntpMsAt(5)).toBeUndefined();
  });

  it('counts key frames by their timestamp', () => {
    const stream = new ReceivedStream(VIDEO);
    expect(stream.keyFrames).toEqual({ count: 0, lastMs: undefined, intervalMs: undefined });
    stream.receive(packetOf(1, 0), KEY, 0);
    stream.receive(packetOf(2, 0), KEY, 1);
    stream.receive(packetOf(3, 3000), NO_LAYERS, 33);
    stream.receive(packetOf(4, 90_000), KEY, 1000);
    expect(stream.keyFrames).toEqual({ count: 2, lastMs: 1000, intervalMs: 1000 });
  });

  it('tells bitrates by layer', () => {
    const stream = new ReceivedStream({ ...VIDEO, temporalLayers: 2 });
    stream.receive(packetOf(1), { isKeyFrame: false, spatialLayer: 0, temporalLayer: 0 }, 0);
    stream.receive(packetOf(2), { isKeyFrame: false, spatialLayer: 0, temporalLayer: 1 }, 0);
    const { bitrateByLayer } = stream.stats(0);
    expect(Object.keys(bitrateByLayer)).toEqual(['0.0', '0.1']);
    expect(bitrateByLayer['0.1']).toBe(2 * bitrateByLayer['0.0']!);
  });

  it('wants a key frame when too much is missing', () => {
    const stream = new ReceivedStream(VIDEO);
    stream.receive(packetOf(1), NO_LAYERS, 0);
    stream.receive(packetOf(1500), NO_LAYERS, 0);
    expect([stream.takeKeyFrameWish(), stream.takeKeyFrameWish()]).toEqual([true, false]);
  });

  it('forwards each packet once, in whatever order and however often it comes', () => {
    const arrivals = fc.array(fc.record({ ahead: fc.integer({ min: -40, max: 40 }), isRtx: fc.boolean() }), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(fc.nat(0xffff), arrivals, (first, steps) => {
        const stream = new ReceivedStream(VIDEO);
        const forwarded = new Set<number>([first]);
        let newest = first;
        stream.receive(packetOf(first), NO_LAYERS, 0);
        steps.forEach(({ ahead, isRtx }, i) => {
          const number = newest + ahead;
          const isForwarded = isRtx
            ? repair(stream, number & 0xffff, i)
            : stream.receive(packetOf(number & 0xffff), NO_LAYERS, i);
          stream.takeNack(i);
          // Those further behind than is remembered may not be told apart, and are not in question here.
          if (newest - number < 500) expect(isForwarded).toBe(!forwarded.has(number));
          forwarded.add(number);
          newest = Math.max(newest, number);
        });
      }),
    );
  });
});
