import { nodeClock } from '../../io/node-clock.ts';
import type { RouterEnvironment } from '../../sfu/router-environment.ts';
import type { MediaContext } from '../media-handlers.ts';

/** The world as routers of a worker see it. */
export function mediaEnvironment(context: MediaContext): RouterEnvironment {
  return {
    clock: nodeClock,
    // What a socket has read is handed on in one turn of Node; these run at its end.
    afterBurst: (task) => queueMicrotask(task),
    unixMs: () => Date.now(),
    random: () => Math.random(),
    notify: (targetId, event, data) => context.notify(targetId, event, data),
    notifyPayload: (targetId, event, data, payload) => context.notify(targetId, event, data, payload),
  };
}
