import { LinkCapacity } from './link-capacity.ts';
import type { BandwidthUsage } from './packet-result.ts';

/** Part of the throughput that is kept when the link is overused (draft-ietf-rmcat-gcc-02 §5.5 has 0.8–0.95). */
export const DECREASE_FACTOR = 0.9;
/** Growth a second while the capacity is unknown (draft §5.5, eta). */
const INCREASE_PER_SECOND = 1.08;
/** The estimate does not grow past this multiple of what arrives: nothing was proved beyond. */
const MAX_OVER_THROUGHPUT = 1.5;
const MAX_OVER_THROUGHPUT_BPS = 10_000;
/** Near the capacity it grows by about a packet in the time feedback takes. */
const PACKET_BITS = 1200 * 8;
const FEEDBACK_US = 100_000;
/** … but no slower than this part a second. */
const MIN_ADDITIVE_PER_SECOND = 0.015;
/** Time that one step of growth covers at most. */
const MAX_STEP_US = 1_000_000;
/** A second decrease needs at least this and at most that after the first, the round trip between them. */
const MIN_DECREASE_US = 20_000;
const MAX_DECREASE_US = 200_000;
const INITIAL_RTT_US = 100_000;

/** Bounds of the estimate, bits a second, and how it grows. */
export interface RateBounds {
  readonly startBps: number;
  readonly minBps: number;
  readonly maxBps: number;
  /** Factor of growth a second while the capacity is unknown, default 1.08; where nothing can be probed, more. */
  readonly increasePerSecond?: number;
}

/** What the rate control is told with each feedback. */
export interface RateControlInput {
  readonly usage: BandwidthUsage;
  /** What arrives, bits a second. */
  readonly throughputBps: number | undefined;
  /** A queue stands, though it does not grow: no time to send more. */
  readonly mustHold?: boolean;
}

/**
 * The rate control of Google congestion control (draft-ietf-rmcat-gcc-02 §5.5): up by 8 % a second while the capacity is
 * unknown, a packet a round trip near it, down to a part of the throughput on overuse, still while a queue drains.
 */
export class AimdRateControl {
  readonly #capacity = new LinkCapacity();
  #targetBps: number;
  #minBps: number;
  #maxBps: number;
  readonly #increasePerSecond: number;
  #rttUs: number = INITIAL_RTT_US;
  #state: 'increase' | 'hold' = 'increase';
  #lastUs: number | undefined;
  #lastDecreaseUs = Number.NEGATIVE_INFINITY;

  constructor(bounds: RateBounds) {
    const { startBps, minBps, maxBps, increasePerSecond = INCREASE_PER_SECOND } = bounds;
    this.#minBps = minBps;
    this.#maxBps = maxBps;
    this.#increasePerSecond = increasePerSecond;
    this.#targetBps = this.#bounded(startBps);
  }

  get targetBps(): number {
    return this.#targetBps;
  }

  /** What the link carried when it was last full, or `undefined` when that is not known. */
  get capacityBps(): number | undefined {
    return this.#capacity.bitrateBps;
  }

  /** When it was last taken back, microseconds. */
  get lastDecreaseUs(): number {
    return this.#lastDecreaseUs;
  }

  setBounds(minBps: number, maxBps: number): void {
    this.#minBps = minBps;
    this.#maxBps = maxBps;
    this.#targetBps = this.#bounded(this.#targetBps);
  }

  setRtt(rttUs: number): void {
    this.#rttUs = rttUs;
  }

  /** A probe, or somebody who knows, says what the link carries. */
  setEstimate(bitrateBps: number, nowUs: number): void {
    this.#targetBps = this.#bounded(bitrateBps);
    this.#capacity.onProbe(bitrateBps);
    this.#state = 'increase';
    this.#lastUs = nowUs;
  }

  /** The path is silent: no more than this, and not up before the next feedback. */
  reduce(bitrateBps: number, nowUs: number): void {
    this.#targetBps = this.#bounded(Math.min(bitrateBps, this.#targetBps));
    this.#lastDecreaseUs = nowUs;
    this.#lastUs = nowUs;
  }

  /** Takes what feedback showed. @returns the new target, bits a second */
  update(input: RateControlInput, nowUs: number): number {
    const { usage, throughputBps } = input;
    const elapsedUs = Math.min(Math.max(nowUs - (this.#lastUs ?? nowUs), 0), MAX_STEP_US);
    this.#lastUs = nowUs;
    if (usage === 'overusing') {
      this.#state = 'hold';
      if (this.#mayDecrease(throughputBps, nowUs)) this.#decrease(throughputBps, nowUs);
    } else if (usage === 'underusing' || input.mustHold === true) {
      this.#state = 'hold';
    } else {
      this.#state = 'increase';
      this.#increase(throughputBps, elapsedUs);
    }
    return this.#targetBps;
  }

  /** Whether the last update let the rate grow. */
  get isIncreasing(): boolean {
    return this.#state === 'increase';
  }

  /** Without knowing the throughput: half of it all, once a round trip. */
  #decrease(throughputBps: number | undefined, nowUs: number): void {
    this.#lastDecreaseUs = nowUs;
    if (throughputBps === undefined) {
      this.#targetBps = this.#bounded(this.#targetBps / 2);
      return;
    }
    if (throughputBps < this.#capacity.lowerBps) this.#capacity.reset();
    let reducedBps = DECREASE_FACTOR * throughputBps;
    // Frames that came in a lump can make the throughput look larger than the link.
    if (reducedBps > this.#targetBps) reducedBps = DECREASE_FACTOR * (this.#capacity.bitrateBps ?? this.#targetBps);
    this.#capacity.onOveruse(throughputBps);
    this.#targetBps = this.#bounded(Math.min(reducedBps, this.#targetBps));
  }

  #mayDecrease(throughputBps: number | undefined, nowUs: number): boolean {
    const waitUs = Math.min(Math.max(this.#rttUs, MIN_DECREASE_US), MAX_DECREASE_US);
    if (nowUs - this.#lastDecreaseUs >= waitUs) return true;
    return throughputBps !== undefined && throughputBps < this.#targetBps / 2;
  }

  #increase(throughputBps: number | undefined, elapsedUs: number): void {
    if (throughputBps !== undefined && throughputBps > this.#capacity.upperBps) this.#capacity.reset();
    const seconds = elapsedUs / 1e6;
    const grown =
      this.#capacity.bitrateBps === undefined
        ? this.#targetBps * this.#increasePerSecond ** seconds
        : this.#targetBps + Math.max(this.#additivePerSecond, this.#targetBps * MIN_ADDITIVE_PER_SECOND) * seconds;
    const limitBps =
      throughputBps === undefined
        ? Number.POSITIVE_INFINITY
        : throughputBps * MAX_OVER_THROUGHPUT + MAX_OVER_THROUGHPUT_BPS;
    // Above the limit already (after a probe, or while the source rests) it stays where it is.
    if (grown <= limitBps) this.#targetBps = this.#bounded(grown);
    else if (this.#targetBps < limitBps) this.#targetBps = this.#bounded(limitBps);
  }

  get #additivePerSecond(): number {
    return (PACKET_BITS * 1e6) / (this.#rttUs + FEEDBACK_US);
  }

  #bounded(bitrateBps: number): number {
    return Math.min(Math.max(bitrateBps, this.#minBps), this.#maxBps);
  }
}
