import { describe, expect, it } from 'vitest';
import { MAX_ARRIVALS, ThroughputEstimator } from './throughput-estimator.ts';

describe('ThroughputEstimator', () => {
  it.each([
    [300e3, 1200],
    [1e6, 500],
    [10e6, 1200],
    [100e6, 1200],
  ])('measures %i bits a second in packets of %i bytes', (bps, sizeBytes) => {
    const estimator = new ThroughputEstimator();
    const gapUs = (sizeBytes * 8e6) / bps;
    for (let i = 0; i * gapUs < 2e6; i++) estimator.add(i * gapUs, sizeBytes);
    expect(estimator.bitrateBps! / bps).toBeCloseTo(1, 2);
  });

  it('says nothing before there is enough', () => {
    const estimator = new ThroughputEstimator();
    expect(estimator.bitrateBps).toBeUndefined();
    estimator.add(0, 1000);
    estimator.add(10_000, 1000);
    expect(estimator.bitrateBps).toBeUndefined();
  });

  it('follows a drop within a third of a second', () => {
    const estimator = new ThroughputEstimator();
    for (let us = 0; us < 1e6; us += 3200) estimator.add(us, 1200);
    for (let us = 1e6; us < 1.33e6; us += 19_200) estimator.add(us, 1200);
    expect(estimator.bitrateBps).toBeLessThan(700e3);
  });

  it('begins anew after a second without packets or a clock that jumps back', () => {
    for (const jumpUs of [1.1e6, -5e6]) {
      const estimator = new ThroughputEstimator();
      for (let us = 0; us < 1e6; us += 3200) estimator.add(us, 1200);
      estimator.add(1e6 + jumpUs, 1200);
      expect(estimator.bitrateBps).toBeUndefined();
    }
  });

  it('counts a packet that was overtaken at the time of its successor', () => {
    const estimator = new ThroughputEstimator();
    for (let i = 0; i < 200; i++) estimator.add(i * 5000 - (i % 5 === 0 ? 12_000 : 0), 625);
    expect(estimator.bitrateBps! / 1e6).toBeCloseTo(1, 1);
  });

  it('holds a bounded number of arrivals', () => {
    const estimator = new ThroughputEstimator();
    for (let i = 0; i < MAX_ARRIVALS * 3; i++) estimator.add(i * 10, 100);
    expect(estimator.bitrateBps! / 80e6).toBeCloseTo(1, 2);
  });
});
