import type { PacketResult } from './packet-result.ts';

/** Observations that are looked at together, the newest first. */
export const LOSS_WINDOW_OBSERVATIONS = 20;
/** Each covers at least so much time of sending and so many packets. */
const OBSERVATION_US = 250_000;
const OBSERVATION_PACKETS = 10;
/** … and no more time than this, or the rate of it says nothing. */
const MAX_OBSERVATION_US = 2_000_000;
/** An observation counts for so much of the one after it. */
const AGEING = 0.9;
/** Less loss than this is not looked into. */
const LOW_LOSS = 0.02;
/** More than this is not believed to be the nature of the path … */
export const MAX_INHERENT_LOSS = 0.2;
/** … but at low rates, which hardly are too much for a path: to send still less would only end the pictures. */
export const MAX_LOW_RATE_LOSS = 0.5;
const LOW_RATE_BPS = 60_000;
const INHERENT_STEPS = 10;
/** Bandwidths tried lie between this part of the lowest and the highest rate that was sent. */
const LOWEST_PART = 0.6;
const BANDWIDTH_STEPS = 12;
/** How much likelier a limited bandwidth must be than loss by chance, as the logarithm. */
const EVIDENCE = 4;

/** A full queue loses at least this much more than the path does by nature, and more than so many deviations. */
const OVERFLOW_LOSS = 0.04;
const OVERFLOW_DEVIATIONS = 2.5;

/** More loss than this is tested, by sending this part for so many observations. */
const TESTED_LOSS = 0.04;
const TEST_PART = 0.8;
const TEST_OBSERVATIONS = 3;
/** Observations between two tests: twice as many after each that found nothing, up to a bound. */
const MIN_TEST_INTERVAL = 8;
const MAX_TEST_INTERVAL = 128;

/** What is known besides the packets. */
export interface LossState {
  /** A queue stands or grows: what is lost now says nothing about the path without a queue. */
  readonly isQueueing: boolean;
  /** The source sends little: to send less of it would only hurt. */
  readonly isApplicationLimited: boolean;
}

interface Observation {
  readonly packets: number;
  readonly lost: number;
  readonly sendBps: number;
}

/**
 * The loss-based half: what loss says when the delay says nothing. Two explanations compete by likelihood over the last
 * seconds: a path that loses a part of everything, whatever the rate (radio; nothing to gain by sending less), and one
 * that loses what goes over a bandwidth (a policer, a queue too short to be seen). Only the second limits the rate.
 */
export class LossBasedController {
  readonly #observations: Observation[] = [];
  #packets = 0;
  #lost = 0;
  #bytes = 0;
  #isQueueing = false;
  #firstSentUs: number | undefined;
  #lastSentUs = 0;
  #bandwidthBps: number = Number.POSITIVE_INFINITY;
  #testBps: number = Number.POSITIVE_INFINITY;
  /** Observations left of a test, or, negative, until the next one may be. */
  #testing = -MIN_TEST_INTERVAL;
  #testInterval = MIN_TEST_INTERVAL;
  #inherentLoss = 0;
  #averageLoss = 0;

  /** What may be sent, bits a second; without end when loss does not depend on the rate. Less while that is tested. */
  get limitBps(): number {
    return Math.min(this.#bandwidthBps, this.#testBps);
  }

  /** What the path is thought to let through, bits a second; without end when loss does not depend on the rate. */
  get bandwidthBps(): number {
    return this.#bandwidthBps;
  }

  /** The part of all packets the path loses however little is sent, 0–`MAX_LOW_RATE_LOSS`. */
  get inherentLoss(): number {
    return this.#inherentLoss;
  }

  /** Loss of the last seconds, 0–1, without what was lost beside a queue. */
  get averageLoss(): number {
    return this.#averageLoss;
  }

  /**
   * Takes feedback in the order of sending.
   * @returns whether packets are lost because a queue is full
   */
  update(results: readonly PacketResult[], state: LossState): boolean {
    if (state.isQueueing) this.#isQueueing = true;
    for (const { sentUs, sizeBytes, arrivalUs, isRecovered } of results) {
      if (isRecovered) {
        this.#lost = Math.max(0, this.#lost - 1);
        continue;
      }
      this.#firstSentUs ??= sentUs;
      this.#lastSentUs = Math.max(this.#lastSentUs, sentUs);
      this.#packets++;
      this.#bytes += sizeBytes;
      if (arrivalUs === undefined) this.#lost++;
    }
    if (this.#firstSentUs === undefined) return false;
    const coveredUs = this.#lastSentUs - this.#firstSentUs;
    if (coveredUs < OBSERVATION_US || this.#packets < OBSERVATION_PACKETS) return false;
    const isOverflowing = this.#isQueueing && this.#lost > this.#expectedLost;
    if (!this.#isQueueing && coveredUs <= MAX_OBSERVATION_US) this.#observe(coveredUs, !state.isApplicationLimited);
    this.#packets = 0;
    this.#lost = 0;
    this.#bytes = 0;
    this.#isQueueing = false;
    this.#firstSentUs = this.#lastSentUs;
    return isOverflowing;
  }

  /** What the nature of the path explains, with some chance. */
  get #expectedLost(): number {
    const byNature = this.#inherentLoss * this.#packets;
    const deviation = Math.sqrt(byNature * (1 - this.#inherentLoss));
    return byNature + Math.max(OVERFLOW_LOSS * this.#packets, OVERFLOW_DEVIATIONS * deviation);
  }

  #observe(coveredUs: number, mayTest: boolean): void {
    const observation = { packets: this.#packets, lost: this.#lost, sendBps: (this.#bytes * 8e6) / coveredUs };
    this.#observations.unshift(observation);
    if (this.#observations.length > LOSS_WINDOW_OBSERVATIONS) this.#observations.pop();
    this.#averageLoss = weightedLoss(this.#observations);
    if (this.#averageLoss < LOW_LOSS) {
      this.#bandwidthBps = Number.POSITIVE_INFINITY;
      this.#testBps = Number.POSITIVE_INFINITY;
      this.#inherentLoss = this.#averageLoss;
      return;
    }
    const { bandwidthBps, inherentLoss } = explain(this.#observations);
    this.#bandwidthBps = bandwidthBps;
    this.#inherentLoss = inherentLoss;
    this.#test(observation.sendBps, mayTest);
  }

  /** At one rate both explanations are as good: now and then less is sent for a moment, to see what becomes of the loss. */
  #test(sendBps: number, mayBegin: boolean): void {
    if (this.#bandwidthBps < Number.POSITIVE_INFINITY) this.#testInterval = MIN_TEST_INTERVAL;
    if (this.#testing > 0) {
      this.#testing--;
      if (this.#testing > 0) return;
      this.#testBps = Number.POSITIVE_INFINITY;
      this.#testing = -this.#testInterval;
      this.#testInterval = Math.min(this.#testInterval * 2, MAX_TEST_INTERVAL);
    } else if (this.#testing < 0) {
      this.#testing++;
    } else if (mayBegin && this.#averageLoss > TESTED_LOSS && this.#bandwidthBps === Number.POSITIVE_INFINITY) {
      this.#testing = TEST_OBSERVATIONS;
      this.#testBps = sendBps * TEST_PART;
    }
  }
}

function weightedLoss(observations: readonly Observation[]): number {
  let packets = 0;
  let lost = 0;
  let weight = 1;
  for (const observation of observations) {
    packets += weight * observation.packets;
    lost += weight * observation.lost;
    weight *= AGEING;
  }
  return packets === 0 ? 0 : lost / packets;
}

interface Explanation {
  readonly bandwidthBps: number;
  readonly inherentLoss: number;
  readonly likelihood: number;
}

/** The likeliest bandwidth and inherent loss; a limited bandwidth only with evidence for it. */
function explain(observations: readonly Observation[]): Explanation {
  let lowestBps = Number.POSITIVE_INFINITY;
  let highestBps = 0;
  for (const { sendBps } of observations) {
    lowestBps = Math.min(lowestBps, sendBps);
    highestBps = Math.max(highestBps, sendBps);
  }
  const unlimited = withBandwidth(observations, Number.POSITIVE_INFINITY, highestBps);
  let best = unlimited;
  const from = lowestBps * LOWEST_PART;
  for (let step = 0; step < BANDWIDTH_STEPS; step++) {
    const bandwidthBps = from * (highestBps / from) ** (step / BANDWIDTH_STEPS);
    const limited = withBandwidth(observations, bandwidthBps, bandwidthBps);
    if (limited.likelihood > best.likelihood && limited.likelihood > unlimited.likelihood + EVIDENCE) best = limited;
  }
  return best;
}

/** What is believed of loss by nature where so much is sent. */
function maxInherentLoss(rateBps: number): number {
  return Math.min(Math.max(MAX_INHERENT_LOSS, LOW_RATE_BPS / rateBps), MAX_LOW_RATE_LOSS);
}

/** The inherent loss that goes best with this bandwidth, where `rateBps` gets through. */
function withBandwidth(observations: readonly Observation[], bandwidthBps: number, rateBps: number): Explanation {
  let best: Explanation = { bandwidthBps, inherentLoss: 0, likelihood: Number.NEGATIVE_INFINITY };
  const maxLoss = maxInherentLoss(rateBps);
  for (let step = 0; step <= INHERENT_STEPS; step++) {
    const inherentLoss = (maxLoss * step) / INHERENT_STEPS;
    const likelihood = likelihoodOf(observations, bandwidthBps, inherentLoss);
    if (likelihood > best.likelihood) best = { bandwidthBps, inherentLoss, likelihood };
  }
  return best;
}

/** Logarithm of how likely what was seen is, if loss is inherent and what goes over the bandwidth is lost beside it. */
function likelihoodOf(observations: readonly Observation[], bandwidthBps: number, inherentLoss: number): number {
  let likelihood = 0;
  let weight = 1;
  for (const { packets, lost, sendBps } of observations) {
    const overBandwidth = sendBps > bandwidthBps ? 1 - bandwidthBps / sendBps : 0;
    // Nothing is impossible: one lost packet must not rule an explanation out.
    const lossRate = Math.min(Math.max(inherentLoss + (1 - inherentLoss) * overBandwidth, 0.001), 0.999);
    likelihood += weight * (lost * Math.log(lossRate) + (packets - lost) * Math.log(1 - lossRate));
    weight *= AGEING;
  }
  return likelihood;
}
