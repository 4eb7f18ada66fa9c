import { performance } from 'node:perf_hooks';
import type { Clock } from '../media/clock.ts';

/** Node runs a timer of more than this at once, milliseconds (24.8 days). */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** The real clock. Its timers do not keep the process alive. */
export const nodeClock: Clock = {
  nowMs: () => performance.now(),
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(delayMs, LONGEST_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (task) => queueMicrotask(task),
};
