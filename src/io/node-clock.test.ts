import { afterEach, describe, expect, it, vi } from 'vitest';
import { nodeClock } from './node-clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('nodeClock.after', () => {
  it.each([2 ** 31, 1e15, Number.POSITIVE_INFINITY])('does not run a task at once that is due in %d ms', (delayMs) => {
    vi.useFakeTimers();
    const task = vi.fn();
    const cancel = nodeClock.after(delayMs, task);
    vi.advanceTimersByTime(60_000);
    expect(task).not.toHaveBeenCalled();
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});
