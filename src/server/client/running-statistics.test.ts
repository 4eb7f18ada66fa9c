import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunningDeviation, RunningSlope } from './running-statistics.ts';

const number = fc.integer({ min: -1_000_000, max: 1_000_000 });

describe('running statistics', () => {
  it('give the deviation that two passes give', () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 1 }), (values) => {
        const running = new RunningDeviation();
        for (const value of values) running.push(value);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        expect(running.standardDeviation).toBeCloseTo(Math.sqrt(squares / values.length), 3);
      }),
    );
  });

  it('find the slope of a line', () => {
    fc.assert(
      fc.property(fc.set(number, { minLength: 2 }), fc.integer({ min: -50, max: 50 }), number, (xs, slope, start) => {
        const running = new RunningSlope();
        for (const x of xs) running.push(x, start + slope * x);
        expect(running.slope).toBeCloseTo(slope, 3);
      }),
    );
  });

  it.each([[[]], [[5]], [[5, 5, 5]]])('have no slope for points at %j', (xs) => {
    const running = new RunningSlope();
    for (const x of xs) running.push(x, 1);
    expect(running.slope).toBeUndefined();
  });

  it('have no deviation for nothing', () => {
    expect(new RunningDeviation().standardDeviation).toBe(0);
  });
});
