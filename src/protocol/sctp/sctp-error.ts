import { ProtocolError, StateError } from '../../wire/errors.ts';

/** Why an association failed by fault of the peer, of the path or by a limit. Stable names, for logs and counters. */
export type SctpErrorCode =
  | 'sctp/setup-timeout'
  | 'sctp/path-failed'
  | 'sctp/shutdown-timeout'
  | 'sctp/aborted-by-peer'
  | 'sctp/bad-setup'
  | 'sctp/stale-cookie'
  | 'sctp/protocol-violation'
  | 'sctp/no-user-data'
  | 'sctp/message-too-large'
  | 'sctp/receive-buffer-overflow';

/** How the association's own caller can misuse it, or what it cannot have now. */
export type SctpStateErrorCode =
  | 'sctp/wrong-state'
  | 'sctp/closed'
  | 'sctp/message-empty'
  | 'sctp/message-too-large-to-send'
  | 'sctp/send-buffer-full'
  | 'sctp/no-such-stream'
  | 'sctp/no-reconfiguration'
  | 'sctp/packet-size'
  | 'sctp/no-such-channel'
  | 'sctp/channel-in-use'
  | 'sctp/channel-parameters'
  | 'sctp/no-free-channel';

/** A `ProtocolError` with a code of this area. */
export function sctpError(code: SctpErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}

/** A `StateError` with a code of this area. */
export function sctpStateError(code: SctpStateErrorCode, message: string): StateError {
  return new StateError(code, message);
}
