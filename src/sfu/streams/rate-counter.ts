/** What a bitrate is measured over, milliseconds. */
export const RATE_WINDOW_MS = 1000;
/** The same for streams with layers, whose upper ones send little and seldom. */
export const LAYERED_RATE_WINDOW_MS = 2500;

const BUCKETS = 50;

/** Counts what passes, and how much of it passed lately. Its clock may stand still but is not expected to go back. */
export class RateCounter {
  readonly #bucketMs: number;
  readonly #windowMs: number;
  readonly #buckets = new Float64Array(BUCKETS);
  /** Number of the newest bucket, counted from time 0. */
  #newest: number | undefined;
  #windowBytes = 0;
  #packets = 0;
  #bytes = 0;

  /** @param windowMs default `RATE_WINDOW_MS` */
  constructor(windowMs: number = RATE_WINDOW_MS) {
    this.#windowMs = windowMs;
    this.#bucketMs = windowMs / BUCKETS;
  }

  /** Packets since the beginning. */
  get packets(): number {
    return this.#packets;
  }

  /** Bytes since the beginning. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts a packet. */
  add(sizeBytes: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#packets++;
    this.#bytes += sizeBytes;
    this.#buckets[this.#newest! % BUCKETS]! += sizeBytes;
    this.#windowBytes += sizeBytes;
  }

  /** Bits a second over the window that ends now, rounded. */
  bitrateBps(nowMs: number): number {
    if (this.#newest === undefined) return 0;
    this.#advance(nowMs);
    return Math.round((this.#windowBytes * 8000) / this.#windowMs);
  }

  #advance(nowMs: number): void {
    const now = Math.max(0, Math.floor(nowMs / this.#bucketMs));
    if (this.#newest === undefined || now - this.#newest >= BUCKETS) {
      this.#buckets.fill(0);
      this.#windowBytes = 0;
      this.#newest = now;
    }
    while (this.#newest < now) {
      const slot = ++this.#newest % BUCKETS;
      this.#windowBytes -= this.#buckets[slot]!;
      this.#buckets[slot] = 0;
    }
  }
}
