import { ProtocolError, StateError } from '../../wire/errors.ts';

/** Why RTSP input or a session ended by fault of the peer or by a limit. Stable names, for logs and counters. */
export type RtspErrorCode =
  | 'rtsp/header-too-large'
  | 'rtsp/too-many-headers'
  | 'rtsp/body-too-large'
  | 'rtsp/unsupported-transfer-encoding'
  | 'rtsp/bad-tunnel-data'
  | 'rtsp/malformed-response'
  | 'rtsp/bad-description'
  | 'rtsp/bad-redirect'
  | 'rtsp/unauthorized'
  | 'rtsp/refused'
  | 'rtsp/session-lost'
  | 'rtsp/response-timeout';

/** How callers of this area can misuse it. */
export type RtspStateErrorCode =
  | 'rtsp/wrong-state'
  | 'rtsp/bad-header-name'
  | 'rtsp/bad-message'
  | 'rtsp/frame-too-large'
  | 'rtsp/too-many-requests';

/** A `ProtocolError` with a code of this area. */
export function rtspError(code: RtspErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}

/** A `StateError` with a code of this area. */
export function rtspStateError(code: RtspStateErrorCode, message: string): StateError {
  return new StateError(code, message);
}
