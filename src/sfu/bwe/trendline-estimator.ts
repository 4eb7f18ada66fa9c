/** Groups the line is laid through. */
export const TREND_WINDOW_GROUPS = 20;
/** Part of the old value in the smoothed delay. */
const SMOOTHING = 0.9;
/** The slope is weighted by the groups seen, up to this many: the first ones say little. */
const MAX_WEIGHT_GROUPS = 60;
/** Brings the weighted slope to the scale of the overuse detector's threshold, milliseconds. */
const THRESHOLD_GAIN = 4;
/** Sum of delay after which it is counted from anew; the slope does not change by that. */
const MAX_DELAY_MS = 1e9;

/**
 * The trend of the one-way delay: the slope of a line of least squares through the smoothed sum of delay variations
 * over the time of arrival, 0 for a steady queue, 0.1 for one that grows by 100 ms a second.
 */
export class TrendlineEstimator {
  readonly #arrivalMs = new Float64Array(TREND_WINDOW_GROUPS);
  readonly #delayMs = new Float64Array(TREND_WINDOW_GROUPS);
  #groups = 0;
  #sumMs = 0;
  #smoothedMs = 0;
  #slope = 0;

  /** Delay growth per time, without a unit. */
  get slope(): number {
    return this.#slope;
  }

  /**
   * Takes the comparison of two groups.
   * @returns the slope on the scale of `OveruseDetector`
   */
  update(sendDeltaMs: number, arrivalDeltaMs: number, arrivalMs: number): number {
    this.#sumMs += arrivalDeltaMs - sendDeltaMs;
    if (Math.abs(this.#sumMs) > MAX_DELAY_MS) this.reset();
    this.#smoothedMs = SMOOTHING * this.#smoothedMs + (1 - SMOOTHING) * this.#sumMs;
    const at = this.#groups++ % TREND_WINDOW_GROUPS;
    this.#arrivalMs[at] = arrivalMs;
    this.#delayMs[at] = this.#smoothedMs;
    if (this.#groups >= TREND_WINDOW_GROUPS) this.#slope = this.#fit();
    return Math.min(this.#groups, MAX_WEIGHT_GROUPS) * this.#slope * THRESHOLD_GAIN;
  }

  /** Forgets the past. */
  reset(): void {
    this.#groups = 0;
    this.#sumMs = 0;
    this.#smoothedMs = 0;
    this.#slope = 0;
  }

  #fit(): number {
    let meanX = 0;
    let meanY = 0;
    for (let i = 0; i < TREND_WINDOW_GROUPS; i++) {
      meanX += this.#arrivalMs[i]! / TREND_WINDOW_GROUPS;
      meanY += this.#delayMs[i]! / TREND_WINDOW_GROUPS;
    }
    let numerator = 0;
    let denominator = 0;
    for (let i = 0; i < TREND_WINDOW_GROUPS; i++) {
      const x = this.#arrivalMs[i]! - meanX;
      numerator += x * (this.#delayMs[i]! - meanY);
      denominator += x * x;
    }
    return denominator === 0 ? this.#slope : numerator / denominator;
  }
}
