/** How the retransmission timeout is kept, milliseconds. */
export interface RtoLimits {
  readonly initialRtoMs: number;
  readonly minRtoMs: number;
  readonly maxRtoMs: number;
}

/** RTO.Alpha, RTO.Beta (RFC 9260 §16). */
const ALPHA = 1 / 8;
const BETA = 1 / 4;
/** Clock granularity, milliseconds. */
const GRANULARITY_MS = 1;
/** Doublings after which the limit is reached in any case. */
const MAX_BACKOFF = 16;

/**
 * Round-trip time and retransmission timeout (RFC 9260 §6.3.1). The doubling after a timeout ends with the next
 * acknowledgement of anything new, not only with the next measurement: on paths that lose a lot there may be none.
 */
export class RetransmissionTimeout {
  readonly #limits: RtoLimits;
  #srttMs = -1;
  #variationMs = 0;
  #baseMs: number;
  #backoff = 0;
  /** Shortest round trip seen, milliseconds; Infinity before the first. */
  minRttMs: number = Number.POSITIVE_INFINITY;

  constructor(limits: RtoLimits) {
    this.#limits = limits;
    this.#baseMs = limits.initialRtoMs;
  }

  /** Smoothed round-trip time, or undefined before the first measurement. */
  get srttMs(): number | undefined {
    return this.#srttMs < 0 ? undefined : this.#srttMs;
  }

  /** The timeout now, doublings included. */
  get rtoMs(): number {
    return Math.min(this.#limits.maxRtoMs, this.#baseMs * 2 ** this.#backoff);
  }

  /** A round trip of something that was sent once. */
  measure(rttMs: number): void {
    this.minRttMs = Math.min(this.minRttMs, rttMs);
    if (this.#srttMs < 0) {
      this.#srttMs = rttMs;
      this.#variationMs = rttMs / 2;
    } else {
      this.#variationMs = (1 - BETA) * this.#variationMs + BETA * Math.abs(this.#srttMs - rttMs);
      this.#srttMs = (1 - ALPHA) * this.#srttMs + ALPHA * rttMs;
    }
    const rtoMs = this.#srttMs + Math.max(GRANULARITY_MS, 4 * this.#variationMs);
    this.#baseMs = Math.min(this.#limits.maxRtoMs, Math.max(this.#limits.minRtoMs, rtoMs));
    this.#backoff = 0;
  }

  /** A timer of this timeout expired. */
  backOff(): void {
    this.#backoff = Math.min(MAX_BACKOFF, this.#backoff + 1);
  }

  /** The peer was heard: something new is acknowledged. */
  endBackOff(): void {
    this.#backoff = 0;
  }
}
