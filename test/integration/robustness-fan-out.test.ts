import { describe, it } from 'vitest';
import { expectUndisturbed, tryFanOut } from './robustness/fan-out-trial.ts';

/**
 * A coarse bound for a short run beside other tests: windows of the same load differ by more than a tenth here. The 10 %
 * that the slow-viewer contract promises for 500 viewers are for test/soak/fan-out.test.ts to show.
 */
const COARSE_RATIO = 1.25;

describe('100 viewers that do not read', () => {
  it('change the median latency of 100 others by less than 25 %, and leave no memory behind', {
    timeout: 300_000,
  }, async () => {
    const trial = await tryFanOut({ latency: 'realtime', viewers: 100, windowMs: 1000, roundCount: 5 });
    expectUndisturbed(trial, { p50: COARSE_RATIO });
  });
});
