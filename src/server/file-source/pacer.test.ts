import { describe, expect, it } from 'vitest';
import { MAX_PACED_STEP_MS, Pacer } from './pacer.ts';

const never = new AbortController().signal;

async function waited(pacer: Pacer, timestamp: number): Promise<number> {
  const startMs = performance.now();
  await pacer.due(timestamp, never);
  return performance.now() - startMs;
}

describe('pacer', () => {
  it('gives the first timestamp at once and the next in its time, never early', async () => {
    const pacer = new Pacer();
    const startMs = performance.now();
    expect(await waited(pacer, 70_000)).toBeLessThan(1_000);
    await pacer.due(70_040, never);
    await pacer.due(70_080, never);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(78);
  });

  it.each([MAX_PACED_STEP_MS + 1, -MAX_PACED_STEP_MS - 1])('does not wait for a hole of %d ms', async (step) => {
    const pacer = new Pacer();
    await pacer.due(100_000, never);
    expect(await waited(pacer, 100_000 + step)).toBeLessThan(1_000);
    expect(await waited(pacer, 100_000 + step + 60)).toBeGreaterThan(50);
  });

  it('begins anew after a pause', async () => {
    const pacer = new Pacer();
    await pacer.due(0, never);
    pacer.restart();
    expect(await waited(pacer, 5_000)).toBeLessThan(1_000);
  });

  it('says when it was interrupted', async () => {
    const abort = new AbortController();
    const pacer = new Pacer();
    expect(await pacer.due(0, abort.signal)).toBe(true);
    const waiting = pacer.due(9_000, abort.signal);
    abort.abort();
    expect(await waiting).toBe(false);
    expect(await pacer.due(0, abort.signal)).toBe(false);
  });
});
