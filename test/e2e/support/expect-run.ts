import assert from 'node:assert/strict';
import type { CodedUnit, Recording } from './coded-unit.ts';

export interface RunOptions {
  /** `none`: only decode times are looked at, which must never go back. */
  readonly times?: 'none';
  /** How far a decode time may be before the one in front of it, milliseconds; 0. */
  readonly backMs?: number;
  /** How far a time may be off the source's, milliseconds; 0 for exact. */
  readonly toleranceMs?: number;
  /** The run must go on to the source's last frame. */
  readonly toEnd?: boolean;
  /** Frames there must be at least. */
  readonly atLeast?: number;
}

/** Where a run stands in its source. */
export interface Run {
  /** Index of the source frame that was received first. */
  readonly first: number;
  /** How far received times are from the source's, milliseconds. */
  readonly offsetMs: number;
}

/**
 * Fails unless `received` is a contiguous run of `source`: the same bytes in the same order with nothing missing,
 * doubled or put in, decode times that never go back, and every time the source's but for one offset.
 */
export function expectRun(received: readonly CodedUnit[], source: readonly CodedUnit[], options: RunOptions = {}): Run {
  const { times, backMs = 0, toleranceMs = 0, toEnd = false, atLeast = 10 } = options;
  assert.ok(received.length >= atLeast, `only ${received.length} frames came, expected ${atLeast} or more`);
  const first = findStart(received, source);
  const offsetMs = received[0]!.ptsMs - source[first]!.ptsMs;
  for (const [i, unit] of received.entries()) {
    const original = source[first + i];
    if (original?.digest !== unit.digest) assert.fail(describeMismatch(received, source, i, first + i));
    const beforeMs = received[i - 1]?.dtsMs ?? Number.NEGATIVE_INFINITY;
    assert.ok(unit.dtsMs >= beforeMs - backMs, `time goes back at frame ${i}: ${beforeMs} ms, then ${unit.dtsMs} ms`);
    if (times === 'none') continue;
    const ptsErrorMs = unit.ptsMs - original.ptsMs - offsetMs;
    const dtsErrorMs = unit.dtsMs - original.dtsMs - offsetMs;
    assert.ok(
      Math.abs(ptsErrorMs) <= toleranceMs && Math.abs(dtsErrorMs) <= toleranceMs,
      `frame ${i} of ${received.length} is off the source's clock: pts by ${ptsErrorMs} ms, dts by ${dtsErrorMs} ms`,
    );
  }
  if (toEnd) {
    const missing = source.length - first - received.length;
    assert.equal(missing, 0, `the last ${missing} frames of the source did not come`);
  }
  return { first, offsetMs };
}

/** `expectRun` for video and audio, which must keep their offset to one another, and video must begin with a key frame. */
export function expectRecording(
  received: Recording,
  source: Recording,
  options: RunOptions = {},
): { readonly video: Run; readonly audio: Run } {
  const video = expectRun(received.video, source.video, options);
  const audio = expectRun(received.audio, source.audio, options);
  assert.ok(source.video[video.first]!.isKeyFrame, `video begins with frame ${video.first}, which is no key frame`);
  if (options.times === 'none') return { video, audio };
  const skewMs = Math.abs(video.offsetMs - audio.offsetMs);
  assert.ok(skewMs <= (options.toleranceMs ?? 0), `audio and video are ${skewMs} ms apart from where they were`);
  return { video, audio };
}

/** The place in the source from which most received frames match; of equal ones, as in a loop, the last. */
function findStart(received: readonly CodedUnit[], source: readonly CodedUnit[]): number {
  let best = { start: -1, length: 0 };
  for (const [start, unit] of source.entries()) {
    if (unit.digest !== received[0]!.digest) continue;
    let length = 1;
    while (length < received.length && source[start + length]?.digest === received[length]!.digest) length++;
    if (length >= best.length) best = { start, length };
  }
  assert.ok(
    best.start >= 0,
    `the first of ${received.length} frames (${received[0]!.sizeBytes} bytes) is not in the source`,
  );
  return best.start;
}

function describeMismatch(
  received: readonly CodedUnit[],
  source: readonly CodedUnit[],
  at: number,
  expected: number,
): string {
  const unit = received[at]!;
  const where = source.flatMap(({ digest }, index) => (digest === unit.digest ? [index] : [])).slice(0, 5);
  const found = where.length === 0 ? 'is not in the source at all' : `is source frame ${where.join(' or ')}`;
  return `received frame ${at} of ${received.length} (${unit.sizeBytes} bytes, dts ${unit.dtsMs} ms) should be source frame ${expected} of ${source.length} (${source[expected]?.sizeBytes} bytes) but ${found}`;
}
