import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diff16, diff32, isAfter16, isAfter32, unwrap16, unwrap32 } from './sequence-number.ts';

const WIDTHS = [
  { bits: 16, diff: diff16, isAfter: isAfter16, unwrap: unwrap16 },
  { bits: 32, diff: diff32, isAfter: isAfter32, unwrap: unwrap32 },
];

describe.each(WIDTHS)('numbers of $bits bits', ({ bits, diff, isAfter, unwrap }) => {
  const size = 2 ** bits;
  const half = size / 2;
  const starts = [0, 1, half - 1, half, size - 1];

  describe.each(starts)('from %d', (start) => {
    it.each([0, 1, 2, 1000, half - 1])('are ahead by %d', (step) => {
      const later = (start + step) % size;
      expect(diff(later, start)).toBe(step);
      expect(diff(start, later)).toBe(step === 0 ? 0 : -step);
      expect(isAfter(later, start)).toBe(step > 0);
      expect(isAfter(start, later)).toBe(false);
    });

    it('have no order when half the circle apart', () => {
      const opposite = (start + half) % size;
      expect(diff(opposite, start)).toBe(-half);
      expect(diff(start, opposite)).toBe(-half);
      expect(isAfter(opposite, start)).toBe(false);
      expect(isAfter(start, opposite)).toBe(false);
    });

    it.each([-5 * size, -size, -1, 0, 1, 7 * size + 3])('unwrap near %d', (offset) => {
      const reference = offset + start;
      for (const step of [-half, -1, 0, 1, half - 1]) {
        const value = (((reference + step) % size) + size) % size;
        expect(unwrap(value, reference)).toBe(reference + step);
      }
    });

    it('count on over many wraps', () => {
      let last = start;
      const stride = Math.floor(size / 3);
      for (let i = 1; i <= 30; i++) {
        last = unwrap((start + i * stride) % size, last);
        expect(last).toBe(start + i * stride);
      }
    });
  });

  it('unwrap to the nearest number that is the same modulo the width', () => {
    const safe = Number.MAX_SAFE_INTEGER - size;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: size - 1 }), fc.integer({ min: -safe, max: safe }), (value, reference) => {
        const unwrapped = unwrap(value, reference);
        expect(Math.abs(unwrapped - reference)).toBeLessThanOrEqual(half);
        expect((((unwrapped % size) + size) % size) - value).toBe(0);
      }),
    );
  });
});
