import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeTimes, MAX_REORDER_DEPTH, OBSERVED_FRAMES, type ReorderDepth } from './rtp-ingest-decode-times.ts';

const FRAME_US = 40_000;
const START_US = 10_000_000;

function told(frames: number): ReorderDepth {
  return { frames, isTold: true };
}

/** Decode and presentation times, in frames from the start, of pictures shown in these places. */
function timesOf(times: DecodeTimes, places: readonly number[]): { readonly dts: number[]; readonly pts: number[] } {
  const dts: number[] = [];
  const pts: number[] = [];
  for (const place of places) {
    times.accept(START_US + place * FRAME_US);
    dts.push((times.dtsUs - START_US) / FRAME_US);
    pts.push((times.ptsUs - START_US) / FRAME_US);
  }
  return { dts, pts };
}

/** Groups of an anchor and the pictures in front of it: `order` is where they are shown, from 1 on. */
function groups(order: readonly number[], count: number): number[] {
  const places = [0];
  for (let i = 0; i < count; i++) places.push(...order.map((place) => i * order.length + place));
  return places;
}

describe('decode times', () => {
  it.each([
    ['no reordering', 0, [1]],
    ['one B picture', 1, [2, 1]],
    ['two B pictures', 1, [3, 1, 2]],
    ['a pyramid of three', 2, [4, 2, 1, 3]],
    ['a pyramid of seven', 3, [8, 4, 2, 1, 3, 6, 5, 7]],
  ])('with %s are the presentation times, as many frames earlier as pictures are reordered', (_fact, depth, order) => {
    const places = groups(order, 20);
    const { dts, pts } = timesOf(new DecodeTimes(told(depth), 25), places);
    expect(pts).toEqual(places);
    expect(dts).toEqual(places.map((_, i) => i - depth));
  });

  it.each([
    ['a pyramid of three, guessed as one', 1, [4, 2, 1, 3]],
    ['a pyramid of seven, guessed as none', 0, [8, 4, 2, 1, 3, 6, 5, 7]],
  ])('recover from %s', (_fact, guess, order) => {
    const times = new DecodeTimes({ frames: guess, isTold: false }, 25);
    const places = groups(order, 40);
    const { dts, pts } = timesOf(times, places);
    const first = 2 * order.length;
    expect(pts.slice(first)).toEqual(places.slice(first));
    expect(dts.slice(first)).toEqual(places.map((_, i) => i - times.depth).slice(first));
  });

  it('stop running ahead when no picture was reordered for a while', () => {
    const times = new DecodeTimes({ frames: 2, isTold: false }, 25);
    const places = Array.from({ length: OBSERVED_FRAMES + 20 }, (_, i) => i);
    const { dts } = timesOf(times, places);
    expect(dts.slice(0, 4)).toEqual([-2, -1, 0, 1]);
    expect(dts.slice(OBSERVED_FRAMES)).toEqual(places.slice(OBSERVED_FRAMES));
    expect(times.depth).toBe(0);
  });

  it.each([-3600, -200, 400])('begin anew when the clock jumps by %d frames', (jump) => {
    const before = groups([4, 2, 1, 3], 5);
    const after = before.map((place) => place + 21 + jump);
    const { dts, pts } = timesOf(new DecodeTimes(told(2), 25), [...before, ...after]);
    expect(pts).toEqual([...before, ...after]);
    expect(dts.slice(before.length)).toEqual(after.map((_, i) => i + 19 + jump));
  });

  it('go on through losses', () => {
    const places = groups([4, 2, 1, 3], 50).filter((_, i) => i % 7 !== 3);
    const { dts, pts } = timesOf(new DecodeTimes(told(2), 25), places);
    expect(pts).toEqual(places);
    for (const [i, time] of dts.entries()) {
      expect(time).toBeLessThanOrEqual(pts[i]!);
      expect(time).toBeGreaterThanOrEqual(dts[i - 1] ?? -2);
      expect(pts[i]! - time).toBeLessThanOrEqual(8);
    }
  });

  it('never exceed presentation times nor go back within a clock, whatever comes', () => {
    const step = fc.integer({ min: -70, max: 240 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.nat(20), fc.boolean(), (steps, frames, isTold) => {
        const times = new DecodeTimes({ frames, isTold }, 30);
        let ptsUs = START_US;
        let dtsUs = Number.NEGATIVE_INFINITY;
        for (const by of steps) {
          ptsUs = Math.max(ptsUs + by * FRAME_US, START_US);
          times.accept(ptsUs);
          expect(times.dtsUs).toBeLessThanOrEqual(times.ptsUs);
          expect(times.ptsUs).toBeGreaterThanOrEqual(ptsUs);
          // Steps of more than 3 s back are another clock.
          if (times.ptsUs === ptsUs && times.dtsUs < dtsUs) expect(by).toBeLessThan(0);
          dtsUs = times.dtsUs;
        }
        expect(times.depth).toBeLessThanOrEqual(MAX_REORDER_DEPTH);
      }),
    );
  });
});
