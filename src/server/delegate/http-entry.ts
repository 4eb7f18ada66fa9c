/** An HTTP server to be embedded, with bounded queues and a delegate that answers when it likes (subpath `millrace/http`). */

export type { ListenErrorCode } from '../../io/tcp-listener.ts';
export type { HttpRequest } from '../../protocol/http1/http-request.ts';
export type { HttpStateErrorCode } from '../../protocol/http1/http-response.ts';
export { ConfigError, MillraceError, ProtocolError, ResourceError, StateError } from '../../wire/errors.ts';
export type { RawInputHandler } from './delegate-connection.ts';
export type { AdoptOptions, TakenSocket } from './delegate-server.ts';
export {
  type HttpAnswer,
  type HttpDelegate,
  HttpDelegateServer,
  type HttpDelegateServerOptions,
} from './http-delegate-server.ts';
export type {
  DelegateConfigErrorCode,
  DelegateServerCounters,
  DelegateServerOptions,
  DelegateStateErrorCode,
  Endpoint,
  ServerDelegate,
  TlsCertificate,
} from './server-delegate.ts';
