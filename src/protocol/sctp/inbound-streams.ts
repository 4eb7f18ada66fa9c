import { diff16, diff32 } from '../../wire/sequence-number.ts';
import type { WholeMessage } from './fragment-runs.ts';
import { HELD_CHUNK_OVERHEAD_BYTES } from './sctp-limits.ts';

/** Order of one stream's messages. */
interface InboundStream {
  next: number;
  /** Whole messages that wait for earlier ones, by sequence. */
  readonly waiting: Map<number, WholeMessage>;
}

/** What a whole message takes of the window while it waits. */
export function heldSize(message: WholeMessage): number {
  return message.bytes.length + HELD_CHUNK_OVERHEAD_BYTES * message.fragments;
}

/** Puts the ordered messages of all streams in order: SSNs of 16 bits for DATA, MIDs of 32 bits for I-DATA. */
export class InboundStreams {
  readonly #streams = new Map<number, InboundStream>();
  readonly #bits: 16 | 32;
  /** What waiting messages take of the window, bytes. */
  heldBytes = 0;

  constructor(bits: 16 | 32) {
    this.#bits = bits;
  }

  /** Adds an ordered message and appends it, and what waited for it, to `ready`. Messages told before are dropped. */
  add(message: WholeMessage, ready: WholeMessage[]): void {
    const stream = this.#stream(message.streamId);
    if (message.sequence === stream.next) {
      ready.push(message);
      stream.next = this.#after(message.sequence);
      if (stream.waiting.size > 0) this.#release(stream, ready);
      return;
    }
    if (this.#isBefore(message.sequence, stream.next) || stream.waiting.has(message.sequence)) return;
    stream.waiting.set(message.sequence, message);
    this.heldBytes += heldSize(message);
  }

  /** The peer gave up messages up to `sequence`: those of them that are whole are ready, then what follows. */
  skip(streamId: number, sequence: number, ready: WholeMessage[]): void {
    const stream = this.#stream(streamId);
    if (this.#isBefore(sequence, stream.next)) return;
    if (stream.waiting.size > 0) {
      const earlier = [...stream.waiting.keys()].filter((other) => !this.#isBefore(sequence, other));
      earlier.sort((a, b) => (this.#isBefore(a, b) ? -1 : 1));
      for (const other of earlier) this.#give(stream, other, ready);
    }
    stream.next = this.#after(sequence);
    this.#release(stream, ready);
  }

  /** Sequence numbers start again from 0, in all streams when `streamIds` is empty. Messages that wait are dropped. */
  reset(streamIds: readonly number[]): void {
    const ids = streamIds.length === 0 ? [...this.#streams.keys()] : streamIds;
    for (const id of ids) {
      const stream = this.#streams.get(id);
      if (stream === undefined) continue;
      for (const message of stream.waiting.values()) this.heldBytes -= heldSize(message);
      this.#streams.delete(id);
    }
  }

  #stream(id: number): InboundStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = { next: 0, waiting: new Map() };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  #release(stream: InboundStream, ready: WholeMessage[]): void {
    while (this.#give(stream, stream.next, ready)) stream.next = this.#after(stream.next);
  }

  #give(stream: InboundStream, sequence: number, ready: WholeMessage[]): boolean {
    const message = stream.waiting.get(sequence);
    if (message === undefined) return false;
    stream.waiting.delete(sequence);
    this.heldBytes -= heldSize(message);
    ready.push(message);
    return true;
  }

  #isBefore(a: number, b: number): boolean {
    return this.#bits === 16 ? diff16(a, b) < 0 : diff32(a, b) < 0;
  }

  #after(sequence: number): number {
    return this.#bits === 16 ? (sequence + 1) & 0xffff : (sequence + 1) >>> 0;
  }
}
