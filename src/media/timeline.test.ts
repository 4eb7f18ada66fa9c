import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type JitterAlgorithm,
  JUMP_STEP_US,
  MAX_BACKWARD_STEP_US,
  MAX_TRACK_SKEW_US,
  RTMP_WRAP_US,
  Timeline,
} from './timeline.ts';

const V = 0;
const A = 256;
const ms = (us: number): number => us / 1000;

/** Feeds frames `[slot, raw ms, arrival ms?]`; arrival follows the raw time unless given. */
function feed(timeline: Timeline, frames: readonly (readonly [number, number, number?])[]): number[] {
  return frames.map(([slot, rawMs, nowMs]) => ms(timeline.toStreamTime(slot, rawMs * 1000, nowMs ?? rawMs)));
}

describe('Timeline, full', () => {
  it.each([0, 1, 1000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1])('starts at 0 whatever the first time is (%i)', (first) => {
    expect(feed(new Timeline(), [[V, first, 0]])).toEqual([0]);
  });

  it.each([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32 - 50])(
    'goes on across a wrap at 2^32 ms from %i',
    (first) => {
      const timeline = new Timeline();
      const out: number[] = [];
      for (let i = 0; i < 10; i++) {
        out.push(...feed(timeline, [[V, (first + i * 40) % 2 ** 32, i * 40]]));
        out.push(...feed(timeline, [[A, (first + i * 40 + 10) % 2 ** 32, i * 40 + 10]]));
      }
      expect(out).toEqual(Array.from({ length: 20 }, (_, i) => Math.floor(i / 2) * 40 + (i % 2) * 10));
      expect(timeline.jumps).toBe(0);
    },
  );

  it('keeps a frame of before the wrap that comes after it in its place', () => {
    const end = 2 ** 32;
    const frames = [
      [V, end - 40, 0],
      [A, end - 30, 10],
      [V, 0, 40],
      [A, end - 9, 41],
      [A, 12, 52],
    ] as const;
    expect(feed(new Timeline(), frames)).toEqual([0, 10, 40, 31, 52]);
  });

  it('goes on across several wraps', () => {
    const timeline = new Timeline({ wrapUs: 10_000_000 });
    const out = Array.from({ length: 100 }, (_, i) =>
      ms(timeline.toStreamTime(V, (i * 500_000) % 10_000_000, i * 500)),
    );
    expect(out).toEqual(Array.from({ length: 100 }, (_, i) => i * 500));
  });

  it.each([
    ['forward by an hour', 3_600_000],
    ['forward by a little over a second', 1_100],
    ['back by a little over a second', -1_100],
    ['back to the start', -5_000],
    ['forward by half a wrap', 2 ** 31],
    ['forward by just under half a wrap', 2 ** 31 - 1_000],
    ['back by half a wrap', -(2 ** 31)],
  ])('bridges a jump %s with a step of 10 ms', (_, byMs) => {
    const timeline = new Timeline();
    const raw = [5_000, 5_040, 5_080 + byMs, 5_120 + byMs].map((t) => (t + 2 ** 32) % 2 ** 32);
    const out = raw.map((t, i) => ms(timeline.toStreamTime(V, t * 1000, i * 40)));
    expect(out).toEqual([0, 40, 50, 90]);
    expect(timeline.jumps).toBe(1);
  });

  it('believes a step of up to a second', () => {
    expect(
      feed(new Timeline(), [
        [V, 0, 0],
        [V, 1_000, 10],
      ]),
    ).toEqual([0, 1_000]);
  });

  it('keeps a real pause, however long', () => {
    const timeline = new Timeline();
    expect(
      feed(timeline, [
        [V, 0],
        [A, 5],
        [V, 60_000],
        [A, 60_005],
      ]),
    ).toEqual([0, 5, 60_000, 60_005]);
    expect(timeline.jumps).toBe(0);
  });

  it('levels small steps back', () => {
    const timeline = new Timeline();
    expect(
      feed(timeline, [
        [V, 0, 0],
        [V, 80, 40],
        [V, 60, 80],
        [V, 79, 81],
        [V, 120, 120],
      ]),
    ).toEqual([0, 80, 80, 80, 120]);
    expect([timeline.levelledFrames, timeline.jumps]).toEqual([2, 0]);
  });

  it('does not stand still when a clock goes back again and again by less than a jump', () => {
    const timeline = new Timeline();
    let raw = 10_000;
    let now = 0;
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 5; i++, raw += 40, now += 40) timeline.toStreamTime(V, raw * 1000, now);
      raw -= 900;
    }
    expect(now - ms(timeline.newestUs)).toBeLessThan(2 * ms(MAX_BACKWARD_STEP_US));
  });

  describe.each([
    ['forward by an hour', 3_600_000],
    ['forward by 1.02 s, where one track sees more than a second and the other less', 1_000],
    ['back by 1.02 s, likewise', -1_040],
    ['back to the start', -20_000],
    ['forward by half a wrap', 2 ** 31],
  ])('when both tracks jump %s', (_, byMs) => {
    const wrapped = (t: number): number => (t + 2 ** 32) % 2 ** 32;

    /** Frames of 20 s, then the jump; `stale` frames of the track that jumps last still carry old times. */
    function run(
      first: number,
      stale: number,
    ): { readonly skewMs: number; readonly backward: boolean; readonly gap: number } {
      const timeline = new Timeline();
      const last = new Map<number, number>();
      let backward = false;
      const push = (slot: number, raw: number, now: number): number => {
        const out = ms(timeline.toStreamTime(slot, wrapped(raw) * 1000, now));
        if (out < (last.get(slot) ?? 0)) backward = true;
        last.set(slot, out);
        return out;
      };
      const start = 30_000;
      for (let t = 0; t < 20_000; t += 20) {
        if (t % 40 === 0) push(V, start + t, t);
        push(A, start + t, t);
      }
      const before = ms(timeline.newestUs);
      const second = first === V ? A : V;
      let skewMs = 0;
      for (let i = 0; i < 100; i++) {
        const t = 20_000 + i * 40;
        const firstOut = push(first, start + t + byMs, t);
        const secondOut = push(second, start + t + (i < stale ? 0 : byMs), t);
        if (i >= 60) skewMs = Math.max(skewMs, Math.abs(firstOut - secondOut));
      }
      return { skewMs, backward, gap: ms(timeline.newestUs) - before - 100 * 40 };
    }

    it.each([
      ['video', V, 0],
      ['audio', A, 0],
      ['video, and three stale audio frames follow', V, 3],
      ['audio, and three stale video frames follow', A, 3],
    ])('they stay in step: %s first', (_name, first, stale) => {
      const result = run(first, stale);
      expect(result.backward).toBe(false);
      // The stale frames are content that the first track does not have.
      expect(result.skewMs).toBeLessThanOrEqual(1);
      expect(Math.abs(result.gap)).toBeLessThanOrEqual(Math.abs(byMs) < 2_000 ? 1_100 : 100);
    });
  });

  it.each([0, 2])(
    'keeps the lag of a badly interleaved track across a common jump (after %i s)',
    (jumpAfterSeconds) => {
      const timeline = new Timeline();
      let lagMs = 0;
      for (let t = 0; t < 10_000; t += 100) {
        const raw = t < jumpAfterSeconds * 1000 + 5_000 ? t : t + 1_000_000;
        feed(timeline, [[V, raw + 3_000, t]]);
        const [audio] = feed(timeline, [[A, raw, t]]);
        lagMs = ms(timeline.newestUs) - audio!;
      }
      expect(lagMs).toBeGreaterThan(2_900);
      expect(lagMs).toBeLessThan(3_100);
    },
  );

  it('holds a track that begins seconds before the stream at 0 until it is in step', () => {
    const timeline = new Timeline();
    const out: number[] = [];
    for (let t = 0; t < 5_000; t += 100) {
      feed(timeline, [[V, t + 3_000, t]]);
      out.push(...feed(timeline, [[A, t, t]]));
    }
    expect([out[0], out[29], out[30], out[31], out[49]]).toEqual([0, 0, 0, 100, 1_900]);
    expect(timeline.jumps).toBe(0);
  });

  it('lets a track that rested and came back with another clock catch up with the others', () => {
    const timeline = new Timeline();
    feed(timeline, [
      [V, 0],
      [A, 0],
    ]);
    for (let t = 40; t < 60_000; t += 40) feed(timeline, [[V, t]]);
    const [audio] = feed(timeline, [[A, 5_000_000, 60_000]]);
    expect(Math.abs(audio! - ms(timeline.newestUs))).toBeLessThan(100);
  });

  it('puts a second track on the clock of the first when it is near it, and at the present otherwise', () => {
    const near = new Timeline();
    expect(
      feed(near, [
        [V, 1_000, 0],
        [A, 1_010, 10],
      ]),
    ).toEqual([0, 10]);
    expect(
      feed(near, [
        [V, 1_040, 40],
        [A, 1_030, 41],
      ]),
    ).toEqual([40, 30]);
    const far = new Timeline();
    expect(
      feed(far, [
        [V, 1_000, 0],
        [V, 1_040, 40],
        [A, 900_000, 41],
        [A, 900_020, 61],
      ]),
    ).toEqual([0, 40, 40, 60]);
  });

  it('starts no track before 0', () => {
    expect(
      feed(new Timeline(), [
        [V, 1_000, 0],
        [A, 970, 1],
        [A, 990, 21],
        [A, 1_010, 41],
      ]),
    ).toEqual([0, 0, 0, 10]);
  });

  it('goes on 10 ms after the last frame when a new publisher takes over, whatever its clock', () => {
    const timeline = new Timeline();
    feed(timeline, [
      [V, 0],
      [A, 30],
      [V, 40],
    ]);
    timeline.restart();
    expect(
      feed(timeline, [
        [A, 999_990, 500],
        [V, 1_000_000, 510],
        [A, 1_000_010, 520],
      ]),
    ).toEqual([50, 60, 70]);
    timeline.restart();
    expect(
      feed(timeline, [
        [V, 0, 900],
        [A, 0, 900],
      ]),
    ).toEqual([80, 80]);
    expect(timeline.jumps).toBe(0);
  });

  it('starts at 0 when the publisher before sent nothing', () => {
    const timeline = new Timeline();
    timeline.restart();
    expect(feed(timeline, [[V, 77]])).toEqual([0]);
  });

  const steps = fc.array(
    fc.record({
      slot: fc.constantFrom(V, A, 1, 257),
      raw: fc.oneof(
        fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1),
        fc.nat(2 ** 32 - 1),
        fc.nat(20_000),
      ),
      restMs: fc.oneof(fc.nat(50), fc.nat(100_000)),
      restart: fc.boolean(),
      data: fc.boolean(),
    }),
    { maxLength: 80 },
  );

  it('never goes back within a track and is never negative, whatever comes', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const timeline = new Timeline();
        const newest = new Map<number, number>();
        let newestData = 0;
        let nowMs = 0;
        list.forEach(({ slot, raw, restMs, restart, data }, i) => {
          nowMs += restMs;
          if (restart && i % 7 === 0) timeline.restart();
          const outUs = timeline.toStreamTime(slot, raw * 1000, nowMs);
          expect(Number.isSafeInteger(outUs)).toBe(true);
          expect(outUs).toBeGreaterThanOrEqual(newest.get(slot) ?? 0);
          newest.set(slot, outUs);
          if (!data) return;
          const dataUs = timeline.toDataTime(raw * 1000);
          expect(dataUs).toBeGreaterThanOrEqual(newestData);
          expect(dataUs).toBeLessThanOrEqual(timeline.newestUs + MAX_TRACK_SKEW_US);
          newestData = dataUs;
        });
      }),
    );
  });

  it('changes nothing but the start for a publisher whose clock is sane', () => {
    const sane = fc.record({
      first: fc.nat(2 ** 32 - 1),
      frames: fc.array(fc.record({ slot: fc.constantFrom(V, A), stepMs: fc.nat(400) }), {
        minLength: 1,
        maxLength: 60,
      }),
    });
    fc.assert(
      fc.property(sane, ({ first, frames }) => {
        const timeline = new Timeline();
        let t = 0;
        for (const { slot, stepMs } of frames) {
          t += stepMs;
          const startMs = frames[0]!.stepMs;
          expect(feed(timeline, [[slot, (first + t) % 2 ** 32, t]])).toEqual([t - startMs]);
        }
        expect([timeline.jumps, timeline.levelledFrames]).toEqual([0, 0]);
      }),
    );
  });
});

describe('Timeline, data messages', () => {
  it.each([
    ['are on the clock of the tracks', 2_030, 1_030],
    ['may be a little behind', 1_900, 900],
    ['are now when they carry 0', 0, 1_000],
    ['are now when they are far from the tracks', 900_000, 1_000],
  ])('%s', (_, rawMs, expected) => {
    const timeline = new Timeline();
    feed(timeline, [
      [V, 1_000],
      [V, 2_000],
    ]);
    expect(ms(timeline.toDataTime(rawMs * 1000))).toBe(expected);
  });

  it('are at 0 before the first frame', () => {
    expect(new Timeline().toDataTime(123_000)).toBe(0);
  });

  it('are known across a wrap', () => {
    const timeline = new Timeline();
    feed(timeline, [
      [V, 2 ** 32 - 20, 0],
      [V, 20, 40],
    ]);
    expect(ms(timeline.toDataTime((2 ** 32 - 10) * 1000))).toBe(10);
    expect(ms(timeline.toDataTime(30_000))).toBe(50);
  });

  it.each<JitterAlgorithm>(['zero', 'off'])('are now under %s', (algorithm) => {
    const timeline = new Timeline({ algorithm });
    feed(timeline, [
      [V, 500],
      [V, 540],
    ]);
    expect(timeline.toDataTime(0)).toBe(timeline.newestUs);
  });
});

describe('Timeline, zero and off', () => {
  const frames = [
    [V, 5_000],
    [A, 4_990],
    [V, 90_000],
    [V, 6_000],
  ] as const;

  it('zero starts at 0 and is otherwise as sent, but not negative', () => {
    expect(feed(new Timeline({ algorithm: 'zero' }), frames)).toEqual([0, 0, 85_000, 1_000]);
  });

  it('off is as sent', () => {
    expect(feed(new Timeline({ algorithm: 'off' }), frames)).toEqual([5_000, 4_990, 90_000, 6_000]);
  });

  it.each([
    ['zero', [0, 20, 40]],
    ['off', [2 ** 32 - 10, 2 ** 32 + 10, 2 ** 32 + 30]],
  ] as const)('%s goes on across the wrap', (algorithm, expected) => {
    const timeline = new Timeline({ algorithm });
    expect(
      feed(timeline, [
        [V, 2 ** 32 - 10],
        [A, 10],
        [V, 30],
      ]),
    ).toEqual(expected);
  });

  it('zero goes on after a republish, off takes the new absolute time', () => {
    const zero = new Timeline({ algorithm: 'zero' });
    const off = new Timeline({ algorithm: 'off' });
    for (const timeline of [zero, off]) {
      feed(timeline, [
        [V, 100],
        [V, 140],
      ]);
      timeline.restart();
    }
    expect(
      feed(zero, [
        [V, 7_000],
        [V, 7_040],
      ]),
    ).toEqual([40 + ms(JUMP_STEP_US), 80 + ms(JUMP_STEP_US)]);
    expect(
      feed(off, [
        [V, 10],
        [V, 50],
      ]),
    ).toEqual([10, 50]);
  });

  it('is never negative after a wrap back', () => {
    expect(
      feed(new Timeline({ algorithm: 'off' }), [
        [V, 5],
        [V, 2 ** 32 - 5],
      ]),
    ).toEqual([5, 0]);
    expect(RTMP_WRAP_US).toBe(2 ** 32 * 1000);
  });
});
