import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexedRing } from './indexed-ring.ts';

describe('IndexedRing', () => {
  it('behaves as an array that remembers what was shifted off', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.nat(5).map((n) => ({ append: n })),
            fc.nat(40).map((n) => ({ drop: n })),
          ),
          { maxLength: 200 },
        ),
        fc.nat(1000),
        (steps, start) => {
          const ring = new IndexedRing<number>(start);
          const model: number[] = [];
          let first = start;
          for (const step of steps) {
            if ('append' in step) {
              for (let i = 0; i < step.append; i++) expect(ring.append(i)).toBe(first + model.push(i) - 1);
            } else {
              const count = Math.min(step.drop, model.length);
              model.splice(0, count);
              first += count;
              ring.dropBefore(first);
            }
            expect(ring.first).toBe(first);
            expect(ring.end).toBe(first + model.length);
          }
          expect(model.map((_, i) => ring.at(first + i))).toEqual(model);
          expect(ring.at(first - 1)).toBeUndefined();
          expect(ring.at(ring.end)).toBeUndefined();
        },
      ),
    );
  });

  it('does not go back when asked to drop what is gone already', () => {
    const ring = new IndexedRing<string>();
    ring.append('a');
    ring.append('b');
    ring.dropBefore(1);
    ring.dropBefore(0);
    expect(ring.first).toBe(1);
    ring.dropBefore(99);
    expect([ring.first, ring.end]).toEqual([2, 2]);
  });
});
