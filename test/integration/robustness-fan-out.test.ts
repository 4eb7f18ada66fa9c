import { describe, it } from 'vitest';
import { expectUndisturbed, tryFanOut } from './robustness/fan-out-trial.ts';

describe('100 viewers that do not read', () => {
  it('change the latency of 100 others by less than 10 %, and leave no memory behind', {
    timeout: 120_000,
  }, async () => {
    const trial = await tryFanOut({ latency: 'realtime', viewers: 100, windowMs: 1000, minRounds: 5, maxRounds: 15 });
    expectUndisturbed(trial);
  });
});
