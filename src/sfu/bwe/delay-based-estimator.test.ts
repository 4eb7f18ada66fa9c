import { describe, expect, it } from 'vitest';
import { DelayBasedEstimator } from './delay-based-estimator.ts';
import type { PacketResult } from './packet-result.ts';

const bounds = { startBps: 1e6, minBps: 30e3, maxBps: 20e6 };

/** Feeds packets at a rate through a link of another, in feedback every 50 ms. */
class Path {
  #sentUs = 0;
  #freeUs = 0;
  clockUs = 0;
  readonly estimator = new DelayBasedEstimator(bounds);

  run(sendBps: number, linkBps: number, milliseconds: number): void {
    const untilUs = this.#sentUs + milliseconds * 1000;
    while (this.#sentUs < untilUs) {
      const results: PacketResult[] = [];
      const batchUs = this.#sentUs + 50_000;
      while (this.#sentUs < batchUs) {
        this.#freeUs = Math.max(this.#freeUs, this.#sentUs) + (1200 * 8e6) / linkBps;
        const arrivalUs = this.#freeUs + 20_000 + this.clockUs;
        const fixed = { sizeBytes: 1200, probeClusterId: undefined, isRecovered: false, isLate: false };
        results.push({ ...fixed, sequenceNumber: 0, sentUs: this.#sentUs, arrivalUs });
        this.#sentUs += (1200 * 8e6) / sendBps;
      }
      this.estimator.update(results, Math.min(sendBps, linkBps), this.#freeUs + 40_000);
    }
  }

  pause(milliseconds: number): void {
    this.#sentUs += milliseconds * 1000;
  }
}

const context = { isConfirmation: false, isApplicationLimited: false };

describe('DelayBasedEstimator', () => {
  it('grows while nothing waits', () => {
    const path = new Path();
    path.run(1e6, 5e6, 5000);
    expect(path.estimator.usage).toBe('normal');
    expect(path.estimator.estimateBps).toBeGreaterThan(1.3e6);
  });

  it('falls under what the link carries when a queue grows, brakes, and holds until it is gone', () => {
    const path = new Path();
    path.run(2e6, 5e6, 2000);
    path.run(2e6, 1e6, 600);
    expect(path.estimator.isQueueing).toBe(true);
    expect(path.estimator.estimateBps).toBeCloseTo(0.9e6, -3);
    expect(path.estimator.targetBps).toBeLessThan(0.8e6);
    path.run(0.4e6, 1e6, 2000);
    expect(path.estimator.isDraining).toBe(false);
    expect(path.estimator.targetBps).toBe(path.estimator.estimateBps);
  });

  it('takes a standing queue for overuse even when it does not grow', () => {
    const path = new Path();
    path.run(1e6, 5e6, 1000);
    for (let i = 0; i < 60; i++) path.run(1.05e6, 1e6, 50);
    expect(path.estimator.estimateBps).toBeLessThan(1e6);
    expect(path.estimator.standingQueueUs).toBeLessThan(200_000);
  });

  it.each([
    ['a jump of the clock', 100_000_000],
    ['a jump back', -100_000_000],
  ])('is not disturbed by %s', (_, jumpUs) => {
    const path = new Path();
    path.run(1e6, 5e6, 2000);
    const before = path.estimator.estimateBps;
    path.clockUs = jumpUs;
    path.run(1e6, 5e6, 2000);
    expect(path.estimator.estimateBps).toBeGreaterThanOrEqual(before);
    expect(path.estimator.standingQueueUs).toBe(0);
  });

  it('does not compare packets before and after a silence', () => {
    const path = new Path();
    path.run(1e6, 5e6, 2000);
    path.pause(10_000);
    path.clockUs = 80_000;
    path.run(1e6, 5e6, 500);
    expect(path.estimator.standingQueueUs).toBe(0);
  });

  it.each([
    ['takes a first probe as it is', undefined, 3e6, false, 3e6],
    ['takes one that filled the link, even down, when nothing is known', undefined, 0.5e6, true, 0.5e6],
    ['takes a large step as it is', 1e6, 3e6, false, 3e6],
    ['takes a small step over a full link by half', 1e6, 1.4e6, true, 1.2e6],
    ['waits for a second probe for a small step', 1e6, 1.4e6, false, 0.9e6],
    ['does not fall for a probe where the link is known', 1e6, 0.5e6, true, 0.9e6],
  ])('%s', (_, knownBps, bitrateBps, isLinkFull, expectedBps) => {
    const estimator = new DelayBasedEstimator(bounds);
    if (knownBps !== undefined) estimator.onOverflow(knownBps, 0);
    const isTaken = estimator.onProbe({ clusterId: 0, bitrateBps, isLinkFull }, context, 1000);
    expect(estimator.estimateBps).toBe(expectedBps);
    expect(isTaken).toBe(knownBps === undefined || isLinkFull || bitrateBps > 2e6);
  });

  it('takes a confirmed small step by half, and while the source rests a lower rate by half too', () => {
    const estimator = new DelayBasedEstimator(bounds);
    estimator.onOverflow(1e6, 0);
    const result = { clusterId: 0, bitrateBps: 1.4e6, isLinkFull: false };
    expect(estimator.onProbe(result, { ...context, isConfirmation: true }, 1000)).toBe(true);
    expect(estimator.estimateBps).toBe(1.2e6);
    estimator.onProbe(
      { clusterId: 1, bitrateBps: 0.8e6, isLinkFull: true },
      { ...context, isApplicationLimited: true },
      2000,
    );
    expect(estimator.estimateBps).toBe(1e6);
  });
});
