import { unwrap16 } from '../../wire/sequence-number.ts';

/** Most packets that are asked for at a time; with more missing, a key frame mends it sooner. */
export const MAX_NACK_LIST = 1000;
/** A packet is asked for so often. */
export const MAX_NACK_RETRIES = 10;
/** Packets so far behind the newest are given up. */
export const MAX_NACK_AGE = 10_000;
/** A packet must have been missing for so long, milliseconds: most were overtaken, not lost. */
export const NACK_INITIAL_DELAY_MS = 10;
/** From one request for a packet to the next at least this, or the round trip where that is longer, milliseconds. */
export const NACK_INTERVAL_MS = 40;

const MAX_KEY_FRAMES = 16;
const INITIAL_RTT_MS = 100;

/** What a packet was to a `NackGenerator`. */
export type NackArrival =
  /** Newer than all before. */
  | 'newest'
  /** One that was missing and had not been asked for. */
  | 'late'
  /** One that had been asked for. */
  | 'repaired'
  /** One that is not missing: it came before, or was given up. */
  | 'unexpected';

/**
 * Which packets of a stream to ask for again (RFC 4585 §6.2.1): those missing before the newest. Its memory is fixed. When
 * more are missing than it holds, those before a key frame are given up, and when that is not enough, all, and a key frame
 * is wanted.
 */
export class NackGenerator {
  readonly #initialDelayMs: number;
  #newest: number | undefined;
  #rttMs = INITIAL_RTT_MS;
  /** The missing ones in ascending order, counted on without an end. */
  readonly #numbers = new Float64Array(MAX_NACK_LIST);
  readonly #dueMs = new Float64Array(MAX_NACK_LIST);
  readonly #retries = new Uint8Array(MAX_NACK_LIST);
  #length = 0;
  #nextDueMs = Number.POSITIVE_INFINITY;
  #keyFrames: number[] = [];
  #isKeyFrameWanted = false;
  #givenUp = 0;

  /** @param initialDelayMs default `NACK_INITIAL_DELAY_MS` */
  constructor(initialDelayMs: number = NACK_INITIAL_DELAY_MS) {
    this.#initialDelayMs = initialDelayMs;
  }

  /** Packets that are missing and still asked for. */
  get length(): number {
    return this.#length;
  }

  /** Packets that were given up. */
  get givenUp(): number {
    return this.#givenUp;
  }

  /** Notes how long an answer takes. */
  setRtt(rttMs: number): void {
    if (rttMs >= 0 && Number.isFinite(rttMs)) this.#rttMs = rttMs;
  }

  /** Takes a packet of the stream, whichever way it came. */
  receive(sequenceNumber: number, nowMs: number, isKeyFrame = false): NackArrival {
    if (this.#newest === undefined) {
      this.#newest = sequenceNumber;
      if (isKeyFrame) this.#noteKeyFrame(sequenceNumber);
      return 'newest';
    }
    const number = unwrap16(sequenceNumber, this.#newest);
    if (number <= this.#newest) return this.#remove(number);
    const firstMissing = this.#newest + 1;
    this.#newest = number;
    this.#dropBefore(number - MAX_NACK_AGE);
    if (isKeyFrame) this.#noteKeyFrame(number);
    if (number > firstMissing) this.#append(firstMissing, number, nowMs);
    return 'newest';
  }

  /** Whether a packet is asked for, or will be. */
  isMissing(sequenceNumber: number): boolean {
    if (this.#newest === undefined || this.#length === 0) return false;
    const number = unwrap16(sequenceNumber, this.#newest);
    if (number > this.#newest) return false;
    const at = this.#search(number);
    return at < this.#length && this.#numbers[at] === number;
  }

  /** Begins anew, as when the source did. */
  reset(): void {
    this.#newest = undefined;
    this.#clear();
    this.#keyFrames = [];
    this.#isKeyFrameWanted = false;
  }

  /** When `take` has something, if nothing comes before. */
  nextTimeoutMs(): number | undefined {
    return this.#length === 0 ? undefined : this.#nextDueMs;
  }

  /** The packets to ask for now, in ascending order; each counts as asked for. */
  take(nowMs: number): readonly number[] {
    const taken: number[] = [];
    if (this.#length === 0 || nowMs < this.#nextDueMs) return taken;
    const retryMs = nowMs + Math.max(NACK_INTERVAL_MS, this.#rttMs);
    let kept = 0;
    this.#nextDueMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#length; i++) {
      let dueMs = this.#dueMs[i]!;
      let retries = this.#retries[i]!;
      if (dueMs <= nowMs) {
        if (retries === MAX_NACK_RETRIES) {
          this.#givenUp++;
          continue;
        }
        taken.push(this.#numbers[i]! & 0xffff);
        retries++;
        dueMs = retryMs;
      }
      this.#numbers[kept] = this.#numbers[i]!;
      this.#dueMs[kept] = dueMs;
      this.#retries[kept] = retries;
      kept++;
      this.#nextDueMs = Math.min(this.#nextDueMs, dueMs);
    }
    this.#length = kept;
    return taken;
  }

  /** Whether too much was missing to be asked for since this was last called. */
  takeKeyFrameWish(): boolean {
    const isWanted = this.#isKeyFrameWanted;
    this.#isKeyFrameWanted = false;
    return isWanted;
  }

  #append(first: number, end: number, nowMs: number): void {
    const missing = end - first;
    if (this.#length + missing > MAX_NACK_LIST) this.#dropBeforeKeyFrame(MAX_NACK_LIST - missing);
    if (this.#length + missing > MAX_NACK_LIST) {
      this.#givenUp += missing;
      this.#clear();
      this.#isKeyFrameWanted = true;
      return;
    }
    const dueMs = nowMs + this.#initialDelayMs;
    for (let number = first; number < end; number++) {
      this.#numbers[this.#length] = number;
      this.#dueMs[this.#length] = dueMs;
      this.#retries[this.#length++] = 0;
    }
    this.#nextDueMs = Math.min(this.#nextDueMs, dueMs);
  }

  /** Gives up what is before the oldest key frame that leaves no more than `length`. */
  #dropBeforeKeyFrame(length: number): void {
    for (const keyFrame of this.#keyFrames) {
      if (this.#length <= length) return;
      this.#dropBefore(keyFrame);
    }
  }

  #noteKeyFrame(number: number): void {
    this.#keyFrames.push(number);
    if (this.#keyFrames.length > MAX_KEY_FRAMES) this.#keyFrames.shift();
  }

  #dropBefore(number: number): void {
    const from = this.#search(number);
    if (from === 0) return;
    this.#givenUp += from;
    this.#removeRange(0, from);
  }

  #remove(number: number): NackArrival {
    const at = this.#search(number);
    if (at === this.#length || this.#numbers[at] !== number) return 'unexpected';
    const wasAsked = this.#retries[at]! > 0;
    this.#removeRange(at, at + 1);
    return wasAsked ? 'repaired' : 'late';
  }

  #removeRange(from: number, end: number): void {
    this.#numbers.copyWithin(from, end, this.#length);
    this.#dueMs.copyWithin(from, end, this.#length);
    this.#retries.copyWithin(from, end, this.#length);
    this.#length -= end - from;
    if (this.#length === 0) this.#nextDueMs = Number.POSITIVE_INFINITY;
  }

  #clear(): void {
    this.#givenUp += this.#length;
    this.#length = 0;
    this.#nextDueMs = Number.POSITIVE_INFINITY;
  }

  /** Where the first number not below this one stands. */
  #search(number: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#numbers[middle]! < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
