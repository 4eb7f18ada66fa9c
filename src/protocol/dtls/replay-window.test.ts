import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REPLAY_WINDOW_RECORDS, ReplayWindow } from './replay-window.ts';

describe('ReplayWindow', () => {
  it.each([0, 1, 31, 32, 127, 128, 32_767, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 200])(
    'takes each number once from %d',
    (start) => {
      const window = new ReplayWindow();
      for (let i = 0; i < 150; i++) {
        expect(window.isTaken(start + i)).toBe(false);
        window.take(start + i);
        expect(window.isTaken(start + i)).toBe(true);
      }
    },
  );

  it('has taken what lies further back than its size', () => {
    const window = new ReplayWindow();
    window.take(1000);
    expect(window.isTaken(1000 - REPLAY_WINDOW_RECORDS + 1)).toBe(false);
    expect(window.isTaken(1000 - REPLAY_WINDOW_RECORDS)).toBe(true);
    expect(window.isTaken(0)).toBe(true);
  });

  it('agrees with a list of all numbers', () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: -200, max: 40 }), fc.integer({ min: 100, max: 1000 })));
    fc.assert(
      fc.property(steps, (jumps) => {
        const window = new ReplayWindow();
        const taken = new Set<number>();
        let highest = -1;
        for (const jump of jumps) {
          const number = Math.max(0, highest + jump);
          const expected = taken.has(number) || number <= highest - REPLAY_WINDOW_RECORDS;
          expect(window.isTaken(number)).toBe(expected);
          if (expected) continue;
          window.take(number);
          taken.add(number);
          highest = Math.max(highest, number);
        }
      }),
    );
  });
});
