/** Weight of a new measurement. */
const SMOOTHING = 0.05;
/** A probe says more. */
const PROBE_SMOOTHING = 0.5;
/** Bounds of the variance, which is kept relative to the capacity, kb/s (about 0.63² and 1.6²). */
const MIN_VARIANCE = 0.4;
const MAX_VARIANCE = 2.5;
/** Beyond so many deviations a measurement speaks of another link. */
const DEVIATIONS = 3;

/** What the link was seen to carry when it was full: a smoothed mean and its deviation (draft-ietf-rmcat-gcc-02 §5.5). */
export class LinkCapacity {
  #meanKbps: number | undefined;
  #variance: number = MIN_VARIANCE;

  /** Bits a second, `undefined` before the link was full or after it was seen to have changed. */
  get bitrateBps(): number | undefined {
    return this.#meanKbps === undefined ? undefined : this.#meanKbps * 1000;
  }

  /** Above this the link must have changed, bits a second. */
  get upperBps(): number {
    return this.#meanKbps === undefined ? Number.POSITIVE_INFINITY : (this.#meanKbps + this.#spreadKbps) * 1000;
  }

  /** Below this the link must have changed, bits a second. */
  get lowerBps(): number {
    return this.#meanKbps === undefined ? 0 : Math.max(0, this.#meanKbps - this.#spreadKbps) * 1000;
  }

  /** The link was full and carried this. */
  onOveruse(throughputBps: number): void {
    this.#update(throughputBps / 1000, SMOOTHING);
  }

  /** A probe measured this. */
  onProbe(bitrateBps: number): void {
    this.#update(bitrateBps / 1000, PROBE_SMOOTHING);
  }

  reset(): void {
    this.#meanKbps = undefined;
  }

  get #spreadKbps(): number {
    return DEVIATIONS * Math.sqrt(this.#variance * (this.#meanKbps ?? 0));
  }

  #update(kbps: number, smoothing: number): void {
    const meanKbps = this.#meanKbps === undefined ? kbps : (1 - smoothing) * this.#meanKbps + smoothing * kbps;
    const error = meanKbps - kbps;
    const variance = (1 - smoothing) * this.#variance + (smoothing * error * error) / Math.max(meanKbps, 1);
    this.#meanKbps = meanKbps;
    this.#variance = Math.min(Math.max(variance, MIN_VARIANCE), MAX_VARIANCE);
  }
}
