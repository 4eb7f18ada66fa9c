import type { ChannelReliability, DataChannelOpen } from './data-channel-message.ts';
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
/** Where pieces are first put. */
const FIRST_PIECES_BYTES = 1024;

/** What the peer may make all channels of an association keep together: bytes, or characters of texts. */
export class ChannelRoom {
  #free: number;

  constructor(size: number) {
    this.#free = size;
  }

  get free(): number {
    return this.#free;
  }

  /** @returns false, and takes nothing, when there is not so much */
  take(size: number): boolean {
    if (size > this.#free) return false;
    this.#free -= size;
    return true;
  }

  giveBack(size: number): void {
    this.#free += size;
  }
}

/** A data channel (RFC 8831 §6): its parameters, its state, and the pieces of messages of older implementations. */
export class DataChannel {
  readonly init: DataChannelInit;
  state: DataChannelState = 'connecting';
  /** Directions of the stream that are reset while closing. */
  isOutgoingReset = false;
  isIncomingReset = false;
  /** Pieces so far, one behind the other: a list of them could cost a hundred times what is in it. */
  #pieces: Uint8Array = noBytes;
  #piecesBytes = 0;
  /** A message was too large: nothing is taken any more. */
  #isFull = false;
  readonly #maxMessageBytes: number;
  readonly #room: ChannelRoom;

  /** @param room for the pieces of all channels of the association */
  constructor(init: DataChannelInit, maxMessageBytes: number, room: ChannelRoom) {
    this.init = init;
    this.#maxMessageBytes = maxMessageBytes;
    this.#room = room;
  }

  get id(): number {
    return this.init.id;
  }

  /**
   * Takes what came with a PPID that is not 50. Undefined for a piece of a message (PPIDs 52 and 54), `too-large` when the
   * pieces are more than a message may have or there is room for, and for everything behind them, `unknown` for other PPIDs.
   */
  take(ppid: number, bytes: Uint8Array): ChannelMessage | undefined | 'too-large' | 'unknown' {
    if (this.#isFull) return 'too-large';
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
        return this.#addPiece(bytes) ? undefined : this.#refuse();
      default:
        return 'unknown';
    }
  }

  /** Gives back what pieces have taken: the channel is over. */
  forget(): void {
    this.#room.giveBack(this.#pieces.length);
    this.#pieces = noBytes;
    this.#piecesBytes = 0;
  }

  #addPiece(bytes: Uint8Array): boolean {
    const end = this.#piecesBytes + bytes.length;
    if (end > this.#maxMessageBytes) return false;
    if (end > this.#pieces.length) {
      const sizeBytes = Math.min(Math.max(end, 2 * this.#pieces.length, FIRST_PIECES_BYTES), this.#maxMessageBytes);
      if (!this.#room.take(sizeBytes - this.#pieces.length)) return false;
      const grown = new Uint8Array(sizeBytes);
      grown.set(this.#pieces);
      this.#pieces = grown;
    }
    this.#pieces.set(bytes, this.#piecesBytes);
    this.#piecesBytes = end;
    return true;
  }

  #refuse(): 'too-large' {
    this.#isFull = true;
    this.forget();
    return 'too-large';
  }

  #whole(kind: DataChannelKind, bytes: Uint8Array): ChannelMessage | 'too-large' {
    if (this.#piecesBytes === 0) return { kind, bytes };
    if (this.#piecesBytes + bytes.length > this.#maxMessageBytes) return this.#refuse();
    const joined = new Uint8Array(this.#piecesBytes + bytes.length);
    joined.set(this.#pieces.subarray(0, this.#piecesBytes));
    joined.set(bytes, this.#piecesBytes);
    this.forget();
    return { kind, bytes: joined };
  }
}

/** The channel a peer opens on a stream. */
export function toInit(id: number, { reliability, priority, label, protocol }: DataChannelOpen): DataChannelInit {
  return { id, label, protocol, priority, isNegotiated: false, ...reliability };
}

/** PPID and bytes with which a message goes out: SCTP has no empty messages (RFC 8831 §6.6). */
export function toUserMessage(
  kind: DataChannelKind,
  bytes: Uint8Array,
): { readonly ppid: number; readonly bytes: Uint8Array } {
  if (bytes.length > 0) return { ppid: DATA_CHANNEL_PPID[kind], bytes };
  return { ppid: DATA_CHANNEL_PPID[kind === 'string' ? 'stringEmpty' : 'binaryEmpty'], bytes: Uint8Array.of(0) };
}
