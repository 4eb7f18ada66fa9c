import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/codec/frame.ts';
import { type Track, trackSlot } from '../../../src/codec/track.ts';
import { openMp4File } from '../../../src/format/mp4/mp4-file.ts';
import { TsMuxer } from '../../../src/format/mpegts/ts-muxer.ts';
import { Publication } from '../../../src/media/publication.ts';
import { REPORT_INTERVAL_MS, RtpIngest, type RtpIngestOptions } from '../../../src/media/rtp-ingest.ts';
import { parseRtcp } from '../../../src/protocol/rtp/rtcp-packet.ts';
import { type Arrival, overLossyLink } from '../../lossy-link.ts';
import { RtpPublisher, type SentPacket } from '../../rtp-publisher.ts';
import { memoryFile, readFrames } from '../../vod-test-kit.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'fixtures', 'vod');

interface Clip {
  readonly tracks: readonly Track[];
  /** By decode time. */
  readonly frames: readonly Frame[];
}

const clips = new Map<string, Clip>();

beforeAll(async () => {
  for (const name of ['h264-aac.mp4', 'h265-ac3.mp4', 'vp9-opus.mp4', 'av1-flac.mp4']) {
    const file = await openMp4File(memoryFile(new Uint8Array(readFileSync(join(FOLDER, name)))));
    const frames = await readFrames(file);
    // RTP has no FLAC.
    const tracks = file.tracks.filter(({ codec }) => codec !== 'flac');
    clips.set(name, {
      tracks,
      frames: frames.filter(({ track }) => tracks.includes(track)).sort((a, b) => a.dtsUs - b.dtsUs),
    });
  }
});

/** What a publication was told. */
class Heard {
  readonly tracks: Track[] = [];
  readonly frames: Frame[] = [];
  readonly publication: Publication;

  constructor() {
    const target = {
      acceptTrack: (track: Track): void => void this.tracks.push(track),
      acceptRepeatedConfig: (): void => undefined,
      acceptMetadata: (): boolean => true,
      acceptFrame: (frame: Frame): void => void this.frames.push({ ...frame, payload: frame.payload.slice() }),
      publicationEnded: (): void => undefined,
    };
    const info = { id: 'p', protocol: 'rtmp', remote: '192.0.2.1:5000' } as const;
    this.publication = new Publication(target, info, 0, () => undefined);
  }

  of(track: Track): Frame[] {
    return this.frames.filter((frame) => trackSlot(frame.track) === trackSlot(track));
  }
}

function ingestOf(heard: Heard, publisher: RtpPublisher, options: Partial<RtpIngestOptions> = {}): RtpIngest {
  return new RtpIngest({
    publication: heard.publication,
    tracks: publisher.descriptions,
    ssrc: 0xabcdef,
    cname: 'millrace@test',
    ...options,
  });
}

/** Gives an ingest what arrives, timers at their times; the buffer of a packet is overwritten when it was taken. */
function run(ingest: RtpIngest, arrivals: readonly Arrival<SentPacket>[]): Arrival<SentPacket>[] {
  const reports: Arrival<SentPacket>[] = [];
  const scratch = new Uint8Array(2000);
  for (const { atMs, datagram } of arrivals) {
    for (let due = ingest.nextTimeoutMs(); due !== undefined && due <= atMs; due = ingest.nextTimeoutMs()) {
      for (const { track, bytes } of ingest.handleTimeout(due)) {
        reports.push({ atMs: due, datagram: { track, kind: 'rtcp', bytes } });
      }
    }
    const view = scratch.subarray(0, datagram.bytes.length);
    view.set(datagram.bytes);
    if (datagram.kind === 'rtp') ingest.receiveRtp(datagram.track, view, atMs);
    else ingest.receiveRtcp(datagram.track, view, atMs);
    scratch.fill(0xee);
  }
  return reports;
}

/** Times of frames from the first one's presentation on, milliseconds. */
function relative(frames: readonly Frame[], zeroUs: number): (readonly [number, number])[] {
  return frames.map(({ dtsUs, ptsUs }) => [Math.round((dtsUs - zeroUs) / 1000), Math.round((ptsUs - zeroUs) / 1000)]);
}

describe('a publisher over a link that keeps the order', () => {
  it.each(['h264-aac.mp4', 'h265-ac3.mp4', 'vp9-opus.mp4', 'av1-flac.mp4'])('comes in as it was sent: %s', (name) => {
    const { tracks, frames } = clips.get(name)!;
    const heard = new Heard();
    const publisher = new RtpPublisher(tracks);
    const ingest = ingestOf(heard, publisher, { maxWaitMs: 0 });
    run(ingest, publisher.send(frames));
    ingest.end();
    const zeroUs = heard.frames[0]!.ptsUs - frames[0]!.ptsUs;
    for (const track of tracks) {
      const sent = frames.filter((frame) => frame.track === track);
      const got = heard.of(track);
      expect(got.map(({ payload }) => payload)).toEqual(sent.map(({ payload }) => payload));
      expect(got.map(({ isKeyFrame }) => isKeyFrame)).toEqual(sent.map(({ isKeyFrame }) => isKeyFrame));
      for (const [i, { dtsUs, ptsUs, track: gotTrack }] of got.entries()) {
        expect(Math.abs(ptsUs - zeroUs - sent[i]!.ptsUs)).toBeLessThanOrEqual(23);
        expect(dtsUs).toBeLessThanOrEqual(ptsUs);
        expect(dtsUs).toBeGreaterThanOrEqual(got[i - 1]?.dtsUs ?? 0);
        // A guessed depth may make decode times earlier than they were.
        expect(sent[i]!.dtsUs - (dtsUs - zeroUs)).toBeLessThanOrEqual(80_100);
        expect(gotTrack.codec).toBe(track.codec);
      }
      const newest = heard.tracks.filter((one) => trackSlot(one) === trackSlot(track)).at(-1)!;
      expect(got.at(-1)!.track).toBe(newest);
      // SDP has no place for what else is in hvcC and OpusHead.
      if (track.codec === 'h264' || track.codec === 'aac') expect(newest.config).toEqual(track.config);
      expect(newest.video?.width).toBe(track.video?.width);
      expect(newest.audio?.channels).toBe(track.audio?.channels);
    }
    expect(ingest.counters()).toMatchObject({ lost: 0, malformed: 0, foreign: 0, restarts: 0, dropped: 0 });
  });

  it('gets decode times that are the ones it had, where the stream tells its depth', () => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const heard = new Heard();
    const publisher = new RtpPublisher(tracks);
    run(ingestOf(heard, publisher, { maxWaitMs: 0 }), publisher.send(frames));
    const video = frames.filter(({ track }) => track.kind === 'video');
    const got = heard.of(video[0]!.track);
    const zeroUs = got[0]!.ptsUs - video[0]!.ptsUs;
    // The file has no decode times below 0, which the first pictures need.
    const skipped = 2;
    expect(relative(got, zeroUs).slice(skipped)).toEqual(relative(video, 0).slice(skipped));
    expect(video.some(({ dtsUs, ptsUs }) => ptsUs > dtsUs)).toBe(true);
  });

  it('is announced at once, or track by track with its first packets', () => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const publisher = new RtpPublisher(tracks);
    const heard = new Heard();
    ingestOf(heard, publisher);
    expect(heard.tracks.map(({ kind }) => kind)).toEqual(['video', 'audio']);
    expect(heard.tracks.map(({ config }) => config)).toEqual(tracks.map(({ config }) => config));
    const later = new Heard();
    const ingest = ingestOf(later, publisher, { announce: 'with-first-packet' });
    expect(later.tracks).toEqual([]);
    const audio = frames.filter(({ track }) => track.kind === 'audio').slice(0, 2);
    run(ingest, publisher.send(audio));
    expect(later.tracks.map(({ kind }) => kind)).toEqual(['audio']);
  });

  it('whose SDP has no parameter sets is announced when they have come', () => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const video = tracks[0]!;
    const publisher = new RtpPublisher([video]);
    const heard = new Heard();
    const mapping = { ...publisher.descriptions[0]!.mapping, parameters: new Map([['packetization-mode', '1']]) };
    const ingest = ingestOf(heard, publisher, { tracks: [{ mapping, kind: 'video' }] });
    const ofVideo = frames.filter(({ track }) => track === video);
    run(ingest, publisher.send(ofVideo.slice(0, 5)));
    expect(heard.tracks).toEqual([]);
    expect(heard.frames).toEqual([]);
    expect(ingest.counters().dropped).toBe(5);
    // The parameter sets of an avcC as NAL units behind lengths.
    const { config } = video;
    const spsBytes = (config[6]! << 8) | config[7]!;
    const pps = config.subarray(8 + spsBytes + 1);
    const sets = [0, 0, ...config.subarray(6, 8 + spsBytes), 0, 0, ...pps.subarray(0, 2 + ((pps[0]! << 8) | pps[1]!))];
    const key = ofVideo.find(({ isKeyFrame }) => isKeyFrame)!;
    const whole = { ...key, payload: Uint8Array.from([...sets, ...key.payload]) };
    run(ingest, publisher.send([whole]));
    expect(heard.tracks).toHaveLength(1);
    expect(heard.tracks[0]!.video).toEqual(video.video);
    expect(heard.frames.map(({ payload }) => payload)).toEqual([whole.payload]);
  });
});

describe('a publisher over a lossy link', () => {
  it.each([1, 2, 3])('loses nothing by reordering and duplicates (seed %d)', (seed) => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const publisher = new RtpPublisher(tracks);
    const heard = new Heard();
    const ingest = ingestOf(heard, publisher);
    // What overtakes the first packet of a track is not waited for.
    const [first, ...rest] = splitAt(publisher.send(frames), 60);
    const link = { seed, detoursPerMille: 100, detourMs: 60, duplicatesPerMille: 50 };
    run(ingest, overLossyLink(first, { seed }));
    run(ingest, overLossyLink(rest.flat(), link));
    ingest.end();
    for (const track of tracks) {
      const sent = frames.filter((frame) => frame.track === track);
      expect(heard.of(track).map(({ payload }) => payload)).toEqual(sent.map(({ payload }) => payload));
    }
    const counters = ingest.counters();
    expect(counters).toMatchObject({ lost: 0, late: 0, malformed: 0, dropped: 0, restarts: 0 });
    expect(counters.reordered).toBeGreaterThan(5);
    expect(counters.duplicates).toBeGreaterThan(5);
  });

  it.each([1, 2, 3])('gives only whole frames, each as it was sent and in time (seed %d)', (seed) => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const publisher = new RtpPublisher(tracks);
    const heard = new Heard();
    const ingest = ingestOf(heard, publisher, { maxWaitMs: 50 });
    const link = { seed, lossPerMille: 50, detoursPerMille: 100, detourMs: 80, duplicatesPerMille: 20 };
    const packets = publisher.send(frames);
    // Reports are not lost here, so that the tracks stay where they are.
    const reports = overLossyLink(
      packets.filter(({ datagram }) => datagram.kind === 'rtcp'),
      { seed },
    );
    const media = overLossyLink(
      packets.filter(({ datagram }) => datagram.kind === 'rtp'),
      link,
    );
    run(
      ingest,
      [...reports, ...media].sort((a, b) => a.atMs - b.atMs),
    );
    ingest.end();
    for (const track of tracks) {
      const sent = frames.filter((frame) => frame.track === track);
      const got = heard.of(track);
      expect(got.length).toBeGreaterThan(sent.length * 0.3);
      expect(got.length).toBeLessThan(sent.length);
      let next = 0;
      let offsetUs: number | undefined;
      let dtsUs = 0;
      for (const frame of got) {
        const index = sent.findIndex(({ payload }, i) => i >= next && sameBytes(payload, frame.payload));
        expect(index).toBeGreaterThanOrEqual(next);
        next = index + 1;
        const off = frame.ptsUs - sent[index]!.ptsUs;
        offsetUs ??= off;
        expect(Math.abs(off - offsetUs)).toBeLessThanOrEqual(23);
        expect(frame.dtsUs).toBeLessThanOrEqual(frame.ptsUs);
        expect(frame.dtsUs).toBeGreaterThanOrEqual(dtsUs);
        dtsUs = frame.dtsUs;
      }
    }
    const counters = ingest.counters();
    expect(counters.lost).toBeGreaterThan(0);
    expect(counters.dropped).toBeGreaterThan(0);
  });

  it('is reported its losses, with the reference to its own reports', () => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const publisher = new RtpPublisher(tracks);
    const ingest = ingestOf(new Heard(), publisher);
    const link = { seed: 4, lossPerMille: 100 };
    const arrivals = overLossyLink(publisher.send(frames, 500), link);
    const end = { atMs: arrivals.at(-1)!.atMs + 2 * REPORT_INTERVAL_MS, datagram: publisher.reportOf(0, 0) };
    const reports = run(ingest, [...arrivals, end]);
    expect(reports[0]!.atMs - arrivals[0]!.atMs).toBe(REPORT_INTERVAL_MS / 2);
    expect(reports.map(({ datagram }) => datagram.track)).toEqual([0, 1, 0, 1, 0, 1].slice(0, reports.length));
    expect(reports.length).toBeGreaterThanOrEqual(4);
    const { packets, isMalformed } = parseRtcp(reports[0]!.datagram.bytes);
    expect(isMalformed).toBe(false);
    const [report, description] = packets;
    if (report?.type !== 'receiver-report') return expect.fail('no receiver report in front');
    const [block] = report.reports;
    expect(report.ssrc).toBe(0xabcdef);
    expect(block).toMatchObject({ ssrc: 0x1000 });
    expect(block!.fractionLost).toBeGreaterThan(5);
    expect(block!.packetsLost).toBeGreaterThan(0);
    expect(block!.lastSr).toBeGreaterThan(0);
    expect(block!.delaySinceLastSr).toBeLessThan(65_536);
    expect(description).toEqual({
      type: 'source-description',
      chunks: [{ ssrc: 0xabcdef, items: [{ type: 1, text: 'millrace@test' }] }],
    });
  });
});

describe('tracks of a publisher', () => {
  it('lie to one another as sender reports say, though one arrives later', () => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const publisher = new RtpPublisher(tracks);
    const heard = new Heard();
    const delayed = publisher.send(frames).map(({ atMs, datagram }) => {
      return { atMs: atMs + (datagram.track === 1 ? 150 : 0), datagram };
    });
    run(
      ingestOf(heard, publisher),
      delayed.sort((a, b) => a.atMs - b.atMs),
    );
    const offsets = tracks.map((track) => {
      return heard.of(track)[0]!.ptsUs - frames.find((frame) => frame.track === track)!.ptsUs;
    });
    expect(Math.abs(offsets[0]! - offsets[1]!)).toBeLessThanOrEqual(23);
  });

  it('go on when their source restarts with other numbers, timestamps and SSRCs', () => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const first = new RtpPublisher(tracks);
    const second = new RtpPublisher(tracks, { ssrc: 0x9000, firstSequenceNumber: 12, timestampOffset: 77 });
    const heard = new Heard();
    const ingest = ingestOf(heard, first);
    const before = first.send(frames);
    run(ingest, before);
    const gapMs = before.at(-1)!.atMs + 40;
    run(
      ingest,
      second.send(frames).map(({ atMs, datagram }) => ({ atMs: atMs + gapMs, datagram })),
    );
    ingest.end();
    expect(ingest.counters()).toMatchObject({ restarts: 2, dropped: 0 });
    for (const track of tracks) {
      const got = heard.of(track);
      const sent = frames.filter((frame) => frame.track === track);
      expect(got.map(({ payload }) => payload)).toEqual([...sent, ...sent].map(({ payload }) => payload));
      const times = got.map(({ ptsUs }) => ptsUs);
      expect(Math.max(...times) - Math.min(...times)).toBeLessThan(8_000_000);
    }
  });

  it('are finished when all that sent anything have said goodbye', () => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const publisher = new RtpPublisher(tracks);
    const ingest = ingestOf(new Heard(), publisher);
    const sent = publisher.send(frames.slice(0, 20));
    const end = (track: number): Arrival<SentPacket>[] => [{ atMs: 5000, datagram: publisher.goodbyeOf(track) }];
    run(ingest, sent);
    expect(ingest.isFinished).toBe(false);
    run(ingest, end(0));
    expect(ingest.isFinished).toBe(false);
    run(ingest, end(1));
    expect(ingest.isFinished).toBe(true);
    run(ingest, publisher.send(frames.slice(20, 30)));
    expect(ingest.isFinished).toBe(false);
  });
});

describe('a transport stream in RTP', () => {
  it('comes in as its tracks and frames', () => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const publisher = new RtpPublisher([TS], { maxPacketBytes: 1400 });
    const heard = new Heard();
    const ingest = ingestOf(heard, publisher);
    run(ingest, publisher.send(inTransportStream(tracks, frames)));
    ingest.end();
    expect(heard.tracks.map(({ codec }) => codec).sort()).toEqual(['aac', 'h264']);
    for (const track of tracks) expect(payloadsOf(heard.of(track))).toEqual(payloadsOf(frames, track));
    expect(ingest.counters()).toMatchObject({ malformed: 0, dropped: 0 });
  });

  it('numbers its tracks behind those beside it', () => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const video = tracks[0]!;
    const publisher = new RtpPublisher([TS, video], { maxPacketBytes: 1400 });
    const heard = new Heard();
    const ingest = ingestOf(heard, publisher);
    const beside = frames.filter(({ track }) => track === video);
    run(ingest, publisher.send([...inTransportStream(tracks, frames), ...beside]));
    ingest.end();
    const slots = heard.tracks.map(({ kind, trackId }) => `${kind} ${trackId}`);
    expect(slots).toEqual(['video 0', 'video 1', 'audio 0']);
    expect(payloadsOf(heard.of(video))).toEqual(payloadsOf(beside));
    expect(payloadsOf(heard.of({ ...video, trackId: 1 }))).toEqual(payloadsOf(beside));
    expect(heard.of({ ...video, trackId: 1 }).every(({ track }) => heard.tracks.includes(track))).toBe(true);
  });
});

describe('packets that do not belong', () => {
  it('are counted and harm nothing', () => {
    const { tracks, frames } = clips.get('h264-aac.mp4')!;
    const publisher = new RtpPublisher(tracks);
    const heard = new Heard();
    const unknown = {
      kind: 'data',
      mapping: { payloadType: 107, encodingName: 'vnd.onvif.metadata', clockRate: 90_000, parameters: new Map() },
    } as const;
    const ingest = ingestOf(heard, publisher, { tracks: [...publisher.descriptions, unknown] });
    expect([0, 1, 2, 3].map((track) => ingest.takes(track))).toEqual([true, true, false, false]);
    const packets = publisher.send(frames);
    for (const [i, { atMs, datagram }] of packets.entries()) {
      run(ingest, [{ atMs, datagram }]);
      ingest.receiveRtp(0, Uint8Array.of(0x80, i & 0xff, 1), atMs);
      ingest.receiveRtp(2, datagram.bytes, atMs);
      ingest.receiveRtp(9, datagram.bytes, atMs);
      ingest.receiveRtcp(1, Uint8Array.of(0x80, 200, 0, 9), atMs);
      const foreign = datagram.bytes.slice();
      foreign[1] = 99;
      if (datagram.kind === 'rtp') ingest.receiveRtp(1, foreign, atMs);
    }
    ingest.end();
    const sent = packets.filter(({ datagram }) => datagram.kind === 'rtp').length;
    expect(heard.frames).toHaveLength(frames.length);
    expect(ingest.counters()).toMatchObject({
      malformed: 2 * packets.length,
      foreign: sent + 2 * packets.length,
      dropped: 0,
      lost: 0,
    });
    expect(ingest.counters(0).foreign).toBe(0);
    expect(ingest.counters(2).packets).toBe(0);
  });
});

const TS: Track = { kind: 'video', trackId: 0, codec: 'mp2t', config: new Uint8Array(0) };

function inTransportStream(tracks: readonly Track[], frames: readonly Frame[]): Frame[] {
  const muxer = new TsMuxer(tracks);
  return frames.map((frame) => ({ ...frame, track: TS, payload: muxer.mux(frame) }));
}

/** Payloads of all frames, or of those of one track. */
function payloadsOf(frames: readonly Frame[], track?: Track): Uint8Array[] {
  return frames.flatMap((frame) => (track === undefined || frame.track === track ? frame.payload : []));
}

function splitAt<T>(items: readonly T[], at: number): [T[], T[]] {
  return [items.slice(0, at), items.slice(at)];
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
