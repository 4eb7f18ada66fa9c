import { performance } from 'node:perf_hooks';
import type { Clock } from '../media/clock.ts';

/** The real clock. Its timers do not keep the process alive. */
export const nodeClock: Clock = {
  nowMs: () => performance.now(),
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (task) => queueMicrotask(task),
};
