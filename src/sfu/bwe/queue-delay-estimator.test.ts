import { describe, expect, it } from 'vitest';
import { QueueDelayEstimator } from './queue-delay-estimator.ts';

function feed(estimator: QueueDelayEstimator, fromMs: number, untilMs: number, delayMs: (ms: number) => number): void {
  for (let ms = fromMs; ms < untilMs; ms += 5) estimator.add(ms * 1000, (ms + delayMs(ms)) * 1000);
}

describe('QueueDelayEstimator', () => {
  it('is 0 before anything arrived and on a path without a queue', () => {
    const estimator = new QueueDelayEstimator();
    expect(estimator.standingUs).toBe(0);
    expect(estimator.baseUs).toBeUndefined();
    feed(estimator, 0, 1000, () => 25);
    expect(estimator.standingUs).toBe(0);
    expect(estimator.baseUs).toBe(25_000);
  });

  it('sees a queue that stands, and not a frame that waits for a moment', () => {
    const estimator = new QueueDelayEstimator();
    feed(estimator, 0, 2000, (ms) => (ms % 33 < 5 ? 25 : 60));
    expect(estimator.standingUs).toBe(0);
    feed(estimator, 2000, 2400, () => 85);
    expect(estimator.standingUs).toBe(60_000);
  });

  it('forgets after ten seconds: a longer path is no queue', () => {
    const estimator = new QueueDelayEstimator();
    feed(estimator, 0, 2000, () => 25);
    feed(estimator, 2000, 10_000, () => 75);
    expect(estimator.standingUs).toBe(50_000);
    feed(estimator, 10_000, 13_500, () => 75);
    expect(estimator.standingUs).toBe(0);
  });

  it('takes the delay of now for the path when told', () => {
    const estimator = new QueueDelayEstimator();
    feed(estimator, 0, 1000, () => 25);
    feed(estimator, 1000, 2000, () => 90);
    estimator.rebase();
    expect(estimator.standingUs).toBe(0);
    estimator.reset();
    estimator.rebase();
    expect(estimator.standingUs).toBe(0);
  });

  it.each([4000, -4000])('begins anew when a clock jumps by %i ms', (jumpMs) => {
    const estimator = new QueueDelayEstimator();
    feed(estimator, 5000, 6000, () => 25);
    feed(estimator, 6000, 7000, () => 25 + jumpMs);
    expect(estimator.standingUs).toBe(0);
  });
});
