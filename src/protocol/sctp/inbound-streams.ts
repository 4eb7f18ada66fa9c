import { diff16, diff32 } from '../../wire/sequence-number.ts';
import type { WholeMessage } from './fragment-runs.ts';
import { HELD_CHUNK_OVERHEAD_BYTES } from './sctp-limits.ts';

/** What a whole message takes of the window while it waits. */
export function heldSize(message: WholeMessage): number {
  return message.bytes.length + HELD_CHUNK_OVERHEAD_BYTES * message.fragments;
}

/** Puts the ordered messages of all streams in order: SSNs of 16 bits for DATA, MIDs of 32 bits for I-DATA. */
export class InboundStreams {
  /** What comes next in each stream that is not at 0: a peer may have 65,535 of them, so each is a number only. */
  readonly #next = new Map<number, number>();
  /** Whole messages that wait for earlier ones, by stream and sequence. Never an empty one. */
  readonly #waiting = new Map<number, Map<number, WholeMessage>>();
  readonly #bits: 16 | 32;
  /** What waiting messages take of the window, bytes. */
  heldBytes = 0;

  constructor(bits: 16 | 32) {
    this.#bits = bits;
  }

  /** Adds an ordered message and appends it, and what waited for it, to `ready`. Messages told before are dropped. */
  add(message: WholeMessage, ready: WholeMessage[]): void {
    const { streamId, sequence } = message;
    const next = this.#next.get(streamId) ?? 0;
    if (sequence === next) {
      ready.push(message);
      this.#next.set(streamId, this.#after(sequence));
      if (this.#waiting.size > 0) this.#release(streamId, ready);
      return;
    }
    if (this.#isBefore(sequence, next)) return;
    let waiting = this.#waiting.get(streamId);
    if (waiting === undefined) {
      waiting = new Map();
      this.#waiting.set(streamId, waiting);
    } else if (waiting.has(sequence)) return;
    waiting.set(sequence, message);
    this.heldBytes += heldSize(message);
  }

  /** The peer gave up messages up to `sequence`: those of them that are whole are ready, then what follows. */
  skip(streamId: number, sequence: number, ready: WholeMessage[]): void {
    if (this.#isBefore(sequence, this.#next.get(streamId) ?? 0)) return;
    const waiting = this.#waiting.get(streamId);
    if (waiting !== undefined) {
      const earlier = [...waiting.keys()].filter((other) => !this.#isBefore(sequence, other));
      earlier.sort((a, b) => (this.#isBefore(a, b) ? -1 : 1));
      for (const other of earlier) this.#give(streamId, waiting, other, ready);
    }
    this.#next.set(streamId, this.#after(sequence));
    this.#release(streamId, ready);
  }

  /** Sequence numbers start again from 0, in all streams when `streamIds` is empty. Messages that wait are dropped. */
  reset(streamIds: readonly number[]): void {
    if (streamIds.length === 0) {
      this.#next.clear();
      this.#waiting.clear();
      this.heldBytes = 0;
      return;
    }
    for (const id of streamIds) {
      for (const message of this.#waiting.get(id)?.values() ?? []) this.heldBytes -= heldSize(message);
      this.#waiting.delete(id);
      this.#next.delete(id);
    }
  }

  #release(streamId: number, ready: WholeMessage[]): void {
    const waiting = this.#waiting.get(streamId);
    if (waiting === undefined) return;
    let next = this.#next.get(streamId) ?? 0;
    while (this.#give(streamId, waiting, next, ready)) next = this.#after(next);
    this.#next.set(streamId, next);
  }

  #give(streamId: number, waiting: Map<number, WholeMessage>, sequence: number, ready: WholeMessage[]): boolean {
    const message = waiting.get(sequence);
    if (message === undefined) return false;
    waiting.delete(sequence);
    if (waiting.size === 0) this.#waiting.delete(streamId);
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
