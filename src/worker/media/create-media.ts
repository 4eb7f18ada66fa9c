import { RequestError } from '../channel/request-errors.ts';
import type { MediaHandlersFactory } from '../media-handlers.ts';
import { RouterHandler } from './router-handler.ts';

/** The media side of a worker: routers with their transports. */
export const createMedia: MediaHandlersFactory = (context) => ({
  createRouter: (routerId) => new RouterHandler(routerId, context),
  createWebRtcServer: () => {
    throw new RequestError('WebRTC servers are not available in this worker');
  },
  close: () => undefined,
});
