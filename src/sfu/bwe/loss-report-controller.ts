/** Loss under which the rate grows, and over which it shrinks (draft-ietf-rmcat-gcc-02 §6). */
const LOW_LOSS = 0.02;
const HIGH_LOSS = 0.1;
/** Growth a second. */
const INCREASE_PER_SECOND = 1.08;
const INCREASE_BPS = 1000;
/** Time of growth made good at most when reports are far apart. */
const MAX_STEP_US = 1_000_000;
/** No two decreases within this and a round trip. */
const DECREASE_INTERVAL_US = 300_000;

/**
 * The rate by the loss that receiver reports tell of (draft-ietf-rmcat-gcc-02 §6), for peers without transport-wide
 * feedback: up by 8 % a second without loss, down by half of the loss over 10 %.
 */
export class LossReportController {
  #targetBps: number;
  #lastUs: number | undefined;
  #lastDecreaseUs = Number.NEGATIVE_INFINITY;
  #lossFraction = 0;

  constructor(startBps: number) {
    this.#targetBps = startBps;
  }

  get targetBps(): number {
    return this.#targetBps;
  }

  /** Of the last report, 0–1. */
  get lossFraction(): number {
    return this.#lossFraction;
  }

  /** Somebody who sees more (a probe, the receiver by REMB) says so; loss can still take it back. */
  setEstimate(bitrateBps: number): void {
    if (this.#lossFraction <= LOW_LOSS) this.#targetBps = bitrateBps;
  }

  /** @param lossFraction 0–1; others are taken for the nearest */
  onReport(lossFraction: number, rttUs: number, nowUs: number): void {
    const loss = Math.min(Math.max(lossFraction, 0), 1) || 0;
    const elapsedUs = Math.min(Math.max(nowUs - (this.#lastUs ?? nowUs), 0), MAX_STEP_US);
    this.#lastUs = nowUs;
    this.#lossFraction = loss;
    if (loss < LOW_LOSS) {
      this.#targetBps = this.#targetBps * INCREASE_PER_SECOND ** (elapsedUs / 1e6) + (INCREASE_BPS * elapsedUs) / 1e6;
    } else if (loss > HIGH_LOSS && nowUs - this.#lastDecreaseUs >= DECREASE_INTERVAL_US + rttUs) {
      this.#lastDecreaseUs = nowUs;
      this.#targetBps *= 1 - loss / 2;
    }
  }

  /** Keeps the rate within bounds, so that it comes back from them at once. */
  bound(minBps: number, maxBps: number): void {
    this.#targetBps = Math.min(Math.max(this.#targetBps, minBps), maxBps);
  }
}
