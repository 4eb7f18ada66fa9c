import { ProtocolError } from '../../wire/errors.ts';

/** Why an RTMP session ended by fault of the peer or by a limit. Stable names, for logs and counters. */
export type RtmpErrorCode =
  | 'rtmp/encryption-unsupported'
  | 'rtmp/unsupported-version'
  | 'rtmp/not-rtmp'
  | 'rtmp/proxy-header-too-long'
  | 'rtmp/handshake-timeout'
  | 'rtmp/connect-timeout'
  | 'rtmp/ping-timeout'
  | 'rtmp/setup-timeout'
  | 'rtmp/bad-chunk-header'
  | 'rtmp/chunk-inside-message'
  | 'rtmp/bad-chunk-size'
  | 'rtmp/too-many-chunk-streams'
  | 'rtmp/message-too-large'
  | 'rtmp/too-many-partial-bytes'
  | 'rtmp/bad-control-message'
  | 'rtmp/bad-command'
  | 'rtmp/bad-connect'
  | 'rtmp/too-many-held-messages'
  | 'rtmp/refused'
  | 'rtmp/bad-url';

/** How the session's own caller can misuse it. */
export type RtmpStateErrorCode = 'rtmp/wrong-state' | 'rtmp/no-such-stream';

/** A `ProtocolError` with a code of this area. */
export function rtmpError(code: RtmpErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}
