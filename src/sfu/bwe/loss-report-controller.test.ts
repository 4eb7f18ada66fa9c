import { describe, expect, it } from 'vitest';
import { LossReportController } from './loss-report-controller.ts';

function rateAfter(losses: readonly number[], stepUs = 1_000_000): number {
  const controller = new LossReportController(1e6);
  losses.forEach((loss, i) => {
    controller.onReport(loss, 50_000, i * stepUs);
  });
  return controller.targetBps;
}

describe('LossReportController', () => {
  it.each([
    ['grows by 8 % a second without loss', [0, 0], 1.081e6],
    ['holds between 2 and 10 %', [0.05, 0.1, 0.02], 1e6],
    ['falls by half of the loss above', [0.2, 0.2], 0.81e6],
    ['halves when all is lost', [1], 0.5e6],
    ['takes nonsense for the nearest value', [Number.NaN, -5], 1.081e6],
    ['takes more than all for all', [7], 0.5e6],
  ])('%s', (_, losses, expected) => {
    expect(rateAfter(losses)).toBeCloseTo(expected, -2);
  });

  it('falls once in a round trip and 300 ms', () => {
    expect(rateAfter([0.2, 0.2, 0.2], 100_000)).toBe(0.9e6);
  });

  it('follows what others know while there is no loss', () => {
    const controller = new LossReportController(1e6);
    controller.setEstimate(3e6);
    expect(controller.targetBps).toBe(3e6);
    controller.onReport(0.3, 0, 0);
    controller.setEstimate(9e6);
    expect(controller.targetBps).toBeLessThan(3e6);
    controller.bound(1e6, 2e6);
    expect(controller.targetBps).toBe(2e6);
  });
});
