import { nodeDtlsCrypto } from '../../io/dtls-crypto.ts';
import type { DtlsCertificate } from '../../protocol/dtls/dtls-certificate.ts';
import { createSelfSignedCertificate } from '../../protocol/dtls/self-signed-certificate.ts';
import { NotFoundError } from '../channel/request-errors.ts';
import { readCertificate } from '../check-settings.ts';
import type { MediaHandlersFactory } from '../media-handlers.ts';
import { IcePorts } from './ice-ports.ts';
import { readListenInfo } from './listen-sockets.ts';
import { RequestData } from './request-data.ts';
import { RouterHandler } from './router-handler.ts';
import { WebRtcServerHandler } from './webrtc-handler.ts';

/** The media side of a worker: routers with their transports, and WebRTC servers. */
export const createMedia: MediaHandlersFactory = (context) => {
  const { rtcMinPort: min, rtcMaxPort: max } = context.settings;
  const servers = new Map<string, WebRtcServerHandler>();
  let certificate: DtlsCertificate | undefined;
  let packetId = 0;
  const shared = {
    certificate: (): DtlsCertificate => {
      certificate ??=
        readCertificate(context.settings) ??
        createSelfSignedCertificate({ crypto: nodeDtlsCrypto, wallClockMs: Date.now() });
      return certificate;
    },
    webRtcServer: (id: string): WebRtcServerHandler => {
      const server = servers.get(id);
      if (server === undefined) throw new NotFoundError(`there is no WebRtcServer with id "${id}"`);
      return server;
    },
    nextPacketId: (): number => {
      packetId = (packetId + 1) >>> 0;
      return packetId;
    },
  };
  return {
    createRouter: (routerId) => new RouterHandler(routerId, context, shared),
    createWebRtcServer: async (webRtcServerId, data) => {
      const infos = new RequestData(data).list('listenInfos').map(readListenInfo);
      const server = new WebRtcServerHandler(webRtcServerId, await IcePorts.open(infos, { min, max }));
      servers.set(webRtcServerId, server);
      return {
        request: (request) => server.request(request),
        close: () => {
          servers.delete(webRtcServerId);
          server.close();
        },
      };
    },
    close: () => undefined,
  };
};
