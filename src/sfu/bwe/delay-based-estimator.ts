import { AimdRateControl, type RateBounds } from './aimd-rate-control.ts';
import { ArrivalGroups } from './arrival-groups.ts';
import { OveruseDetector } from './overuse-detector.ts';
import type { BandwidthUsage, PacketResult } from './packet-result.ts';
import type { ProbeResult } from './probe-bitrate-estimator.ts';
import { QueueDelayEstimator } from './queue-delay-estimator.ts';
import { QueueDrain } from './queue-drain.ts';
import { TrendlineEstimator } from './trendline-estimator.ts';

/** Silence after which groups before and after it are not compared. */
const STREAM_TIMEOUT_US = 2_000_000;

/** A standing queue of more than noise. */
const QUEUEING_US = 10_000;

/** See `onProbe`. */
const DOUBTFUL_RATIO = 1.6;

/** How a probe came about. */
export interface ProbeContext {
  /** It repeats another, whose result was doubtful. */
  readonly isConfirmation: boolean;
  readonly isApplicationLimited: boolean;
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
    this.#rate = new AimdRateControl(bounds);
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

  /** A queue stands or grows: what is lost now may be lost in it. */
  get isQueueing(): boolean {
    return this.#detector.usage === 'overusing' || this.isDraining || this.standingQueueUs > QUEUEING_US;
  }

  get isDraining(): boolean {
    return this.#drain.isDraining;
  }

  /** What the link carried when it was full, bits a second. */
  get capacityBps(): number | undefined {
    return this.#rate.capacityBps;
  }

  /** One-way delay of the path without a queue, between two clocks; `undefined` before anything arrived. */
  get baseDelayUs(): number | undefined {
    return this.#queueDelay.baseUs;
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

  /**
   * A probe measured what the link carries. A little more than it carried when it was full is doubtful: a burst gets
   * more of a shared link than a stream would, and jitter can let one pass that should not. Such a result counts when a
   * second probe confirms it, and for half.
   * A full link that carries less than the estimate lowers it only where nothing else can tell: at the start, and
   * (by half) while the source sends little.
   * @returns false when it needs to be confirmed
   */
  onProbe({ bitrateBps, isLinkFull }: ProbeResult, context: ProbeContext, nowUs: number): boolean {
    const knownBps = this.#rate.capacityBps;
    if (isLinkFull && bitrateBps < this.#rate.targetBps) {
      if (knownBps === undefined) this.#rate.setEstimate(bitrateBps, nowUs);
      else if (context.isApplicationLimited) this.#rate.setEstimate((bitrateBps + this.#rate.targetBps) / 2, nowUs);
      return true;
    }
    const isDoubtful = knownBps !== undefined && bitrateBps < knownBps * DOUBTFUL_RATIO;
    if (isDoubtful && !isLinkFull && !context.isConfirmation) return false;
    const takenBps = isDoubtful ? (bitrateBps + Math.min(knownBps, bitrateBps)) / 2 : bitrateBps;
    if (takenBps > this.#rate.targetBps) this.#rate.setEstimate(takenBps, nowUs);
    return true;
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
    const standingUs = this.#queueDelay.standingUs;
    const wasDraining = this.#drain.isDraining;
    const mustRebase = this.#drain.update({ standingUs, isOverusing: hasOverused, throughputBps }, nowUs);
    if (mustRebase) this.#queueDelay.rebase();
    // A queue that crept up under the threshold of the trend is overuse too.
    const isOverusing = hasOverused || (this.#drain.isDraining && !wasDraining);
    const usage = isOverusing ? 'overusing' : this.#detector.usage;
    this.#rate.update({ usage, throughputBps, mustHold: this.#drain.isDraining }, nowUs);
  }

  /** Packets are lost for want of room in a queue, which may be too short for the delay to show much. */
  onOverflow(throughputBps: number | undefined, nowUs: number): void {
    this.#rate.update({ usage: 'overusing', throughputBps }, nowUs);
  }

  #restart(): void {
    this.#groups.reset();
    this.#trendline.reset();
    this.#detector.reset();
    this.#queueDelay.reset();
    this.#drain.reset();
  }
}
