/** What a viewer is told of the clock of what it gets: recorders put frames, and all put sound and pictures, by it. */
import { describe, expect, it } from 'vitest';
import { writeRtcp } from '../../../src/protocol/rtp/rtcp-packet.ts';
import type { SenderReport } from '../../../src/protocol/rtp/rtcp-report.ts';
import type { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import type { Consumer } from '../../../src/sfu/consumers/consumer.ts';
import {
  MAX_REPORTED_SILENCE_MS,
  MIN_LEAP_REPORT_INTERVAL_MS,
  REPORT_SLEW,
} from '../../../src/sfu/streams/sent-stream.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import { toNtpTime } from '../../../src/wire/ntp-time.ts';
import { diff32 } from '../../../src/wire/sequence-number.ts';
import {
  connectedPair,
  type RtpPeer,
  type VirtualWorld,
  VP8_MAPPING,
  VP8_SENDER,
  VP8_VIEWER,
  vp8Packet,
} from './sfu-kit.ts';

const PICTURE_MS = 40;
const SSRCS = [1000, 2000];
/** Timestamps of each encoding when the clock says 0. */
const BASES = [4_294_000_000, 77_000_000];

/** How a camera sends for some time. */
interface Take {
  readonly durationMs: number;
  /** From a picture to its packets, milliseconds. */
  readonly delayMs?: (picture: number) => number;
  /** Reports, one before the first picture and one a second; what they say is this far ahead of what is true. Default none. */
  readonly reportsAheadMs?: number;
  /** Added to timestamps and sequence numbers. */
  readonly timestampLeap?: number;
  readonly sequenceLeap?: number;
}

interface Told {
  readonly atMs: number;
  /** How far ahead of the camera's clock the report is; of the clock of the first encoding. */
  readonly aheadMs: number;
  readonly report: SenderReport;
  /** Packets that had come before. */
  readonly packets: number;
}

interface Scene {
  readonly world: VirtualWorld;
  readonly sender: RtpPeer;
  readonly viewer: RtpPeer;
  readonly consumer: Consumer;
  readonly told: Told[];
  readonly shoot: (take: Take) => void;
}

function scene(encodings = 1): Scene {
  const { world, sender, from, viewer, to } = connectedPair();
  const ssrcs = SSRCS.slice(0, encodings);
  const mapped = ssrcs.map((ssrc) => ({ ssrc, mappedSsrc: ssrc + 1 }));
  const producer = from.produce({
    id: 'p',
    kind: 'video',
    rtpParameters: { ...VP8_SENDER, encodings: ssrcs.map((ssrc) => ({ ssrc })) },
    rtpMapping: { ...VP8_MAPPING, encodings: mapped },
  });
  const consumer = to.consume('p', {
    id: 'c',
    kind: 'video',
    type: producer.type,
    rtpParameters: { ...VP8_VIEWER, encodings: [{ ssrc: 7000 }] },
    consumableRtpEncodings: mapped.map(({ mappedSsrc }) => ({ ssrc: mappedSsrc })),
  });
  const told: Told[] = [];
  viewer.onRtcp = (report) => {
    if (report.type !== 'sender-report') return;
    expect(report).toMatchObject(toNtpTime(world.unixMs()));
    const aheadMs = diff32(report.rtpTimestamp, world.nowMs * 90 + BASES[0]!) / 90;
    told.push({ atMs: world.nowMs, aheadMs, report, packets: viewer.rtp.length });
  };
  let sequenceNumber = 65_500;
  const shoot = (take: Take): void => {
    const { durationMs, delayMs = () => 0, reportsAheadMs, timestampLeap = 0, sequenceLeap = 0 } = take;
    sequenceNumber += sequenceLeap;
    const startMs = world.nowMs;
    const events: { atMs: number; bytes: Uint8Array }[] = [];
    for (const [i, ssrc] of ssrcs.entries()) {
      const base = BASES[i]! + timestampLeap;
      for (let ms = 0; ms < durationMs && reportsAheadMs !== undefined; ms += 1000) {
        const rtpTimestamp = ((startMs + ms + reportsAheadMs) * 90 + base) >>> 0;
        const out = new ByteWriter();
        const ntp = toNtpTime(world.unixMs() + ms);
        writeRtcp(
          { type: 'sender-report', ...ntp, ssrc, rtpTimestamp, packetCount: 0, octetCount: 0, reports: [] },
          out,
        );
        events.push({ atMs: startMs + ms, bytes: out.finish() });
      }
      for (let ms = 0, picture = 0; ms < durationMs; ms += PICTURE_MS, picture++) {
        const number = (sequenceNumber + picture) & 0xffff;
        const timestamp = (startMs + ms) * 90 + base;
        const bytes = vp8Packet({ ssrc, sequenceNumber: number, timestamp, isKeyFrame: picture % 25 === 0 });
        events.push({ atMs: startMs + ms + delayMs(picture), bytes });
      }
    }
    sequenceNumber += Math.ceil(durationMs / PICTURE_MS);
    events.sort((a, b) => a.atMs - b.atMs);
    for (const { atMs, bytes } of events) {
      world.run(Math.max(0, atMs - world.nowMs));
      sender.send(bytes);
    }
    world.run(Math.max(0, startMs + durationMs - world.nowMs));
  };
  return { world, sender, viewer, consumer, told, shoot };
}

/** Late by 150 to 240 ms, the first the most: none overtakes another. */
const unevenly = (picture: number): number => 150 + ((picture * 7 + 9) % 10) * 10 - (picture % 2);

/** A scene whose camera has been on for some time when the viewer comes. */
function sceneInProgress(encodings = 1): Scene {
  const made = scene(encodings);
  made.consumer.pause();
  made.shoot({ durationMs: 5000, delayMs: unevenly, reportsAheadMs: 0 });
  made.consumer.resume();
  return made;
}

/** No report is further from the one before than the clocks may be adjusted in the time between. */
function expectNoLeap(told: readonly Told[]): void {
  for (let i = 1; i < told.length; i++) {
    const [before, after] = [told[i - 1]!, told[i]!];
    const most = (after.atMs - before.atMs) * REPORT_SLEW + 0.1;
    expect(Math.abs(after.aheadMs - before.aheadMs), `report ${i}`).toBeLessThanOrEqual(most);
  }
}

const span = (told: readonly Told[]): number => {
  const ahead = told.map(({ aheadMs }) => aheadMs);
  return Math.max(...ahead) - Math.min(...ahead);
};

describe('sender reports to a viewer', () => {
  it('begin with the first packet, and count what was sent', () => {
    const { world, viewer, told, shoot } = scene();
    world.run(3000);
    expect(told).toEqual([]);
    shoot({ durationMs: 10_000 });
    // Some programs want it before the packet, some take it only behind.
    const [{ timestamp }] = viewer.rtp as [RtpPacketView];
    expect(told.slice(0, 2)).toMatchObject([
      { packets: 0, report: { packetCount: 0, rtpTimestamp: timestamp } },
      { packets: 1, report: { packetCount: 1, rtpTimestamp: timestamp } },
    ]);
    expect(told.length).toBeGreaterThan(6);
    for (const { report, packets } of told) {
      expect(report.packetCount).toBe(packets);
      const payloadBytes = viewer.rtp.slice(0, packets).reduce((sum, view) => sum + view.payloadBytes, 0);
      expect(report.octetCount).toBe(payloadBytes);
    }
  });

  it('are what the sender reports, however late and unevenly its packets come', () => {
    const { told, shoot } = sceneInProgress();
    shoot({ durationMs: 20_000, delayMs: unevenly, reportsAheadMs: 0 });
    expect(told.length).toBeGreaterThan(15);
    for (const { aheadMs } of told) expect(Math.abs(aheadMs)).toBeLessThan(0.1);
  });

  it('do not believe the first report of a sender, which may be of what it has not sent yet', () => {
    const { told, shoot } = scene();
    shoot({ durationMs: 1000, reportsAheadMs: 500 });
    shoot({ durationMs: 1000 });
    shoot({ durationMs: 8000, reportsAheadMs: 0 });
    for (const { aheadMs } of told) expect(Math.abs(aheadMs)).toBeLessThan(0.1);
  });

  it.each([
    ['does not report', undefined],
    ['reports anything', 3_600_000],
  ])('go by the timeliest packets of one who %s', (_, reportsAheadMs) => {
    const { told, shoot } = scene();
    shoot({ durationMs: 30_000, delayMs: unevenly, ...(reportsAheadMs === undefined ? {} : { reportsAheadMs }) });
    expect(told.length).toBeGreaterThan(20);
    expectNoLeap(told);
    expect(told[0]!.aheadMs).toBe(-240);
    expect(told.at(-1)!.aheadMs).toBeGreaterThan(-151);
    expect(told.at(-1)!.aheadMs).toBeLessThan(-148);
  });

  it('come to what the sender reports by small steps when it reports late', () => {
    const { told, shoot } = scene();
    shoot({ durationMs: 5000, delayMs: () => 150 });
    shoot({ durationMs: 30_000, delayMs: () => 150, reportsAheadMs: 0 });
    expectNoLeap(told);
    expect(told[0]!.aheadMs).toBe(-150);
    expect(Math.abs(told.at(-1)!.aheadMs)).toBeLessThan(1);
  });

  it('do not step back for a stream that begins with a burst', () => {
    const { told, shoot } = scene();
    // The first three seconds come at tenfold speed when they are over, then the rest in time.
    shoot({ durationMs: 20_000, delayMs: (picture) => Math.max(0, 3000 - picture * (PICTURE_MS - 4)) });
    expectNoLeap(told);
  });

  it('do not follow a path that was stopped up for some time', () => {
    const { told, shoot } = scene();
    shoot({ durationMs: 20_000, delayMs: (picture) => Math.max(0, picture < 125 ? 0 : 3000 - (picture - 125) * 20) });
    expect(span(told)).toBeLessThan(30);
  });

  it('end while nothing is sent, and go on as they were', () => {
    const { world, told, shoot } = scene();
    shoot({ durationMs: 5000, reportsAheadMs: 0 });
    const endMs = world.nowMs;
    world.run(60_000);
    expect(told.at(-1)!.atMs).toBeLessThanOrEqual(endMs + MAX_REPORTED_SILENCE_MS);
    shoot({ durationMs: 5000, delayMs: () => 100 });
    expect(span(told)).toBeLessThan(1);
    expect(told.at(-1)!.atMs).toBeGreaterThan(endMs + 60_000);
  });

  it.each(['consumer', 'producer'] as const)('are of the same clock after the %s was paused', (which) => {
    const { told, consumer, shoot } = sceneInProgress();
    const paused = which === 'consumer' ? consumer : consumer.producer;
    shoot({ durationMs: 5000, delayMs: unevenly, reportsAheadMs: 0 });
    paused.pause();
    const before = told.length;
    shoot({ durationMs: 9000, delayMs: unevenly, reportsAheadMs: 0 });
    expect(told).toHaveLength(before);
    paused.resume();
    shoot({ durationMs: 9000, delayMs: unevenly, reportsAheadMs: 0 });
    expect(told.length).toBeGreaterThan(before + 5);
    expect(span(told)).toBeLessThan(1);
  });

  it('leap when timestamps do, at once', () => {
    const { viewer, told, shoot } = scene();
    shoot({ durationMs: 5000, reportsAheadMs: 0 });
    const [packets, reports] = [viewer.rtp.length, told.length];
    shoot({ durationMs: 5000, timestampLeap: 3_600 * 90_000 });
    const leapt = told.slice(reports);
    expect(leapt[0]).toMatchObject({ packets, report: { rtpTimestamp: viewer.rtp[packets]!.timestamp } });
    expect(span(leapt)).toBeLessThan(1);
  });

  it('are no more for a source that leaps all the time', () => {
    const { told, shoot } = scene();
    for (let i = 0; i < 250; i++) shoot({ durationMs: PICTURE_MS, timestampLeap: i * 1_000_000 });
    expect(told.length).toBeLessThan((10_000 / MIN_LEAP_REPORT_INTERVAL_MS) * 2.5);
  });

  it('are of the same clock after a source began anew, and so are timestamps', () => {
    const { world, viewer, told, shoot } = scene();
    shoot({ durationMs: 5000, reportsAheadMs: 0 });
    world.run(1500);
    shoot({ durationMs: 5000, reportsAheadMs: 0, timestampLeap: 1_000_000_000, sequenceLeap: 20_000 });
    expectNoLeap(told);
    expect(span(told)).toBeLessThan(50);
    // The first packet of a source that begins anew is not believed, and pictures wait for the next key frame.
    const first = viewer.rtp[0]!;
    for (const view of viewer.rtp) expect(diff32(view.timestamp, first.timestamp)).toBeLessThan(90 * 11_500);
    for (let i = 1; i < viewer.rtp.length; i++) {
      expect(diff32(viewer.rtp[i]!.timestamp, viewer.rtp[i - 1]!.timestamp)).toBeGreaterThan(0);
    }
    expect(diff32(viewer.rtp.at(-1)!.timestamp, first.timestamp)).toBeGreaterThan(90 * 11_000);
  });

  it('are of one clock, whichever encoding is sent', () => {
    const { world, told, consumer, shoot } = sceneInProgress(2);
    shoot({ durationMs: 6000, delayMs: unevenly, reportsAheadMs: 0 });
    for (const spatialLayer of [0, 1, 0]) {
      consumer.setPreferredLayers({ spatialLayer });
      shoot({ durationMs: 6000, delayMs: unevenly, reportsAheadMs: 0 });
    }
    const sent = world.eventsOf('c', 'layerschange').map((layers) => (layers as { spatialLayer: number }).spatialLayer);
    expect(sent.length).toBeGreaterThan(3);
    expect(sent.at(-1)).toBe(0);
    expect(span(told)).toBeLessThan(2);
  });
});
