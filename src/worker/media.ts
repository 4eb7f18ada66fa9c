import { RequestError } from './channel/request-errors.ts';
import type { MediaEntity, MediaHandlersFactory } from './media-handlers.ts';

/**
 * The media side this build of the worker has: routers that can be created, dumped and closed. What is asked of them
 * besides is answered with an error.
 */
export const createMedia: MediaHandlersFactory = () => ({
  createRouter: (routerId) => emptyRouter(routerId),
  createWebRtcServer: () => {
    throw new RequestError('WebRTC servers are not available in this worker');
  },
  close: () => undefined,
});

function emptyRouter(id: string): MediaEntity {
  return {
    request: ({ method }) => {
      if (method !== 'router.dump') throw new RequestError(`method '${method}' is not available in this worker`);
      return {
        id,
        transportIds: [],
        rtpObserverIds: [],
        mapProducerIdConsumerIds: [],
        mapConsumerIdProducerId: [],
        mapProducerIdObserverIds: [],
        mapDataProducerIdDataConsumerIds: [],
        mapDataConsumerIdDataProducerId: [],
      };
    },
    close: () => undefined,
  };
}
