import { AimdRateControl } from './aimd-rate-control.ts';
import { ArrivalGroups } from './arrival-groups.ts';
import { OveruseDetector } from './overuse-detector.ts';
import type { BandwidthUsage, PacketResult } from './packet-result.ts';
import { QueueDelayEstimator } from './queue-delay-estimator.ts';
import { QueueDrain } from './queue-drain.ts';
import { TrendlineEstimator } from './trendline-estimator.ts';

/** Silence after which groups before and after it are not compared. */
const STREAM_TIMEOUT_US = 2_000_000;

/** Bounds of the estimate, bits a second. */
export interface RateBounds {
  readonly startBps: number;
  readonly minBps: number;
  readonly maxBps: number;
}

/**
 * The delay-based half of Google congestion control: groups, trendline, overuse detector and rate control
 * (draft-ietf-rmcat-gcc-02 §5), and a brake that empties the queue which overuse has left.
 */
export class DelayBasedEstimator {
  readonly #groups = new ArrivalGroups();
  readonly #trendline = new TrendlineEstimator();
  readonly #detector = new OveruseDetector();
  readonly #queueDelay = new QueueDelayEstimator();
  readonly #drain = new QueueDrain();
  readonly #rate: AimdRateControl;
  #lastHeardUs: number | undefined;

  constructor(bounds: RateBounds) {
    this.#rate = new AimdRateControl(bounds.startBps, bounds.minBps, bounds.maxBps);
  }

  /** What to send at most, bits a second: less than the estimate while a queue drains. */
  get targetBps(): number {
    return Math.min(this.#rate.targetBps, this.#drain.limitBps);
  }

  /** What the link is thought to carry for us, bits a second. */
  get estimateBps(): number {
    return this.#rate.targetBps;
  }

  get usage(): BandwidthUsage {
    return this.#detector.usage;
  }

  /** How long packets wait in a standing queue, microseconds. */
  get standingQueueUs(): number {
    return this.#queueDelay.standingUs;
  }

  get isDraining(): boolean {
    return this.#drain.isDraining;
  }

  /** When the rate was last taken back, microseconds. */
  get lastDecreaseUs(): number {
    return this.#rate.lastDecreaseUs;
  }

  setBounds(minBps: number, maxBps: number): void {
    this.#rate.setBounds(minBps, maxBps);
  }

  setRtt(rttUs: number): void {
    this.#rate.setRtt(rttUs);
  }

  /** Nothing is heard of what is sent. */
  reduce(bitrateBps: number, nowUs: number): void {
    this.#rate.reduce(bitrateBps, nowUs);
  }

  /** A probe measured what the link carries. */
  setEstimate(bitrateBps: number, nowUs: number): void {
    this.#rate.setEstimate(bitrateBps, nowUs);
    this.#drain.raise(bitrateBps);
  }

  /**
   * @param results received packets in the order of arrival; lost ones are passed over
   * @param throughputBps what the path carries of ours
   */
  update(results: readonly PacketResult[], throughputBps: number | undefined, nowUs: number): void {
    if (this.#lastHeardUs !== undefined && nowUs - this.#lastHeardUs > STREAM_TIMEOUT_US) this.#restart();
    this.#lastHeardUs = nowUs;
    let hasOverused = false;
    for (const { sentUs, arrivalUs } of results) {
      if (arrivalUs === undefined) continue;
      this.#queueDelay.add(sentUs, arrivalUs);
      const delta = this.#groups.add(sentUs, arrivalUs, nowUs);
      if (delta === undefined) continue;
      const sendDeltaMs = delta.sendUs / 1000;
      const trend = this.#trendline.update(sendDeltaMs, delta.arrivalUs / 1000, delta.completedUs / 1000);
      if (this.#detector.update(trend, sendDeltaMs, delta.completedUs / 1000) === 'overusing') hasOverused = true;
    }
    const usage = hasOverused ? 'overusing' : this.#detector.usage;
    const standingUs = this.#queueDelay.standingUs;
    this.#rate.update({ usage, throughputBps, mustHold: this.#drain.isDraining }, nowUs);
    const mustRebase = this.#drain.update({ standingUs, isOverusing: hasOverused, throughputBps }, nowUs);
    if (mustRebase) this.#queueDelay.rebase();
  }

  #restart(): void {
    this.#groups.reset();
    this.#trendline.reset();
    this.#detector.reset();
    this.#queueDelay.reset();
    this.#drain.reset();
  }
}
