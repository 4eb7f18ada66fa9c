import type { ChannelReliability } from './data-channel-message.ts';
import { DATA_CHANNEL_PPID } from './data-channel-message.ts';

/** Where a channel stands: `connecting` until the peer's DATA_CHANNEL_ACK, `closing` until both sides have reset it. */
export type DataChannelState = 'connecting' | 'open' | 'closing' | 'closed';

/** What a data channel is. */
export interface DataChannelInit extends ChannelReliability {
  /** The stream of both directions. */
  readonly id: number;
  readonly label: string;
  readonly protocol: string;
  readonly priority: number;
  /** Both sides made it by agreement elsewhere, without DATA_CHANNEL_OPEN. */
  readonly isNegotiated: boolean;
}

/** Text (UTF-8) or bytes. */
export type DataChannelKind = 'string' | 'binary';

/** A message of a channel. */
export interface ChannelMessage {
  readonly kind: DataChannelKind;
  readonly bytes: Uint8Array;
}

const noBytes = new Uint8Array(0);

/** A data channel (RFC 8831 §6): its parameters, its state, and the pieces of messages of older implementations. */
export class DataChannel {
  readonly init: DataChannelInit;
  state: DataChannelState = 'connecting';
  /** Directions of the stream that are reset while closing. */
  isOutgoingReset = false;
  isIncomingReset = false;
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  readonly #maxMessageBytes: number;

  constructor(init: DataChannelInit, maxMessageBytes: number) {
    this.init = init;
    this.#maxMessageBytes = maxMessageBytes;
  }

  get id(): number {
    return this.init.id;
  }

  /**
   * Takes what came with a PPID that is not 50. Undefined for a piece of a message (PPIDs 52 and 54), `too-large` when the
   * pieces are more than a message may have, `unknown` for other PPIDs.
   */
  take(ppid: number, bytes: Uint8Array): ChannelMessage | undefined | 'too-large' | 'unknown' {
    switch (ppid) {
      case DATA_CHANNEL_PPID.string:
        return this.#whole('string', bytes);
      case DATA_CHANNEL_PPID.binary:
        return this.#whole('binary', bytes);
      case DATA_CHANNEL_PPID.stringEmpty:
        return { kind: 'string', bytes: noBytes };
      case DATA_CHANNEL_PPID.binaryEmpty:
        return { kind: 'binary', bytes: noBytes };
      case DATA_CHANNEL_PPID.stringPartial:
      case DATA_CHANNEL_PPID.binaryPartial:
        this.#pieces.push(bytes);
        this.#piecesBytes += bytes.length;
        return this.#piecesBytes > this.#maxMessageBytes ? 'too-large' : undefined;
      default:
        return 'unknown';
    }
  }

  #whole(kind: DataChannelKind, bytes: Uint8Array): ChannelMessage | 'too-large' {
    if (this.#pieces.length === 0) return { kind, bytes };
    const joined = new Uint8Array(this.#piecesBytes + bytes.length);
    if (joined.length > this.#maxMessageBytes) return 'too-large';
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    joined.set(bytes, at);
    this.#pieces = [];
    this.#piecesBytes = 0;
    return { kind, bytes: joined };
  }
}

/** PPID and bytes with which a message goes out: SCTP has no empty messages (RFC 8831 §6.6). */
export function toUserMessage(
  kind: DataChannelKind,
  bytes: Uint8Array,
): { readonly ppid: number; readonly bytes: Uint8Array } {
  if (bytes.length > 0) return { ppid: DATA_CHANNEL_PPID[kind], bytes };
  return { ppid: DATA_CHANNEL_PPID[kind === 'string' ? 'stringEmpty' : 'binaryEmpty'], bytes: Uint8Array.of(0) };
}
