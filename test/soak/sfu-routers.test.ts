import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GrowthTrial } from '../integration/mediasoup/api-growth.ts';

/** What compiled code and caches may still take after the warm-up, bytes. */
const ALLOWED_GROWTH_BYTES = 1_500_000;
/** The allocator keeps what it once had; it may not go on taking. */
const ALLOWED_RESIDENT_BYTES = 30_000_000;

describe('1,000 routers with ten transports each, made and closed', () => {
  let trial: GrowthTrial;

  beforeEach(async () => {
    trial = await GrowthTrial.start();
  });

  afterEach(() => trial.close());

  it('leave no memory, socket, timer, handler or listener behind', async () => {
    await trial.run(300);
    const before = await trial.holding();
    await trial.run(1000);
    const after = await trial.holding(before.files);
    expect(after.files).toBe(before.files);
    expect(after.worker.timers).toBeLessThanOrEqual(before.worker.timers);
    expect(after.handlers).toEqual(before.handlers);
    expect(after.subscribedIds).toEqual([String(trial.worker.pid)]);
    expect(after.listeners).toBe(before.listeners);
    expect(after.worker.heapBytes - before.worker.heapBytes).toBeLessThan(ALLOWED_GROWTH_BYTES);
    expect(after.worker.bufferBytes - before.worker.bufferBytes).toBeLessThan(ALLOWED_GROWTH_BYTES);
    expect(after.control.heapBytes - before.control.heapBytes).toBeLessThan(ALLOWED_GROWTH_BYTES);
    expect(after.residentBytes - before.residentBytes).toBeLessThan(ALLOWED_RESIDENT_BYTES);
  });
});
