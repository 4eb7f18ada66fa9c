import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../codec/frame.ts';
import type { Track } from '../codec/track.ts';
import { FrameLog, PURE_AUDIO_FRAMES } from './frame-log.ts';
import { EMPTY_STREAM_HEADER, type StreamHeader, withTrack } from './stream-header.ts';

const OVERHEAD = 200;

function track(kind: 'video' | 'audio' | 'data', trackId = 0): Track {
  const codec = kind === 'video' ? 'h264' : kind === 'audio' ? 'aac' : 'amf0';
  return { kind, trackId, codec, config: new Uint8Array(4) };
}

const VIDEO = track('video');
const AUDIO = track('audio');

function frame(of: Track, ms: number, isKeyFrame = of.kind !== 'video', size = 100): Frame {
  return { track: of, dtsUs: ms * 1000, ptsUs: ms * 1000, isKeyFrame, payload: new Uint8Array(size) };
}

function headerOf(...tracks: Track[]): StreamHeader {
  return tracks.reduce(withTrack, EMPTY_STREAM_HEADER);
}

/** Appends what `text` says, one frame each 100 ms: K and P video, A audio, D data. */
function fill(log: FrameLog, text: string, startMs = 0): void {
  Array.from(text).forEach((letter, i) => {
    const of = letter === 'A' ? AUDIO : letter === 'D' ? track('data') : VIDEO;
    log.append(frame(of, startMs + i * 100, letter !== 'P'));
  });
}

function joinPoints(log: FrameLog): number[] {
  const found: number[] = [];
  for (let i = log.joinPointFrom(0); i !== undefined; i = log.joinPointFrom(i + 1)) found.push(i);
  return found;
}

describe('FrameLog, places to start at', () => {
  it.each([
    ['', []],
    ['PPP', []],
    ['PAPKAPAPKAA', [3, 8]],
    ['KDDK', [0, 3]],
  ])('of video %j are the key frames', (text, expected) => {
    const log = new FrameLog();
    log.setHeader(headerOf(VIDEO, AUDIO));
    fill(log, text);
    expect(joinPoints(log)).toEqual(expected);
    expect([log.oldestJoinPoint(), log.newestJoinPoint()]).toEqual([expected[0], expected.at(-1)]);
  });

  it('of pure audio are all frames, data between them are none', () => {
    const log = new FrameLog();
    log.setHeader(headerOf(AUDIO));
    fill(log, 'AADA');
    expect(joinPoints(log)).toEqual([0, 1, 3]);
  });

  it('are no audio frames once video was announced, even before its first frame', () => {
    const log = new FrameLog();
    log.setHeader(headerOf(VIDEO, AUDIO));
    fill(log, 'AAAKA');
    expect(joinPoints(log)).toEqual([3]);
  });

  it('are audio frames when video has stopped for long, and no more when it goes on inside a GOP', () => {
    const log = new FrameLog({ maxSeconds: 1000 });
    log.setHeader(headerOf(VIDEO, AUDIO));
    fill(log, `K${'A'.repeat(PURE_AUDIO_FRAMES)}`);
    expect(joinPoints(log)).toEqual([0]);
    fill(log, 'AA', 60_000);
    expect(joinPoints(log)).toEqual([0, PURE_AUDIO_FRAMES + 1, PURE_AUDIO_FRAMES + 2]);
    fill(log, 'P', 61_000);
    expect(joinPoints(log)).toEqual([0]);
    fill(log, 'K', 62_000);
    expect(joinPoints(log)).toEqual([0, PURE_AUDIO_FRAMES + 4]);
  });

  it('keep audio frames before a key frame: who starts there comes to the key frame', () => {
    const log = new FrameLog();
    log.setHeader(headerOf(AUDIO));
    fill(log, 'AA');
    log.setHeader(headerOf(AUDIO, VIDEO));
    fill(log, 'AKP', 200);
    expect(joinPoints(log)).toEqual([0, 1, 3]);
  });

  it('of a multitrack stream are the key frames of its first video track only', () => {
    const log = new FrameLog();
    const second = track('video', 1);
    log.setHeader(headerOf(VIDEO, second));
    log.append(frame(VIDEO, 0, true));
    log.append(frame(second, 0, true));
    log.append(frame(VIDEO, 40, false));
    log.append(frame(second, 40, true));
    expect(joinPoints(log)).toEqual([0]);
  });

  it('are found at once for audio after a stream with video was cleared', () => {
    const log = new FrameLog();
    log.setHeader(headerOf(VIDEO, AUDIO));
    fill(log, 'KPA');
    log.clear();
    log.setHeader(EMPTY_STREAM_HEADER);
    log.setHeader(headerOf(AUDIO));
    fill(log, 'AA');
    expect([log.first, joinPoints(log)]).toEqual([3, [3, 4]]);
  });

  it.each([
    [0, 6],
    [0.1, 6],
    [0.15, 4],
    [0.3, 4],
    [0.35, 0],
    [0.7, 0],
    [100, 0],
    [Number.POSITIVE_INFINITY, 0],
  ])('%d s ago is frame %i', (secondsAgo, expected) => {
    const log = new FrameLog();
    fill(log, 'KPPPKPKP');
    expect(log.joinPointAgo(secondsAgo)).toBe(expected);
  });

  it('some seconds ago is none while there is none', () => {
    expect(new FrameLog().joinPointAgo(5)).toBeUndefined();
  });
});

describe('FrameLog, budgets', () => {
  it.each([
    [0.5, 'KPPPPKPPPP', 0],
    [0.5, 'KPPPPKPPPPP', 5],
    [0, 'KPPKP', 3],
    [10, 'KPPKP', 0],
  ])('keeps whole GOPs while the rest spans less than %d s: %s', (maxSeconds, text, first) => {
    const log = new FrameLog({ maxSeconds });
    fill(log, text);
    expect(log.first).toBe(first);
    expect(log.at(first - 1)).toBeUndefined();
    expect(log.at(first)).toBeDefined();
  });

  it('drops the oldest GOPs when it is too large', () => {
    const log = new FrameLog({ maxBytes: 6 * (100 + OVERHEAD) });
    fill(log, 'KPPKPP');
    expect(log.first).toBe(0);
    fill(log, 'P', 600);
    expect([log.first, log.sizeBytes]).toEqual([3, 4 * (100 + OVERHEAD)]);
  });

  it('drops the start of an endless GOP when it is too large, and has no place to start at then', () => {
    const log = new FrameLog({ maxBytes: 3 * (100 + OVERHEAD) });
    fill(log, 'KPPP');
    expect([log.first, log.newestJoinPoint()]).toEqual([1, undefined]);
    fill(log, 'K', 400);
    expect([log.newestJoinPoint(), log.sizeBytes <= 3 * 300]).toEqual([4, true]);
  });

  it('drops a frame larger than the whole budget', () => {
    const log = new FrameLog({ maxBytes: 1000 });
    fill(log, 'KP');
    log.append(frame(VIDEO, 200, true, 2000));
    expect([log.first, log.head, log.sizeBytes, log.newestJoinPoint()]).toEqual([3, 3, 0, undefined]);
    fill(log, 'K', 300);
    expect(log.newestJoinPoint()).toBe(3);
  });

  it.each([
    ['a GOP of just as many frames', 'KPPPP', 0, 0],
    ['a longer GOP', 'KPPPPP', 1, undefined],
    ['a much longer GOP', 'KPPPPPPPPP', 5, undefined],
    ['a longer GOP after a short one', 'KPKPPPPP', 3, undefined],
    ['no key frame at all', 'PPPPPPP', 2, undefined],
    ['short GOPs of more frames together', 'KPPKPPKPP', 0, 6],
    ['frames in front of the first key frame', 'PPKPPP', 1, 2],
  ])('with at most 5 frames a GOP, %s', (_, text, first, newest) => {
    const log = new FrameLog({ maxGopFrames: 5 });
    fill(log, text);
    expect([log.first, log.newestJoinPoint()]).toEqual([first, newest]);
  });

  it('counts what headers hold that are no longer in force', () => {
    const log = new FrameLog({ maxBytes: 100_000 });
    let size = 0;
    for (let i = 0; i < 200; i++) {
      log.setHeader({ tracks: [VIDEO], metadata: new Uint8Array(10_000) });
      log.append(frame(VIDEO, i * 40, i === 0));
      size = Math.max(size, log.sizeBytes);
    }
    expect(size).toBeLessThanOrEqual(100_000);
    expect(log.head - log.first).toBeLessThan(11);
    log.clear();
    expect(log.sizeBytes).toBe(0);
  });

  it('counts nothing twice when headers follow one another without a frame', () => {
    const log = new FrameLog();
    fill(log, 'K');
    const before = log.sizeBytes;
    for (let i = 0; i < 100; i++) log.setHeader({ tracks: [], metadata: new Uint8Array(1000) });
    expect(log.sizeBytes - before).toBeLessThanOrEqual(OVERHEAD);
  });

  it('goes on measuring when a publisher sets its clock back', () => {
    const log = new FrameLog({ maxSeconds: 1 });
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 100; i++) {
        log.append(frame(VIDEO, 3_600_000 + i * 100, i % 5 === 0));
        expect(log.lagUs(log.newestJoinPoint()!)).toBeLessThan(500_000);
        expect(log.head - log.first).toBeLessThanOrEqual(16);
      }
    }
  });

  it('measures lag by decode time, and says 0 of what it does not hold', () => {
    const log = new FrameLog();
    fill(log, 'KPAP');
    expect([0, 1, 2, 3, 4, -1].map((i) => log.lagUs(i))).toEqual([300_000, 200_000, 100_000, 0, 0, 0]);
    log.clear();
    expect(log.lagUs(0)).toBe(0);
    fill(log, 'K', 0);
    expect(log.lagUs(4)).toBe(0);
  });
});

describe('FrameLog, headers', () => {
  const first = headerOf(VIDEO);
  const second = headerOf(VIDEO, AUDIO);
  const third = headerOf(AUDIO);

  it('hold from the frame after they were set', () => {
    const log = new FrameLog();
    log.setHeader(first);
    fill(log, 'KP');
    log.setHeader(second);
    expect([log.headerAt(1), log.headerAt(2), log.header]).toEqual([first, second, second]);
    log.setHeader(third);
    fill(log, 'A', 200);
    expect([0, 1, 2, 3].map((i) => log.headerAt(i))).toEqual([first, first, third, third]);
  });

  it('of an empty log leave nothing of the ones before', () => {
    const log = new FrameLog();
    log.setHeader({ tracks: [], metadata: new Uint8Array(1000) });
    fill(log, 'K');
    log.clear();
    log.setHeader(first);
    expect([log.sizeBytes, log.headerAt(0)]).toEqual([0, first]);
  });

  it('are kept for the frames that are held, and the oldest known one stands for those that are gone', () => {
    const log = new FrameLog({ maxSeconds: 0 });
    log.setHeader(first);
    fill(log, 'KP');
    log.setHeader(second);
    fill(log, 'PPKP', 200);
    expect(log.first).toBe(4);
    expect([0, 3, 4].map((i) => log.headerAt(i))).toEqual([second, second, second]);
    log.clear();
    expect([log.headerAt(0), log.headerAt(99), log.header]).toEqual([second, second, second]);
  });
});

describe('FrameLog and a plain list', () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('P', 'A', 'K', 'D') },
      { weight: 1, arbitrary: fc.constantFrom('header', 'audio-header', 'clear') },
    ),
    { maxLength: 120 },
  );
  const budgets = fc.record({
    maxBytes: fc.constantFrom(1, 900, 5_000, 1_000_000),
    maxSeconds: fc.constantFrom(0, 0.5, 2, 1000),
    maxGopFrames: fc.constantFrom(1, 5, 20, 1000),
  });

  it('agree', () => {
    fc.assert(
      fc.property(budgets, steps, (options, list) => {
        const log = new FrameLog(options);
        log.setHeader(headerOf(VIDEO, AUDIO));
        const frames: { readonly frame: Frame; readonly header: StreamHeader }[] = [];
        let header = log.header;
        list.forEach((step, i) => {
          if (step === 'clear') log.clear();
          else if (step.endsWith('header')) {
            header = step === 'header' ? headerOf(VIDEO, AUDIO) : headerOf(AUDIO);
            log.setHeader(header);
          } else {
            const of = step === 'A' ? AUDIO : step === 'D' ? track('data') : VIDEO;
            const added = frame(of, i * 100, step !== 'P', i % 7 === 0 ? 400 : 50);
            expect(log.append(added)).toBe(frames.length);
            frames.push({ frame: added, header });
          }
          check(log, frames, options);
        });
      }),
    );
  });

  function check(
    log: FrameLog,
    frames: readonly { readonly frame: Frame; readonly header: StreamHeader }[],
    options: { readonly maxBytes: number; readonly maxSeconds: number; readonly maxGopFrames: number },
  ): void {
    expect(log.head).toBe(frames.length);
    expect(log.first).toBeLessThanOrEqual(log.head);
    let payloads = 0;
    frames.forEach((entry, i) => {
      expect(log.at(i)).toStrictEqual(i < log.first ? undefined : entry.frame);
      if (i < log.first) return;
      expect(log.headerAt(i)).toBe(entry.header);
      payloads += entry.frame.payload.length + OVERHEAD;
    });
    expect(log.sizeBytes).toBeGreaterThanOrEqual(payloads);
    const points = joinPoints(log);
    for (const point of points) {
      expect(point).toBeGreaterThanOrEqual(log.first);
      expect(log.at(point)!.isKeyFrame && log.at(point)!.track.kind !== 'data').toBe(true);
    }
    // Every key frame of video that is held can be started at.
    for (let i = log.first; i < log.head; i++) {
      const { track: of, isKeyFrame } = log.at(i)!;
      if (of.kind === 'video' && isKeyFrame) expect(points).toContain(i);
    }
    if (log.head > log.first) expect(payloads).toBeLessThanOrEqual(options.maxBytes);
    const newest = points.at(-1);
    if (newest !== undefined) expect(log.head - newest).toBeLessThanOrEqual(options.maxGopFrames);
    if (points.length < 2) expect(log.head - log.first).toBeLessThanOrEqual(options.maxGopFrames);
    else expect(log.lagUs(points[1]!)).toBeLessThan(options.maxSeconds * 1e6);
  }
});
