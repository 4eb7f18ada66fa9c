import type { ProtocolError } from '../../wire/errors.ts';
import type { ReconfigurationEvent } from './stream-reconfiguration.ts';

/** What an association tells. Handle in order. */
export type SctpEvent =
  /** One packet for the layer below; the bytes are the receiver's of the event. */
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** Data flows. Streams that may be sent on and those the peer may send on. */
  | { readonly type: 'connected'; readonly outboundStreams: number; readonly inboundStreams: number }
  /** The peer began anew: what it had not acknowledged is lost, all sequence numbers start again. */
  | { readonly type: 'restarted'; readonly outboundStreams: number; readonly inboundStreams: number }
  | SctpMessageEvent
  | ReconfigurationEvent
  /** What waits on a stream has fallen to its threshold. */
  | { readonly type: 'buffered-amount-low'; readonly streamId: number }
  /** Ended in good order by either side, or aborted by ours. Nothing follows but answers to a peer that has not heard. */
  | { readonly type: 'closed' }
  /** Ended by the peer's ABORT, a limit or a dead path. Nothing follows. */
  | { readonly type: 'failed'; readonly error: ProtocolError };

/** A whole message. The bytes are the receiver's of the event. */
export interface SctpMessageEvent {
  readonly type: 'message';
  readonly streamId: number;
  readonly ppid: number;
  readonly isUnordered: boolean;
  readonly bytes: Uint8Array;
}
