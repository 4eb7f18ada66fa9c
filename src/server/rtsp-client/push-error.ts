import { ResourceError } from '../../wire/errors.ts';

/** Why a push over a connection that stood came to nothing, beside `ConnectErrorCode` and `RtspErrorCode`. */
export type PushErrorCode =
  /** RTP carries nothing of the stream, or the server refuses every track of it. */
  | 'push/no-tracks'
  /** Others could read the key of what is to be sent as SRTP. */
  | 'push/key-in-clear'
  /** The server ended the session. */
  | 'push/ended'
  /** The server takes nothing. */
  | 'push/stalled'
  /** Nothing is heard of the server. */
  | 'push/silent'
  /** The server did not say where packets go. */
  | 'push/no-ports'
  /** A fault on this side, or more kinds of viewers than a stream may have. */
  | 'push/failed';

/** A `ResourceError` of a push. */
export function pushError(code: PushErrorCode, message: string): ResourceError {
  return new ResourceError(code, message);
}
