import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GrowthTrial } from './api-growth.ts';

describe('routers with ten transports each, made and closed', () => {
  let trial: GrowthTrial;

  beforeEach(async () => {
    trial = await GrowthTrial.start();
  });

  afterEach(() => trial.close());

  // The soak test looks at memory, too.
  it('leave no socket, timer, handler or listener behind', { timeout: 60_000 }, async () => {
    await trial.run(5);
    const before = await trial.holding();
    const router = await trial.open();
    const during = await trial.holding();
    router.close();
    await trial.run(50);
    const after = await trial.holding(before.files);
    // What is compared below is seen while it is there.
    expect(during.files).toBe(before.files + 8);
    expect(during.worker.timers).toBeGreaterThan(before.worker.timers);
    expect(during.handlers.length).toBeGreaterThanOrEqual(before.handlers.length + 30);
    expect(after.files).toBe(before.files);
    expect(after.worker.timers).toBeLessThanOrEqual(before.worker.timers);
    expect(after.handlers).toEqual(before.handlers);
    expect(after.subscribedIds).toEqual([String(trial.worker.pid)]);
    expect(after.listeners).toBe(before.listeners);
    expect(trial.worker.routersForTesting.size).toBe(0);
  });
});
