import { diff32, unwrap16 } from '../../wire/sequence-number.ts';
import { MAX_STORED_PACKETS } from './packet-store.ts';

const INITIAL_SLOTS = 64;
const MAX_SLOTS = 4096;

/** Why a packet that was asked for is not sent again, or that it may be. */
export type RetransmissionVerdict =
  | 'allowed'
  /** It was never sent, or is too old. */
  | 'unknown'
  /** It was sent again less than a round trip ago: that one may be under way. */
  | 'too-soon'
  /** More was sent again than the receiver may ask for. */
  | 'too-many';

/**
 * What was sent to one receiver, under the numbers it knows, and what it takes to send it again: where the packet lies in
 * the store of its producer, and what was rewritten in it. Holds no packets. Memory grows to what the stream needs, at
 * most 36 bytes for each of 4,096.
 */
export class RetransmissionBuffer {
  readonly #maxAgeMs: number;
  /** Counted on without an end; slots by the low bits. */
  #newest: number | undefined;
  #numbers = new Int32Array(0);
  #storeIndexes = new Float64Array(0);
  #timestamps = new Uint32Array(0);
  #rewritten = new Uint32Array(0);
  #sentMs = new Float64Array(0);
  #resentMs = new Float64Array(0);
  /** Where `find` found. */
  #found = 0;
  #isFirst = true;

  /** @param maxAgeMs how long packets may be asked for, as their store holds them */
  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  /** Slots there is memory for. */
  get capacity(): number {
    return this.#numbers.length;
  }

  /**
   * Notes a packet that is sent.
   * @param sequenceNumber as sent
   * @param storeIndex in the `PacketStore` of the producer
   * @param timestamp as sent
   * @param rewritten what else its sender needs to make it the same again, 32 bits of its choice
   */
  add(sequenceNumber: number, storeIndex: number, timestamp: number, rewritten: number, nowMs: number): void {
    const number = this.#newest === undefined ? sequenceNumber : unwrap16(sequenceNumber, this.#newest);
    const newest = Math.max(number, this.#newest ?? number);
    if (newest - number >= MAX_STORED_PACKETS) return;
    this.#newest = newest;
    while (this.#numbers.length < MAX_SLOTS && this.#isTaken(number, nowMs)) this.#grow(nowMs);
    const slot = number & (this.#numbers.length - 1);
    // A late one does not push out a newer one.
    if (this.#sentMs[slot]! >= 0 && diff32(this.#numbers[slot]!, number) > 0) return;
    this.#numbers[slot] = number;
    this.#storeIndexes[slot] = storeIndex;
    this.#timestamps[slot] = timestamp;
    this.#rewritten[slot] = rewritten;
    this.#sentMs[slot] = nowMs;
    this.#resentMs[slot] = -1;
  }

  /**
   * Whether a packet may be sent again now; if so it counts as sent, and the getters tell of it until the next call.
   * @param rttMs it is answered once in so long
   */
  take(sequenceNumber: number, nowMs: number, rttMs: number): RetransmissionVerdict {
    if (this.#newest === undefined) return 'unknown';
    const number = unwrap16(sequenceNumber, this.#newest);
    const slot = number & (this.#numbers.length - 1);
    const isKnown = number > this.#newest - MAX_STORED_PACKETS && this.#numbers[slot] === (number | 0);
    if (!isKnown || this.#sentMs[slot]! < 0 || nowMs - this.#sentMs[slot]! > this.#maxAgeMs) return 'unknown';
    if (this.#resentMs[slot]! >= 0 && nowMs - this.#resentMs[slot]! <= rttMs) return 'too-soon';
    this.#found = slot;
    this.#isFirst = this.#resentMs[slot]! < 0;
    this.#resentMs[slot] = nowMs;
    return 'allowed';
  }

  /** Where the packet lies in its `PacketStore`. */
  get storeIndex(): number {
    return this.#storeIndexes[this.#found]!;
  }

  /** The timestamp it was sent with. */
  get timestamp(): number {
    return this.#timestamps[this.#found]!;
  }

  /** What `add` was given. */
  get rewritten(): number {
    return this.#rewritten[this.#found]!;
  }

  /** Whether it is sent again for the first time. */
  get isFirstRetransmission(): boolean {
    return this.#isFirst;
  }

  /** Forgets all and gives the memory back. */
  clear(): void {
    this.#newest = undefined;
    this.#allocate(0);
  }

  /** Whether there is no room, or another packet that may still be asked for stands there. */
  #isTaken(number: number, nowMs: number): boolean {
    if (this.#numbers.length === 0) return true;
    const slot = number & (this.#numbers.length - 1);
    const sentMs = this.#sentMs[slot]!;
    return sentMs >= 0 && this.#numbers[slot] !== (number | 0) && nowMs - sentMs <= this.#maxAgeMs;
  }

  #grow(nowMs: number): void {
    const [numbers, storeIndexes, timestamps] = [this.#numbers, this.#storeIndexes, this.#timestamps];
    const [rewritten, sentMs, resentMs] = [this.#rewritten, this.#sentMs, this.#resentMs];
    this.#allocate(Math.max(INITIAL_SLOTS, numbers.length * 2));
    const mask = this.#numbers.length - 1;
    for (let i = 0; i < numbers.length; i++) {
      if (sentMs[i]! < 0 || nowMs - sentMs[i]! > this.#maxAgeMs) continue;
      const slot = numbers[i]! & mask;
      this.#numbers[slot] = numbers[i]!;
      this.#storeIndexes[slot] = storeIndexes[i]!;
      this.#timestamps[slot] = timestamps[i]!;
      this.#rewritten[slot] = rewritten[i]!;
      this.#sentMs[slot] = sentMs[i]!;
      this.#resentMs[slot] = resentMs[i]!;
    }
  }

  #allocate(slots: number): void {
    this.#numbers = new Int32Array(slots);
    this.#storeIndexes = new Float64Array(slots);
    this.#timestamps = new Uint32Array(slots);
    this.#rewritten = new Uint32Array(slots);
    this.#sentMs = new Float64Array(slots).fill(-1);
    this.#resentMs = new Float64Array(slots).fill(-1);
  }
}
