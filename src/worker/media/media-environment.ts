import { nodeClock } from '../../io/node-clock.ts';
import type { RouterEnvironment } from '../../sfu/router-environment.ts';
import type { MediaContext } from '../media-handlers.ts';

/** Timers of at least so many milliseconds wait for the next of these moments: many then end in one turn. */
const LONG_TIMER_MS = 100;
const MOMENT_MS = 20;

function afterMoment(delayMs: number, task: () => void): () => void {
  if (delayMs < LONG_TIMER_MS) return nodeClock.after(delayMs, task);
  const nowMs = nodeClock.nowMs();
  const momentMs = Math.ceil((nowMs + delayMs) / MOMENT_MS) * MOMENT_MS;
  // Node counts from the beginning of its turn, in whole milliseconds: what was early would have to wait once more.
  return nodeClock.after(Math.ceil(momentMs - nowMs) + 1, task);
}

/** The world as routers of a worker see it. @param nextPacketId of the worker */
export function mediaEnvironment(context: MediaContext, nextPacketId: () => number): RouterEnvironment {
  return {
    clock: { nowMs: () => nodeClock.nowMs(), after: afterMoment },
    // What a socket has read is handed on in one turn of Node; these run at its end.
    afterBurst: (task) => queueMicrotask(task),
    unixMs: () => Date.now(),
    random: () => Math.random(),
    nextPacketId,
    notify: (targetId, event, data) => context.notify(targetId, event, data),
    notifyPayload: (targetId, event, data, payload) => context.notify(targetId, event, data, payload),
  };
}
