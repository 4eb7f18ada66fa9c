import { describe, expect, it } from 'vitest';
import { LossFraction } from './loss-fraction.ts';

const packets = (arrived: number, lost: number): (number | undefined)[] => [
  ...Array.from({ length: arrived }, (_, index) => index),
  ...Array.from({ length: lost }, () => undefined),
];

describe('the fraction of lost packets', () => {
  it('is unknown before there are any', () => {
    expect(new LossFraction().value).toBeUndefined();
  });

  it.each([
    [packets(10, 0), 0],
    [packets(30, 10), 0.25],
    [packets(0, 4), 1],
  ])('is that of what was told', (arrivals, expected) => {
    const loss = new LossFraction();
    loss.add(arrivals);
    expect(loss.value).toBe(expected);
  });

  it('forgets', () => {
    const loss = new LossFraction();
    loss.add(packets(0, 400));
    for (let i = 0; i < 20; i++) loss.add(packets(300, 0));
    expect(loss.value).toBeLessThan(0.001);
  });
});
