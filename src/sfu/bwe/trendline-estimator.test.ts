import { describe, expect, it } from 'vitest';
import { TREND_WINDOW_GROUPS, TrendlineEstimator } from './trendline-estimator.ts';

function slopeOf(growthMs: (group: number) => number, groups = 200): number {
  const trendline = new TrendlineEstimator();
  let arrivalMs = 0;
  for (let i = 0; i < groups; i++) {
    const arrivalDeltaMs = 10 + growthMs(i);
    arrivalMs += arrivalDeltaMs;
    trendline.update(10, arrivalDeltaMs, arrivalMs);
  }
  return trendline.slope;
}

describe('TrendlineEstimator', () => {
  it.each([
    ['a steady delay', () => 0, 0],
    ['a queue that grows by 1 ms in 11', () => 1, 1 / 11],
    ['a queue that shrinks by 1 ms in 9', () => -1, -1 / 9],
    ['jitter around a steady delay', (i: number) => (i % 2 === 0 ? 3 : -3), 0],
  ])('sees %s', (_, growthMs, expected) => {
    expect(slopeOf(growthMs)).toBeCloseTo(expected, 2);
  });

  it('says nothing before the window is full', () => {
    expect(slopeOf(() => 5, TREND_WINDOW_GROUPS - 1)).toBe(0);
  });

  it('weighs the slope by the groups seen', () => {
    const trendline = new TrendlineEstimator();
    const trends = Array.from({ length: 100 }, (_, i) => trendline.update(10, 11, i * 11));
    expect(trends[0]).toBe(0);
    expect(trends[99]).toBeCloseTo(60 * 4 * (1 / 11), 0);
  });

  it('survives groups that all arrive at one time, and endless growth', () => {
    const trendline = new TrendlineEstimator();
    for (let i = 0; i < 100; i++) expect(trendline.update(10, 0, 5)).toBe(0);
    for (let i = 0; i < 100; i++) expect(Number.isFinite(trendline.update(0, 1e8, i * 1e8))).toBe(true);
  });
});
