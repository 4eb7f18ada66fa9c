import { describe, expect, it } from 'vitest';
import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import type { AmfValue } from '../../protocol/amf/amf-value.ts';
import { AmfDate, AmfObject } from '../../protocol/amf/amf-value.ts';
import type { ProbeReport, VideoTrackReport } from './probe-report.ts';
import { StreamProbe } from './stream-probe.ts';

const VIDEO: Track = { kind: 'video', trackId: 0, codec: 'h264', config: new Uint8Array(0) };
const AUDIO: Track = { kind: 'audio', trackId: 0, codec: 'aac', config: new Uint8Array(0) };

interface FrameInput {
  readonly track?: Track;
  readonly dts: number;
  readonly pts?: number;
  readonly key?: boolean;
  readonly size?: number;
}

function frame({ track = VIDEO, dts, pts = dts, key = false, size = 100 }: FrameInput): Frame {
  return { track, dtsUs: dts * 1000, ptsUs: pts * 1000, isKeyFrame: key, payload: new Uint8Array(size) };
}

function reportOf(frames: readonly FrameInput[]): ProbeReport {
  const probe = new StreamProbe();
  for (const one of frames) probe.push({ type: 'frame', frame: frame(one) });
  return probe.report({ source: 'x', container: 'flv' });
}

function videoOf(frames: readonly FrameInput[]): VideoTrackReport {
  const [track] = reportOf(frames).tracks;
  if (track?.kind !== 'video') throw new TypeError('no video track');
  return track;
}

const every = (stepMs: number, count: number): FrameInput[] =>
  Array.from({ length: count }, (_, index) => ({ dts: index * stepMs, key: index % 25 === 0 }));

describe('stream probe', () => {
  it('measures rate, key frames and GOP', () => {
    expect(videoOf(every(40, 76))).toMatchObject({
      frames: 76,
      keyFrames: 4,
      fps: 25,
      bitrateBps: 20_000,
      jitterMs: 0,
      largestGapMs: 40,
      gop: { averageMs: 1000, shortestMs: 1000, longestMs: 1000, averageFrames: 25 },
      bFrames: false,
    });
  });

  it('tells what is not known as null', () => {
    expect(videoOf([{ dts: 0, key: true }])).toMatchObject({
      fps: null,
      bitrateBps: null,
      jitterMs: null,
      largestGapMs: null,
      gop: null,
      width: null,
      profile: null,
      declaredFps: null,
    });
    expect(reportOf([])).toMatchObject({
      durationMs: 0,
      bitrateBps: null,
      tracks: [],
      audioVideo: null,
      metadata: null,
    });
  });

  it('measures jitter, gaps and steps back', () => {
    expect(videoOf([{ dts: 0 }, { dts: 30 }, { dts: 80 }, { dts: 120 }, { dts: 110 }])).toMatchObject({
      jitterMs: 22.776,
      largestGapMs: 50,
      backwardSteps: 1,
    });
  });

  it('sees B-frames by their order, not by a composition offset', () => {
    const shifted = [0, 40, 80].map((dts) => ({ dts, pts: dts + 80 }));
    const reordered = [
      { dts: 0, pts: 80 },
      { dts: 40, pts: 200 },
      { dts: 80, pts: 120 },
    ];
    expect(videoOf(shifted).bFrames).toBe(false);
    expect(videoOf(reordered).bFrames).toBe(true);
  });

  it.each([
    [0, 0],
    [0.001, 20],
    [-0.002, -40],
  ])('finds audio whose clock is off by %d', (error, driftMs) => {
    const frames = Array.from({ length: 1001 }, (_, index) => [
      { dts: index * 20 },
      { track: AUDIO, dts: index * 20 * (1 + error) + 45 },
    ]).flat();
    const { audioVideo } = reportOf(frames);
    expect(audioVideo?.offsetMs).toBe(45);
    expect(audioVideo?.driftMs).toBeCloseTo(driftMs, 0);
  });

  it('tells no drift for less than a second', () => {
    expect(reportOf([{ dts: 0 }, { track: AUDIO, dts: 10 }, { track: AUDIO, dts: 900 }]).audioVideo).toEqual({
      offsetMs: 10,
      driftMs: null,
    });
  });

  it('keeps the tracks of one kind apart and video first', () => {
    const second: Track = { ...VIDEO, trackId: 1 };
    const { tracks } = reportOf([{ track: AUDIO, dts: 0 }, { track: second, dts: 0 }, { dts: 0 }]);
    expect(tracks.map(({ kind, id }) => `${kind} ${id}`)).toEqual(['video 0', 'video 1', 'audio 0']);
  });

  it('says metadata in words JSON has', () => {
    const probe = new StreamProbe();
    const values = new Map<string, AmfValue>([
      ['width', 640],
      ['width', 1280],
      ['duration', Number.NaN],
      ['made', new AmfDate(0)],
      ['never', new AmfDate(Number.NaN)],
      ['nothing', undefined],
      ['list', [1, 'two', null]],
      ['deep', new AmfObject([['__proto__', true]])],
    ]);
    probe.push({ type: 'metadata', values });
    const { metadata } = probe.report({ source: 'x', container: 'rtmp' });
    expect(JSON.stringify(metadata)).toBe(
      '{"width":1280,"duration":null,"made":"1970-01-01T00:00:00.000Z","never":null,"nothing":null,"list":[1,"two",null],"deep":{"__proto__":true}}',
    );
  });

  it('counts what was dropped', () => {
    const probe = new StreamProbe();
    probe.push({ type: 'ignored', reason: 'empty-message' });
    probe.push({ type: 'ignored', reason: 'empty-message' });
    probe.push({ type: 'malformed', reason: 'bad-config' });
    expect(probe.report({ source: 'x', container: 'rtmp' })).toMatchObject({
      ignored: { 'empty-message': 2 },
      malformed: { 'bad-config': 1 },
    });
  });
});
