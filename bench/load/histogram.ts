const BUCKET_US = 10;
const DEFAULT_LIMIT_MS = 20_000;

/** What a histogram says of the times put into it, milliseconds. */
export interface Percentiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Counts times in steps of 0.01 ms up to a limit; longer ones count as the limit. */
export class TimeHistogram {
  readonly #buckets: Uint32Array;
  #count = 0;
  #maxUs = 0;

  constructor(limitMs: number = DEFAULT_LIMIT_MS) {
    this.#buckets = new Uint32Array((limitMs * 1000) / BUCKET_US);
  }

  add(timeUs: number): void {
    const bucket = Math.max(0, Math.min(this.#buckets.length - 1, Math.floor(timeUs / BUCKET_US)));
    this.#buckets[bucket]!++;
    this.#count++;
    if (timeUs > this.#maxUs) this.#maxUs = timeUs;
  }

  percentiles(): Percentiles {
    const at = (share: number): number => {
      let left = Math.max(1, Math.ceil(this.#count * share));
      for (let i = 0; i < this.#buckets.length; i++) {
        left -= this.#buckets[i]!;
        if (left <= 0) return ((i + 1) * BUCKET_US) / 1000;
      }
      return 0;
    };
    if (this.#count === 0) return { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };
    return { count: this.#count, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: this.#maxUs / 1000 };
  }
}
