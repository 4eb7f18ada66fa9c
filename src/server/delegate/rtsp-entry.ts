/** An RTSP server to be embedded, without any media of its own (subpath `millrace/rtsp`). */

export type { ListenErrorCode } from '../../io/tcp-listener.ts';
export { RtspHeaders } from '../../protocol/rtsp/rtsp-headers.ts';
export type {
  InterleavedFrame,
  RtspRequest,
  RtspResponse,
  StartLineProtocol,
} from '../../protocol/rtsp/rtsp-message.ts';
export { writeInterleavedFrame } from '../../protocol/rtsp/rtsp-message-writer.ts';
export { ConfigError, MillraceError, ProtocolError, ResourceError, StateError } from '../../wire/errors.ts';
export type { RawInputHandler } from './delegate-connection.ts';
export type { AdoptOptions, TakenSocket } from './delegate-server.ts';
export {
  type OutgoingHeaders,
  type RtspAnswer,
  type RtspDelegate,
  RtspDelegateServer,
  type RtspDelegateServerOptions,
  type RtspServerRequest,
} from './rtsp-delegate-server.ts';
export type {
  DelegateConfigErrorCode,
  DelegateServerCounters,
  DelegateServerOptions,
  DelegateStateErrorCode,
  Endpoint,
  ServerDelegate,
  TlsCertificate,
} from './server-delegate.ts';
