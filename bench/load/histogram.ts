const BUCKET_US = 10;
const BUCKETS = 2_000_000;

/** What a histogram says of the times put into it, milliseconds. */
export interface Percentiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Counts times in steps of 0.01 ms up to 20 s; longer ones count as 20 s. */
export class TimeHistogram {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;
  #maxUs = 0;

  add(timeUs: number): void {
    const bucket = Math.max(0, Math.min(BUCKETS - 1, Math.floor(timeUs / BUCKET_US)));
    this.#buckets[bucket]!++;
    this.#count++;
    if (timeUs > this.#maxUs) this.#maxUs = timeUs;
  }

  percentiles(): Percentiles {
    const at = (share: number): number => {
      let left = Math.max(1, Math.ceil(this.#count * share));
      for (let i = 0; i < BUCKETS; i++) {
        left -= this.#buckets[i]!;
        if (left <= 0) return ((i + 1) * BUCKET_US) / 1000;
      }
      return 0;
    };
    if (this.#count === 0) return { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };
    return { count: this.#count, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: this.#maxUs / 1000 };
  }
}
