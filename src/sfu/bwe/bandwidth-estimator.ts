import { AlrDetector } from './alr-detector.ts';
import { DelayBasedEstimator } from './delay-based-estimator.ts';
import { FeedbackAdapter } from './feedback-adapter.ts';
import { LossBasedController } from './loss-based-controller.ts';
import { LossReportController } from './loss-report-controller.ts';
import type { BandwidthUsage, PacketResult, TransportArrivals } from './packet-result.ts';
import { MAX_OPEN_PROBES, ProbeBitrateEstimator } from './probe-bitrate-estimator.ts';
import type { ProbeCluster } from './probe-cluster.ts';
import { ProbeController, type ProbeState } from './probe-controller.ts';
import { RembProber } from './remb-prober.ts';
import { SentPacketHistory } from './sent-packet-history.ts';
import { ThroughputEstimator } from './throughput-estimator.ts';

/** Where the estimate starts when nothing is known, bits a second (mediasoup's `initialAvailableOutgoingBitrate`). */
export const DEFAULT_START_BPS = 600_000;
/** No estimate is lower, bits a second. */
export const DEFAULT_MIN_BPS = 30_000;
/** No estimate is higher, bits a second. */
export const DEFAULT_MAX_BPS = 1_000_000_000;

/** How often time is looked at without feedback. */
const PROCESS_INTERVAL_US = 100_000;
/** A queue under this does not keep from probing. */
const QUIET_QUEUE_US = 25_000;
/** Feedback that stays out for this and three round trips, while packets are under way, means trouble … */
const SILENCE_US = 1_500_000;
/** … and costs so much each second. */
const SILENCE_FACTOR = 0.8;
const SILENCE_STEP_US = 1_000_000;
/** A REMB holds for so long. */
const REMB_LIFETIME_US = 10_000_000;
const INITIAL_RTT_US = 100_000;

/** Bounds and wishes, bits a second; those left out stay as they are. */
export interface DesiredBitrate {
  /** What the application would send if it could: what is probed for. Default: the maximum. */
  readonly desiredBps?: number;
  readonly minBps?: number;
  readonly maxBps?: number;
}

/** Where a `BandwidthEstimator` starts. */
export interface BandwidthEstimatorOptions extends DesiredBitrate {
  readonly startBps?: number;
}

/** The state of an estimator, for stats and trace events. */
export interface BandwidthTrace {
  readonly type: 'transport-cc' | 'remb' | 'loss';
  readonly availableBps: number;
  readonly desiredBps: number;
  /** The desired bitrate within the bounds. */
  readonly effectiveDesiredBps: number;
  readonly minBps: number;
  readonly maxBps: number;
  readonly startBps: number;
  readonly delayBasedBps: number;
  /** Without end when loss sets no limit. */
  readonly lossBasedBps: number;
  readonly throughputBps: number | undefined;
  readonly usage: BandwidthUsage;
  readonly standingQueueMs: number;
  /** Part of the packets that the path loses by its nature, 0–1. */
  readonly inherentLoss: number;
  readonly rttMs: number;
  readonly isApplicationLimited: boolean;
}

/**
 * How much can be sent to a peer: the send side of Google congestion control over transport-wide feedback
 * (draft-ietf-rmcat-gcc-02), with probes; receiver reports and REMB for peers that give no such feedback. Times are
 * microseconds of one clock that does not go back; what comes from the peer is never trusted to be sensible.
 */
export class BandwidthEstimator {
  readonly #history = new SentPacketHistory();
  readonly #adapter = new FeedbackAdapter(this.#history);
  readonly #throughput = new ThroughputEstimator();
  readonly #probeBitrate = new ProbeBitrateEstimator();
  readonly #probes = new ProbeController();
  readonly #rembProber = new RembProber();
  readonly #loss = new LossBasedController();
  readonly #alr: AlrDetector;
  readonly #delay: DelayBasedEstimator;
  readonly #reports: LossReportController;
  readonly #startBps: number;
  #desiredBps: number;
  #minBps: number;
  #maxBps: number;
  #rttUs: number = INITIAL_RTT_US;
  #rembBps: number | undefined;
  #rembUs = 0;
  #hasFeedback = false;
  #lastFeedbackUs = 0;
  #lastSilenceUs = 0;
  #lastProcessUs: number | undefined;
  #waiting: ProbeCluster[] = [];
  #tracedBps: number | undefined;

  constructor(options: BandwidthEstimatorOptions = {}) {
    const { startBps = DEFAULT_START_BPS, minBps = DEFAULT_MIN_BPS, maxBps = DEFAULT_MAX_BPS } = options;
    this.#startBps = startBps;
    this.#minBps = minBps;
    this.#maxBps = Math.max(maxBps, minBps);
    this.#desiredBps = options.desiredBps ?? this.#maxBps;
    this.#delay = new DelayBasedEstimator({ startBps, minBps, maxBps: this.#maxBps });
    this.#reports = new LossReportController(startBps);
    this.#alr = new AlrDetector(startBps);
  }

  /** What may be sent now, bits a second, all bytes on the link counted. */
  get targetBps(): number {
    const limitBps = Math.min(this.#loss.limitBps, this.#freshRembBps);
    const estimateBps = this.#hasFeedback ? this.#delay.targetBps : this.#reports.targetBps;
    return this.#bounded(Math.min(estimateBps, limitBps));
  }

  /**
   * What the path is thought to carry: `targetBps` without the moments in which less is sent to empty a queue or to try
   * the path. Layers are chosen by this.
   */
  get estimateBps(): number {
    const limitBps = Math.min(this.#loss.bandwidthBps, this.#freshRembBps);
    const estimateBps = this.#hasFeedback ? this.#delay.estimateBps : this.#reports.targetBps;
    return this.#bounded(Math.min(estimateBps, limitBps));
  }

  /** Part of what is sent that got lost lately, without what was lost beside a queue, 0–1. */
  get lossFraction(): number {
    return this.#hasFeedback ? this.#loss.averageLoss : this.#reports.lossFraction;
  }

  /** Shortest round trip of the last feedback, milliseconds. */
  get rttMs(): number {
    return this.#rttUs / 1000;
  }

  /** Bytes under way of which nothing is known. */
  get outstandingBytes(): number {
    return this.#history.outstandingBytes;
  }

  /** The transport is connected and a pacer runs: probing begins. */
  start(nowUs: number): void {
    this.#lastProcessUs = nowUs;
    this.#lastFeedbackUs = nowUs;
    this.#enqueue(this.#probes.start(this.#startBps, this.#probeState(), nowUs));
  }

  /** A packet with a transport-wide sequence number (16 bits, each by one more) goes out. */
  onPacketSent(sequenceNumber: number, sizeBytes: number, nowUs: number, probeClusterId?: number): void {
    this.#history.add(sequenceNumber, sizeBytes, nowUs, probeClusterId);
    this.#alr.onSent(sizeBytes, nowUs);
  }

  /** Transport-wide feedback came. What it tells twice or makes up is passed over. */
  onFeedback(feedback: TransportArrivals, nowUs: number): void {
    const { results, rttUs, passedOverBytes } = this.#adapter.adapt(feedback, nowUs);
    if (results.length === 0) return;
    this.#lastFeedbackUs = nowUs;
    if (rttUs !== undefined) {
      this.#hasFeedback = true;
      this.#rttUs = rttUs;
      this.#delay.setRtt(rttUs);
    }
    const received = byArrival(results);
    // Packets whose feedback was lost have arrived like those around them.
    const firstArrivalUs = received[0]?.arrivalUs;
    if (firstArrivalUs !== undefined && passedOverBytes > 0) this.#throughput.add(firstArrivalUs, passedOverBytes);
    for (const { arrivalUs, sizeBytes, isLate } of received) if (!isLate) this.#throughput.add(arrivalUs!, sizeBytes);
    if (received.length > 0) this.#delay.update(received, this.#carriedBps, nowUs);
    const lossState = { isQueueing: this.#delay.isQueueing, isApplicationLimited: this.#alr.isLimited };
    if (this.#loss.update(results, lossState)) this.#delay.onOverflow(this.#throughput.bitrateBps, nowUs);
    if (this.#loss.bandwidthBps < this.#delay.estimateBps) this.#delay.reduce(this.#loss.bandwidthBps, nowUs);
    const path = { baseDelayUs: this.#delay.baseDelayUs, inherentLoss: this.#loss.inherentLoss };
    for (const result of this.#probeBitrate.update(results, path)) {
      const isConfirmation = this.#probes.isConfirmation(result.clusterId);
      const isTaken = this.#delay.onProbe(result, { isConfirmation, isApplicationLimited: this.#alr.isLimited }, nowUs);
      this.#enqueue(this.#probes.onResult(result, isTaken, this.#probeState(), nowUs));
    }
    this.#process(nowUs);
  }

  /**
   * A receiver report came; counts only while there is no transport-wide feedback.
   * @param lossFraction 0–1
   */
  onReceiverReport(lossFraction: number, rttMs: number, nowUs: number): void {
    const rttUs = Number.isFinite(rttMs) && rttMs >= 0 ? rttMs * 1000 : this.#rttUs;
    if (!this.#hasFeedback) this.#rttUs = rttUs;
    this.#reports.onReport(lossFraction, rttUs, nowUs);
    this.#reports.bound(this.#minBps, Math.min(this.#maxBps, this.#freshRembBps));
  }

  /** A receiver's estimate came: a bound, and without transport-wide feedback the estimate. Holds for 10 s. */
  onRemb(bitrateBps: number, nowUs: number): void {
    if (!(bitrateBps >= 0)) return;
    this.#rembBps = bitrateBps;
    this.#rembUs = nowUs;
    this.#rembProber.onRemb(bitrateBps);
    if (!this.#hasFeedback) this.#reports.setEstimate(this.#bounded(bitrateBps));
  }

  /** Sets bounds and wishes; a raised wish is probed for. */
  setDesiredBitrate(wanted: DesiredBitrate): void {
    this.#minBps = wanted.minBps ?? this.#minBps;
    this.#maxBps = Math.max(wanted.maxBps ?? this.#maxBps, this.#minBps);
    const before = this.#desiredBps;
    this.#desiredBps = wanted.desiredBps ?? this.#desiredBps;
    this.#delay.setBounds(this.#minBps, this.#maxBps);
    this.#reports.bound(this.#minBps, this.#maxBps);
    if (this.#desiredBps > before && this.#desiredBps > this.estimateBps) this.#probes.request();
  }

  /** Asks for a probe as soon as the path is quiet, say before a higher layer is switched on. */
  requestProbe(): void {
    this.#probes.request();
  }

  /** The probes to send, for the pacer; each is given once. */
  takeProbes(): readonly ProbeCluster[] {
    const taken = this.#waiting;
    if (taken.length > 0) this.#waiting = [];
    return taken;
  }

  nextTimeoutMs(): number | undefined {
    return this.#lastProcessUs === undefined ? undefined : (this.#lastProcessUs + PROCESS_INTERVAL_US) / 1000;
  }

  handleTimeout(nowMs: number): void {
    const nowUs = Math.round(nowMs * 1000);
    this.#alr.onSent(0, nowUs);
    if (this.#rembBps !== undefined && nowUs - this.#rembUs > REMB_LIFETIME_US) this.#rembBps = undefined;
    const silentUs = nowUs - Math.max(this.#lastFeedbackUs, this.#lastSilenceUs);
    const isSilent = nowUs - this.#lastFeedbackUs > SILENCE_US + 3 * this.#rttUs;
    if (this.#hasFeedback && isSilent && silentUs >= SILENCE_STEP_US && this.#history.outstandingBytes > 0) {
      this.#lastSilenceUs = nowUs;
      this.#delay.reduce(this.#delay.estimateBps * SILENCE_FACTOR, nowUs);
    }
    this.#process(nowUs);
  }

  /** The state as it is. */
  trace(): BandwidthTrace {
    return {
      type: this.#hasFeedback ? 'transport-cc' : this.#rembBps === undefined ? 'loss' : 'remb',
      availableBps: this.targetBps,
      desiredBps: this.#desiredBps,
      effectiveDesiredBps: this.#bounded(this.#desiredBps),
      minBps: this.#minBps,
      maxBps: this.#maxBps,
      startBps: this.#startBps,
      delayBasedBps: this.#delay.estimateBps,
      lossBasedBps: this.#loss.limitBps,
      throughputBps: this.#throughput.bitrateBps,
      usage: this.#delay.usage,
      standingQueueMs: this.#delay.standingQueueUs / 1000,
      inherentLoss: this.#loss.inherentLoss,
      rttMs: this.rttMs,
      isApplicationLimited: this.#alr.isLimited,
    };
  }

  /** The state when the available bitrate is another than when this was last called, for trace events. */
  takeTrace(): BandwidthTrace | undefined {
    const { targetBps } = this;
    if (targetBps === this.#tracedBps) return undefined;
    this.#tracedBps = targetBps;
    return this.trace();
  }

  /** What the path carries of ours: what arrives, and what the path loses by its nature took its place on it too. */
  get #carriedBps(): number | undefined {
    const arrivedBps = this.#throughput.bitrateBps;
    return arrivedBps === undefined ? undefined : arrivedBps / (1 - this.#loss.inherentLoss);
  }

  get #freshRembBps(): number {
    return this.#rembBps ?? Number.POSITIVE_INFINITY;
  }

  #process(nowUs: number): void {
    this.#lastProcessUs = nowUs;
    this.#enqueue(this.#probes.update(this.#probeState(), nowUs));
    // Who sends all that may be sent shows by that what there is. Packets without numbers are not seen here: an SFU always pads.
    if (this.#rembBps !== undefined && !this.#hasFeedback && this.#alr.isLimited) {
      const wishBps = this.#bounded(this.#desiredBps);
      for (const probe of this.#rembProber.update(this.estimateBps, wishBps, nowUs)) this.#wait(probe);
    }
    this.#alr.setTarget(this.targetBps);
  }

  #probeState(): ProbeState {
    const isOverusing = this.#delay.usage === 'overusing' || this.#delay.isDraining;
    const isQueueShort = !isOverusing && this.#delay.standingQueueUs < QUIET_QUEUE_US;
    return {
      estimateBps: this.estimateBps,
      desiredBps: this.#desiredBps,
      maxBps: Math.min(this.#maxBps, this.#freshRembBps),
      isApplicationLimited: this.#alr.isLimited,
      // Without feedback nobody would tell what became of a probe.
      isPathQuiet: this.#hasFeedback && isQueueShort && this.#loss.limitBps > this.#delay.estimateBps,
      lastDecreaseUs: this.#delay.lastDecreaseUs,
      rttUs: this.#rttUs,
      isCapacityKnown: this.#delay.capacityBps !== undefined,
    };
  }

  #enqueue(clusters: readonly ProbeCluster[]): void {
    for (const cluster of clusters) {
      this.#probeBitrate.open(cluster);
      this.#wait(cluster);
    }
  }

  #wait(cluster: ProbeCluster): void {
    this.#waiting.push(cluster);
    if (this.#waiting.length > MAX_OPEN_PROBES) this.#waiting.shift();
  }

  #bounded(bitrateBps: number): number {
    return Math.min(Math.max(bitrateBps, this.#minBps), this.#maxBps);
  }
}

/** What arrived, in the order of arrival; in the order of sending where that is the same time. */
function byArrival(results: readonly PacketResult[]): PacketResult[] {
  return results.filter(({ arrivalUs }) => arrivalUs !== undefined).sort((a, b) => a.arrivalUs! - b.arrivalUs!);
}
