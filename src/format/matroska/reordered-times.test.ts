import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReorderedTimes, reorderDepthOf } from './reordered-times.ts';

function decodeTimes(pts: readonly number[], depth: number, frameUs = 40): number[] {
  const times = new ReorderedTimes(depth, frameUs);
  return pts.map((one) => times.next(one));
}

describe('reorderDepthOf', () => {
  it.each([
    ['no reordering', [0, 40, 80], 0],
    ['one B picture at a time', [0, 80, 40, 160, 120], 1],
    ['a pyramid', [0, 160, 80, 40, 120, 320, 240, 200, 280], 2],
    ['nothing', [], 0],
  ])('of %s', (_name, pts, depth) => {
    expect(reorderDepthOf(pts)).toBe(depth);
  });
});

describe('ReorderedTimes', () => {
  it.each([
    ['a pyramid', [80, 240, 160, 120, 200, 400, 320, 280, 360], 2, [0, 40, 80, 120, 160, 200, 240, 280, 320]],
    ['no reordering', [0, 40, 80], 0, [0, 40, 80]],
    ['a start at 0, in front of which is nothing', [0, 160, 80, 40, 120], 2, [0, 0, 0, 40, 80]],
    ['a depth that was said too low', [0, 160, 80, 40], 1, [0, 0, 80, 40]],
  ])('of %s', (_name, pts, depth, dts) => {
    expect(decodeTimes(pts, depth)).toEqual(dts);
  });

  it('begins anew after a reset', () => {
    const times = new ReorderedTimes(1, 40);
    for (const pts of [0, 80, 40]) times.next(pts);
    times.reset();
    expect([1000, 1080, 1040].map((pts) => times.next(pts))).toEqual([960, 1000, 1040]);
  });

  it('never steps back and never passes presentation, when the depth is right', () => {
    const streams = fc.integer({ min: 1, max: 60 }).chain((count) => {
      const shuffle = fc.array(fc.nat(3), { minLength: count, maxLength: count });
      // Each picture is decoded at most a few places from where it is shown.
      return shuffle.map((noise) =>
        noise
          // The first picture is shown first.
          .map((late, i) => ({ pts: i * 40, order: i === 0 ? 0 : i + late }))
          .toSorted((a, b) => a.order - b.order)
          .map(({ pts }) => pts),
      );
    });
    fc.assert(
      fc.property(streams, (pts) => {
        const dts = decodeTimes(pts, reorderDepthOf(pts));
        for (const [i, one] of dts.entries()) {
          expect(one).toBeLessThanOrEqual(pts[i]!);
          if (i > 0) expect(one).toBeGreaterThanOrEqual(dts[i - 1]!);
        }
      }),
    );
  });
});
