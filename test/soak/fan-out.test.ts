import { describe, it } from 'vitest';
import { expectUndisturbed, tryFanOut } from '../integration/robustness/fan-out-trial.ts';

describe.each(['realtime', 'normal'] as const)('500 viewers that do not read, with latency: %s', (latency) => {
  it('change the latency of 500 others by less than 10 %, and leave no memory behind', {
    timeout: 600_000,
  }, async () => {
    const trial = await tryFanOut({ latency, viewers: 500, windowMs: 3000, roundCount: 12 });
    expectUndisturbed(trial, { p50: 1.1, p99: 1.1 });
  });
});
