import { nodeClock } from '../../io/node-clock.ts';
import type { RouterEnvironment } from '../../sfu/router-environment.ts';
import type { MediaContext } from '../media-handlers.ts';

/** The world as routers of a worker see it. */
export function mediaEnvironment(context: MediaContext): RouterEnvironment {
  return {
    clock: nodeClock,
    unixMs: () => Date.now(),
    random: () => Math.random(),
    notify: (targetId, event, data) => context.notify(targetId, event, data),
    notifyPayload: (targetId, event, data, payload) => context.notify(targetId, event, data, payload),
  };
}
