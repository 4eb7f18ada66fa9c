import { nodeClock } from '../../io/node-clock.ts';
import type { RouterEnvironment } from '../../sfu/router-environment.ts';
import type { MediaContext } from '../media-handlers.ts';
import { MomentTimers } from './moment-timers.ts';

/** Of all routers in this process. */
const timers = new MomentTimers({
  nowMs: () => nodeClock.nowMs(),
  after: (delayMs, task) => nodeClock.after(delayMs, task),
  nextTurn: (task) => void setImmediate(task),
});

/**
 * The wall clock where ours began. Machines set theirs now and then: what is told by this one does not leap, whoever holds
 * it against RTP timestamps, or takes round trips from it.
 */
const unixAtZeroMs = Date.now() - nodeClock.nowMs();

/** The world as routers of a worker see it. @param nextPacketId of the worker */
export function mediaEnvironment(context: MediaContext, nextPacketId: () => number): RouterEnvironment {
  return {
    clock: { nowMs: () => nodeClock.nowMs(), timer: (task) => timers.timer(task) },
    // What a socket has read is handed on in one turn of Node; these run at its end.
    afterBurst: (task) => queueMicrotask(task),
    unixMs: () => unixAtZeroMs + nodeClock.nowMs(),
    random: () => Math.random(),
    nextPacketId,
    notify: (targetId, event, data) => context.notify(targetId, event, data),
    notifyPayload: (targetId, event, data, payload) => context.notify(targetId, event, data, payload),
  };
}
