import { type HandshakeFragment, type HandshakeMessage, MAX_HANDSHAKE_MESSAGE_BYTES } from './handshake-message.ts';
import type { Epoch } from './record-layer.ts';

/** Messages ahead of the next one that are kept, messages: more than any flight has. */
export const MAX_MESSAGES_AHEAD = 8;
/** Most bytes of incomplete and early messages that are kept. */
export const MAX_REASSEMBLY_BYTES = 65_536;
/** Most separate pieces a message may be in at a time. */
export const MAX_PIECES = 64;

/** What became of a fragment. */
export type FragmentFate =
  /** Kept, or known already. */
  | 'kept'
  /** Of a message that has been given out. */
  | 'old'
  /** Contradicts what is there, or is too far ahead. */
  | 'refused'
  /** Its message is longer than `MAX_HANDSHAKE_MESSAGE_BYTES`. */
  | 'too-large';

interface PartialMessage {
  readonly type: number;
  readonly epoch: Epoch;
  readonly body: Uint8Array;
  /** Which bytes are there: start and end of each piece in order, no two of them touching. */
  pieces: readonly number[];
  isComplete: boolean;
}

/** Puts messages together from fragments in any order, doubled or overlapping (RFC 6347 §4.2.3). */
export class HandshakeReassembly {
  readonly #partial = new Map<number, PartialMessage>();
  #keptBytes = 0;
  #next: number;

  constructor(firstMessageSequence: number) {
    this.#next = firstMessageSequence;
  }

  /** Sequence number of the message `take` gives next. */
  get nextMessageSequence(): number {
    return this.#next;
  }

  /** Copies the fragment. One of a later epoch replaces what came of its message in clear. */
  add(fragment: HandshakeFragment, epoch: Epoch): FragmentFate {
    const { messageSequence, messageBytes, offset, body } = fragment;
    if (messageSequence < this.#next) return 'old';
    if (messageBytes > MAX_HANDSHAKE_MESSAGE_BYTES) return 'too-large';
    if (messageSequence > this.#next + MAX_MESSAGES_AHEAD) return 'refused';
    // An empty piece of a message that isn't empty says nothing.
    if (body.length === 0 && messageBytes > 0) return 'kept';
    const message = this.#messageOf(fragment, epoch);
    if (message === undefined) return 'refused';
    if (message.isComplete) return 'kept';
    const pieces = withPiece(message.pieces, offset, offset + body.length);
    if (pieces.length > 2 * MAX_PIECES) return 'refused';
    message.body.set(body, offset);
    message.pieces = pieces;
    message.isComplete = messageBytes === 0 || (pieces[0] === 0 && pieces[1] === messageBytes);
    return 'kept';
  }

  /** The next message once it is complete, and the epoch it came in. Its body is the caller's. */
  take(): (HandshakeMessage & { readonly epoch: Epoch }) | undefined {
    const message = this.#partial.get(this.#next);
    if (message?.isComplete !== true) return undefined;
    this.#forget(this.#next, message);
    return { type: message.type, epoch: message.epoch, messageSequence: this.#next++, body: message.body };
  }

  /** Forgets what has come of later messages. */
  clear(): void {
    this.#partial.clear();
    this.#keptBytes = 0;
  }

  #messageOf(fragment: HandshakeFragment, epoch: Epoch): PartialMessage | undefined {
    const { type, messageSequence, messageBytes } = fragment;
    const known = this.#partial.get(messageSequence);
    if (known !== undefined && known.epoch >= epoch) {
      const isSame = known.epoch === epoch && known.type === type && known.body.length === messageBytes;
      return isSame ? known : undefined;
    }
    if (known !== undefined) this.#forget(messageSequence, known);
    // The next message always fits: those ahead of it give way.
    if (messageSequence === this.#next && this.#keptBytes + messageBytes > MAX_REASSEMBLY_BYTES) this.clear();
    if (this.#keptBytes + messageBytes > MAX_REASSEMBLY_BYTES) return undefined;
    const message = { type, epoch, body: new Uint8Array(messageBytes), pieces: [], isComplete: false };
    this.#partial.set(messageSequence, message);
    this.#keptBytes += messageBytes;
    return message;
  }

  #forget(messageSequence: number, message: PartialMessage): void {
    this.#partial.delete(messageSequence);
    this.#keptBytes -= message.body.length;
  }
}

/** The pieces with one more, joined with those it touches. */
function withPiece(pieces: readonly number[], start: number, end: number): readonly number[] {
  const joined: number[] = [];
  let from = start;
  let to = end;
  let i = 0;
  for (; i < pieces.length && pieces[i + 1]! < from; i += 2) joined.push(pieces[i]!, pieces[i + 1]!);
  for (; i < pieces.length && pieces[i]! <= to; i += 2) {
    from = Math.min(from, pieces[i]!);
    to = Math.max(to, pieces[i + 1]!);
  }
  joined.push(from, to, ...pieces.slice(i));
  return joined;
}
