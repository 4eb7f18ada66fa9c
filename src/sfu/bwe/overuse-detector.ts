import type { BandwidthUsage } from './packet-result.ts';

/** The trend above which a queue grows, at the start, milliseconds on the scale of `TrendlineEstimator`. */
export const INITIAL_THRESHOLD_MS = 12.5;
/** Where the threshold can go (draft-ietf-rmcat-gcc-02 §5.4). */
export const MIN_THRESHOLD_MS = 6;
export const MAX_THRESHOLD_MS = 600;
/** How fast the threshold goes up to a trend above it, per millisecond: slowly, or a queue of our own is taken for the path's. */
const GAIN_UP = 0.0087;
/** … and down. */
const GAIN_DOWN = 0.039;
/** A trend so far above the threshold is a sudden change and does not move it. */
const MAX_ADAPT_OFFSET_MS = 15;
/** The threshold moves as if at most so much time had passed between two groups. */
const MAX_ADAPT_TIME_MS = 100;
/** A trend has to stay above the threshold for this long (draft §5.4, overuse_time_th). */
const OVERUSE_TIME_MS = 10;

/**
 * Compares the trend with a threshold that adapts itself to the noise of the path (draft-ietf-rmcat-gcc-02 §5.4): a
 * fixed one would starve beside TCP or never see a queue on a noisy path.
 */
export class OveruseDetector {
  #thresholdMs: number = INITIAL_THRESHOLD_MS;
  #lastAdaptedMs: number | undefined;
  #overusingMs = -1;
  #overusingGroups = 0;
  #lastTrend = 0;
  #usage: BandwidthUsage = 'normal';

  get usage(): BandwidthUsage {
    return this.#usage;
  }

  get thresholdMs(): number {
    return this.#thresholdMs;
  }

  /**
   * @param trend what `TrendlineEstimator.update` gave
   * @param sendDeltaMs time between the two groups by the sender's clock
   * @param nowMs any clock that does not go back
   */
  update(trend: number, sendDeltaMs: number, nowMs: number): BandwidthUsage {
    if (trend > this.#thresholdMs) {
      // Half of the time to the group before: the trend crossed the threshold somewhere between the two.
      this.#overusingMs = this.#overusingMs < 0 ? sendDeltaMs / 2 : this.#overusingMs + sendDeltaMs;
      this.#overusingGroups++;
      if (this.#overusingMs > OVERUSE_TIME_MS && this.#overusingGroups > 1 && trend >= this.#lastTrend) {
        this.#overusingMs = 0;
        this.#overusingGroups = 0;
        this.#usage = 'overusing';
      }
    } else {
      this.#overusingMs = -1;
      this.#overusingGroups = 0;
      this.#usage = trend < -this.#thresholdMs ? 'underusing' : 'normal';
    }
    this.#lastTrend = trend;
    this.#adapt(Math.abs(trend), nowMs);
    return this.#usage;
  }

  /** Starts anew after a clock jump; the threshold stays. */
  reset(): void {
    this.#overusingMs = -1;
    this.#overusingGroups = 0;
    this.#lastTrend = 0;
    this.#lastAdaptedMs = undefined;
    this.#usage = 'normal';
  }

  #adapt(distanceMs: number, nowMs: number): void {
    const elapsedMs = Math.min(Math.max(nowMs - (this.#lastAdaptedMs ?? nowMs), 0), MAX_ADAPT_TIME_MS);
    this.#lastAdaptedMs = nowMs;
    if (distanceMs > this.#thresholdMs + MAX_ADAPT_OFFSET_MS) return;
    const gain = distanceMs < this.#thresholdMs ? GAIN_DOWN : GAIN_UP;
    const adapted = this.#thresholdMs + gain * (distanceMs - this.#thresholdMs) * elapsedMs;
    this.#thresholdMs = Math.min(Math.max(adapted, MIN_THRESHOLD_MS), MAX_THRESHOLD_MS);
  }
}
