import { describe, expect, it } from 'vitest';
import { QueueDrain } from './queue-drain.ts';

const queue = (standingMs: number, throughputBps: number | undefined = 1e6, isOverusing = false) => ({
  standingUs: standingMs * 1000,
  throughputBps,
  isOverusing,
});

describe('QueueDrain', () => {
  it.each([
    [0, false],
    [25, false],
    [35, true],
    [500, true],
  ])('with a standing queue of %i ms on 1 Mb/s drains: %s', (standingMs, expected) => {
    const drain = new QueueDrain();
    drain.update(queue(standingMs), 0);
    expect(drain.isDraining).toBe(expected);
    expect(Number.isFinite(drain.limitBps)).toBe(expected);
  });

  it('sends less the longer the queue, never nothing', () => {
    const limits = [40, 100, 200, 300, 1000, 10_000].map((standingMs) => {
      const drain = new QueueDrain();
      drain.update(queue(standingMs), 0);
      return drain.limitBps;
    });
    expect(limits).toEqual([...limits].sort((a, b) => b - a));
    expect(limits[0]).toBeLessThanOrEqual(950e3);
    expect(limits.at(-1)).toBe(250e3);
  });

  it('allows for a packet on a slow link', () => {
    const drain = new QueueDrain();
    drain.update(queue(45, 300e3), 0);
    expect(drain.isDraining).toBe(false);
  });

  it('ends when the queue is short', () => {
    const drain = new QueueDrain();
    drain.update(queue(100), 0);
    drain.update(queue(10), 100_000);
    expect(drain.isDraining).toBe(false);
    expect(drain.limitBps).toBe(Number.POSITIVE_INFINITY);
  });

  it('gives up on a queue that stays for three seconds', () => {
    const drain = new QueueDrain();
    expect(drain.update(queue(100), 0)).toBe(false);
    expect(drain.update(queue(100), 2_900_000)).toBe(false);
    expect(drain.update(queue(100), 3_100_000)).toBe(true);
    expect(drain.isDraining).toBe(false);
  });

  it('corrects the capacity down only while the queue grows', () => {
    const drain = new QueueDrain();
    drain.update(queue(100, 1e6), 0);
    const before = drain.limitBps;
    drain.update(queue(100, 500e3), 50_000);
    expect(drain.limitBps).toBeGreaterThan(before * 0.9);
    drain.update(queue(100, 500e3, true), 100_000);
    expect(drain.limitBps).toBeLessThan(before * 0.6);
  });

  it('waits until the throughput is known', () => {
    const drain = new QueueDrain();
    drain.update({ standingUs: 200_000, throughputBps: undefined, isOverusing: true }, 0);
    expect(drain.isDraining).toBe(false);
  });
});
