import type { TransportWideFeedback } from '../../protocol/rtp/rtcp-transport-wide-feedback.ts';
import { BandwidthEstimator, DEFAULT_MAX_BPS, DEFAULT_MIN_BPS } from '../bwe/bandwidth-estimator.ts';
import { Pacer } from '../bwe/pacer.ts';
import type { Consumer } from '../consumers/consumer.ts';
import type { RouterEnvironment } from '../router-environment.ts';
import { Allowance } from '../streams/allowance.ts';
import { distributeBitrate } from './bitrate-distribution.ts';
import { LossFraction } from './loss-fraction.ts';
import type { PacketSender } from './packet-sender.ts';
import { ProbationStream } from './probation-stream.ts';
import type { PathFeedback } from './rtcp-receiver.ts';
import { hasPathFeedback } from './rtp-parameters.ts';
import type { TransportStreams } from './transport-streams.ts';

/** Layers are chosen anew at least this often, milliseconds: what they take changes. */
const DISTRIBUTION_INTERVAL_MS = 1000;
/** What a peer tells of the path leads to that no more often, milliseconds: it may tell something else with each packet. */
export const MIN_DISTRIBUTION_INTERVAL_MS = 20;
/** More than what is sent is wished for, so that there is room when it grows. */
const WISH_FACTOR = 1.35;
const UNLIMITED = 1e12;
/** Packets that feedback may tell of at once, and for each that is sent: what came late is told of with those around it. */
export const MAX_TOLD_PACKETS = 16_384;
export const TOLD_PER_PACKET = 4;

/** What the sending side of a transport works with. */
export interface SendingPathOptions {
  readonly transportId: string;
  readonly sender: PacketSender;
  readonly streams: TransportStreams;
  readonly environment: RouterEnvironment;
  readonly startBps: number | undefined;
  /** `nextTimeoutMs` may be earlier than it was. */
  readonly plan: () => void;
}

/**
 * How much can be sent to the peer, found out by its feedback and by probes, and which layers that is enough for. Without
 * viewers of video whose feedback tells it, everything is sent.
 */
export class SendingPath implements PathFeedback {
  readonly #options: SendingPathOptions;
  #estimator: BandwidthEstimator | undefined;
  #pacer: Pacer<never> | undefined;
  #probation: ProbationStream | undefined;
  readonly #loss = new LossFraction();
  readonly #allowance = new Allowance(MAX_TOLD_PACKETS, TOLD_PER_PACKET);
  #isStarted = false;
  /** When it was done last, where it is done again and again. */
  #distributedMs: number | undefined;
  #lastDistributionMs = Number.NEGATIVE_INFINITY;
  #distributedBps = 0;
  #minBps = 0;
  #maxBps = 0;
  #traces: readonly string[] = [];

  constructor(options: SendingPathOptions) {
    this.#options = options;
  }

  get traceTypes(): readonly string[] {
    return this.#traces;
  }

  /** Traces `probation` and `bwe` as named. */
  enableTrace(types: readonly string[]): void {
    this.#traces = ['probation', 'bwe'].filter((type) => types.includes(type));
  }

  /** There is somewhere to send to. */
  start(nowMs: number): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#estimator?.start(Math.round(nowMs * 1000));
    this.distribute();
  }

  /** Bits a second; 0: no limit. */
  setLimits(limits: { readonly minBps?: number; readonly maxBps?: number }): void {
    this.#minBps = limits.minBps ?? this.#minBps;
    this.#maxBps = limits.maxBps ?? this.#maxBps;
    this.#applyLimits();
    this.distribute();
  }

  get minBitrate(): number {
    return this.#minBps;
  }

  get maxBitrate(): number {
    return this.#maxBps;
  }

  /** Consumers have come or gone. */
  consumersChanged(): void {
    if (this.#estimator === undefined) {
      const first = [...this.#options.streams.consumers.values()].find(tellsBandwidth);
      if (first !== undefined) this.#createEstimator(first);
    }
    this.distribute();
  }

  mayTell(packets: number): boolean {
    return this.#estimator !== undefined && this.#allowance.take(packets);
  }

  onTransportFeedback(feedback: TransportWideFeedback, nowMs: number): void {
    this.#loss.add(feedback.arrivalsUs);
    this.#estimator?.onFeedback(feedback, Math.round(nowMs * 1000));
    this.#follow(nowMs);
  }

  onRemb(bitrateBps: number, nowMs: number): void {
    this.#estimator?.onRemb(bitrateBps, Math.round(nowMs * 1000));
    this.#follow(nowMs);
  }

  onReceiverReport(lossFraction: number, rttMs: number | undefined, nowMs: number): void {
    if (rttMs !== undefined) this.#estimator?.onReceiverReport(lossFraction, rttMs, Math.round(nowMs * 1000));
  }

  /** Chooses layers anew for what can be sent. */
  distribute(): void {
    const { environment, streams, sender } = this.#options;
    if (!sender.isOpen) return;
    const nowMs = environment.clock.nowMs();
    this.#lastDistributionMs = nowMs;
    const availableBps = this.#estimator?.estimateBps ?? UNLIMITED;
    this.#distributedBps = availableBps;
    // What gets lost is sent again, and takes its share.
    const mediaBps = availableBps * (1 - (this.#estimator?.lossFraction ?? 0));
    const takers = [...streams.consumers.values()].filter((one) => one.kind === 'video' && one.isActive);
    // Nothing comes of it by itself where nothing is estimated and nobody has a choice.
    const hasChoice = this.#estimator !== undefined || takers.some(({ hasLayers }) => hasLayers);
    this.#distributedMs = hasChoice ? nowMs : undefined;
    const wishBps = distributeBitrate(takers, mediaBps, nowMs) * WISH_FACTOR;
    if (wishBps > 0) this.#estimator?.setDesiredBitrate({ desiredBps: wishBps });
    this.#options.plan();
  }

  nextTimeoutMs(): number | undefined {
    if (!this.#isStarted) return undefined;
    const distributionMs =
      this.#distributedMs === undefined ? undefined : this.#distributedMs + DISTRIBUTION_INTERVAL_MS;
    const next = Math.min(
      distributionMs ?? Number.POSITIVE_INFINITY,
      this.#estimator?.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
      this.#pacer?.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
    );
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  handleTimeout(nowMs: number): void {
    const estimatorMs = this.#estimator?.nextTimeoutMs();
    if (estimatorMs !== undefined && nowMs >= estimatorMs) this.#estimator!.handleTimeout(nowMs);
    this.#follow(nowMs);
    const pacerMs = this.#pacer?.nextTimeoutMs();
    if (pacerMs !== undefined && nowMs >= pacerMs) this.#pacer!.handleTimeout(nowMs);
    // As `nextTimeoutMs` adds it up: a difference is rounded otherwise, and the timeout would be due again at once.
    const dueMs = (this.#distributedMs ?? Number.POSITIVE_INFINITY) + DISTRIBUTION_INTERVAL_MS;
    if (nowMs >= dueMs) this.distribute();
  }

  /** With the names of the API. */
  stats(): object {
    const estimateBps = this.#estimator?.estimateBps;
    const loss = this.#loss.value;
    return {
      ...(estimateBps === undefined ? {} : { availableOutgoingBitrate: Math.floor(estimateBps) }),
      ...(this.#maxBps === 0 ? {} : { maxOutgoingBitrate: this.#maxBps }),
      ...(this.#minBps === 0 ? {} : { minOutgoingBitrate: this.#minBps }),
      ...(loss === undefined ? {} : { rtpPacketLossSent: loss }),
    };
  }

  #createEstimator(consumer: Consumer): void {
    const { sender, environment, startBps } = this.#options;
    const estimator = new BandwidthEstimator(startBps === undefined ? {} : { startBps });
    const probation = new ProbationStream(consumer.rtpParameters, sender, environment.random());
    this.#estimator = estimator;
    this.#probation = probation;
    this.#pacer = new Pacer<never>(
      {
        send: () => undefined,
        sendPadding: (sizeBytes, clusterId, nowUs) => this.#sendPadding(sizeBytes, clusterId, nowUs),
        drop: () => undefined,
      },
      estimator.targetBps,
    );
    sender.onNumbered = (number, sizeBytes, nowMs, clusterId) => {
      this.#allowance.earn();
      estimator.onPacketSent(number, sizeBytes, Math.round(nowMs * 1000), clusterId);
    };
    this.#applyLimits();
    if (this.#isStarted) estimator.start(Math.round(environment.clock.nowMs() * 1000));
  }

  #sendPadding(sizeBytes: number, clusterId: number, nowUs: number): number {
    const sentBytes = this.#probation!.send(sizeBytes, clusterId, nowUs / 1000);
    if (sentBytes > 0 && this.#traces.includes('probation')) this.#trace('probation', {}, nowUs / 1000);
    return sentBytes;
  }

  #applyLimits(): void {
    this.#estimator?.setDesiredBitrate({
      minBps: this.#minBps === 0 ? DEFAULT_MIN_BPS : this.#minBps,
      maxBps: this.#maxBps === 0 ? DEFAULT_MAX_BPS : this.#maxBps,
    });
  }

  #follow(nowMs: number): void {
    const estimator = this.#estimator;
    if (estimator === undefined) return;
    this.#pacer!.setTarget(estimator.targetBps);
    this.#pacer!.addProbes(estimator.takeProbes());
    const trace = estimator.takeTrace();
    if (trace !== undefined && this.#traces.includes('bwe')) {
      const info = {
        desiredBitrate: trace.desiredBps,
        effectiveDesiredBitrate: trace.effectiveDesiredBps,
        minBitrate: trace.minBps,
        maxBitrate: trace.maxBps,
        startBitrate: trace.startBps,
        maxPaddingBitrate: 0,
        availableBitrate: Math.floor(trace.availableBps),
        bweType: trace.type === 'transport-cc' ? 'transport-cc' : 'remb',
      };
      this.#trace('bwe', info, nowMs);
    }
    const changed = Math.abs(estimator.estimateBps - this.#distributedBps);
    // What is too early now is seen at the next time of the estimator.
    const isSoon = nowMs - this.#lastDistributionMs < MIN_DISTRIBUTION_INTERVAL_MS;
    if (changed > this.#distributedBps * 0.05 && !isSoon) this.distribute();
  }

  #trace(type: string, info: object, nowMs: number): void {
    const { transportId, environment } = this.#options;
    environment.notify(transportId, 'trace', { type, timestamp: Math.floor(nowMs), direction: 'out', info });
  }
}

/** Whether the receiver of a consumer tells how much arrives. */
function tellsBandwidth({ kind, rtpParameters }: Consumer): boolean {
  if (kind !== 'video') return false;
  return hasPathFeedback(rtpParameters, 'transport-cc') || hasPathFeedback(rtpParameters, 'goog-remb');
}
