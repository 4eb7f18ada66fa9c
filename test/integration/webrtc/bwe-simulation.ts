/**
 * A sender with the bandwidth estimator and the pacer, a bottleneck, and a receiver that gives transport-wide feedback,
 * in virtual time. The feedback goes over the wire form.
 */
import { parseRtcp } from '../../../src/protocol/rtp/rtcp-packet.ts';
import {
  readTransportWideFeedback,
  writeTransportWideFeedback,
} from '../../../src/protocol/rtp/rtcp-transport-wide-feedback.ts';
import { ArrivalRecorder } from '../../../src/sfu/bwe/arrival-recorder.ts';
import { BandwidthEstimator, type BandwidthEstimatorOptions } from '../../../src/sfu/bwe/bandwidth-estimator.ts';
import { ARRIVAL_WRAP_US } from '../../../src/sfu/bwe/feedback-adapter.ts';
import { Pacer } from '../../../src/sfu/bwe/pacer.ts';
import { ReceiveSideEstimator } from '../../../src/sfu/bwe/receive-side-estimator.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import { Random } from '../../fuzz/mutator.ts';
import { type Link, type LinkOptions, type NetPeer, SimulatedNetwork } from '../../peers/netem.ts';

const FRAME_MS = 1000 / 30;
const MTU = 1200;
const CROSS_BYTES = 1000;
const SAMPLE_MS = 10;

const MEDIA = 1;
const PADDING = 2;
const CROSS = 3;
/** Stands for an RTCP packet with REMB; 32 bits of bits a second follow. */
const REMB = 4;

/** One simulated call. */
export interface Scenario {
  readonly name: string;
  readonly durationMs: number;
  /** Way there and back without a queue, default 50 ms. */
  readonly rttMs?: number;
  /** Bits a second of the bottleneck. */
  readonly bandwidthBps: (nowMs: number) => number;
  /** A constant flow through the same bottleneck, bits a second. */
  readonly crossBps?: (nowMs: number) => number;
  /** When the available bandwidth changes; 0 is the start. */
  readonly changesMs: readonly number[];
  readonly forward?: Partial<LinkOptions>;
  readonly back?: Partial<LinkOptions>;
  /** What the source would send at most, default 20 Mb/s. */
  readonly sourceBps?: number;
  /** How long the source takes to follow the target, default 0. */
  readonly sourceLagMs?: number;
  readonly estimator?: BandwidthEstimatorOptions;
  readonly feedbackMs?: number;
  /** What the receiver tells, default transport-wide feedback. */
  readonly feedback?: 'transport-wide' | 'remb';
  readonly seed?: number;
}

/** What was seen every 10 ms. */
export interface Sample {
  readonly atMs: number;
  readonly targetBps: number;
  readonly estimateBps: number;
  /** Waiting time at the bottleneck. */
  readonly queueMs: number;
  /** Bytes of ours that have passed the bottleneck so far, padding too. */
  readonly passedBytes: number;
  readonly availableBps: number;
}

/** A call that is over. */
export interface SimulationResult {
  readonly samples: readonly Sample[];
  /** Part of our packets that did not arrive. */
  readonly lossRate: number;
  readonly sentBytes: number;
  readonly paddingBytes: number;
  readonly estimator: BandwidthEstimator;
}

class Sender implements NetPeer {
  transmit: ((bytes: Uint8Array) => void) | undefined;
  readonly estimator: BandwidthEstimator;
  readonly #pacer: Pacer<Uint8Array>;
  readonly #random: Random;
  readonly #sourceBps: number;
  readonly #lagFrames: number;
  /** Targets that the source has not followed yet, oldest first. */
  readonly #targets: number[] = [];
  #sequenceNumber = 65_000;
  #nextFrameMs = 0;
  sentPackets = 0;
  sentBytes = 0;
  paddingBytes = 0;

  constructor(scenario: Scenario) {
    this.#sourceBps = scenario.sourceBps ?? 20e6;
    this.#lagFrames = Math.round((scenario.sourceLagMs ?? 0) / FRAME_MS);
    this.estimator = new BandwidthEstimator({ desiredBps: this.#sourceBps, ...scenario.estimator });
    this.#random = new Random(scenario.seed ?? 1);
    this.#pacer = new Pacer<Uint8Array>(
      {
        send: (packet, clusterId, nowUs) => this.#send(packet, nowUs, clusterId),
        sendPadding: (sizeBytes, clusterId, nowUs) => {
          const bytes = new Uint8Array(Math.min(Math.max(sizeBytes, 100), MTU));
          bytes[0] = PADDING;
          this.paddingBytes += bytes.length;
          this.#send(bytes, nowUs, clusterId);
          return bytes.length;
        },
        drop: () => {},
      },
      this.estimator.targetBps,
    );
    this.estimator.start(0);
    this.#pacer.addProbes(this.estimator.takeProbes());
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    if (bytes[0] === REMB) {
      const rembBps = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
      this.estimator.onRemb(rembBps, Math.round(nowMs * 1000));
      this.#follow();
      return;
    }
    for (const packet of parseRtcp(bytes, { reducedSize: true }).packets) {
      if (packet.type !== 'transport-feedback') continue;
      const feedback = readTransportWideFeedback(packet);
      if (feedback !== undefined) this.estimator.onFeedback(feedback, Math.round(nowMs * 1000));
    }
    this.#follow();
  }

  nextTimeoutMs(): number | undefined {
    return Math.min(
      this.#nextFrameMs,
      this.#pacer.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
      this.estimator.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
    );
  }

  handleTimeout(nowMs: number): void {
    if (nowMs >= this.#nextFrameMs) this.#makeFrame(nowMs);
    if (nowMs >= (this.estimator.nextTimeoutMs() ?? Number.POSITIVE_INFINITY)) this.estimator.handleTimeout(nowMs);
    this.#follow();
    if (nowMs >= (this.#pacer.nextTimeoutMs() ?? Number.POSITIVE_INFINITY)) this.#pacer.handleTimeout(nowMs);
  }

  #follow(): void {
    this.#pacer.setTarget(this.estimator.targetBps);
    this.#pacer.addProbes(this.estimator.takeProbes());
  }

  #makeFrame(nowMs: number): void {
    this.#nextFrameMs += FRAME_MS;
    this.#targets.push(this.estimator.targetBps);
    const followedBps = this.#targets[0]!;
    if (this.#targets.length > this.#lagFrames) this.#targets.shift();
    const rateBps = Math.min(followedBps, this.#sourceBps);
    const variation = 0.8 + this.#random.below(401) / 1000;
    let left = Math.round((rateBps / 8000) * FRAME_MS * variation);
    const packets = Math.max(1, Math.ceil(left / MTU));
    for (let i = packets; i > 0; i--) {
      const bytes = new Uint8Array(Math.max(20, Math.round(left / i)));
      left -= bytes.length;
      bytes[0] = MEDIA;
      this.#pacer.enqueue(bytes, 'video', bytes.length, Math.round(nowMs * 1000));
    }
  }

  #send(bytes: Uint8Array, nowUs: number, clusterId: number | undefined): void {
    const sequenceNumber = this.#sequenceNumber;
    this.#sequenceNumber = (sequenceNumber + 1) & 0xffff;
    bytes[1] = sequenceNumber >>> 8;
    bytes[2] = sequenceNumber & 0xff;
    const absSendTime = Math.round((nowUs / 1e6) * 2 ** 18) & 0xff_ffff;
    bytes[3] = absSendTime >>> 16;
    bytes[4] = (absSendTime >>> 8) & 0xff;
    bytes[5] = absSendTime & 0xff;
    this.sentPackets++;
    this.sentBytes += bytes.length;
    this.estimator.onPacketSent(sequenceNumber, bytes.length, nowUs, clusterId);
    this.transmit?.(bytes);
  }
}

class Receiver implements NetPeer {
  transmit: ((bytes: Uint8Array) => void) | undefined;
  readonly #recorder: ArrivalRecorder;
  readonly #estimator: ReceiveSideEstimator | undefined;
  /** A clock of its own, whose reference time in feedback wraps after five seconds. */
  readonly #clockOffsetUs = ARRIVAL_WRAP_US - 5_000_000;
  received = 0;

  constructor({ feedbackMs, feedback }: Scenario) {
    this.#estimator = feedback === 'remb' ? new ReceiveSideEstimator() : undefined;
    this.#recorder = new ArrivalRecorder(feedbackMs === undefined ? {} : { intervalMs: feedbackMs });
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.received++;
    const arrivalUs = Math.round(nowMs * 1000) + this.#clockOffsetUs;
    if (this.#estimator === undefined) {
      this.#recorder.onPacket((bytes[1]! << 8) | bytes[2]!, arrivalUs);
    } else {
      this.#estimator.onPacket((bytes[3]! << 16) | (bytes[4]! << 8) | bytes[5]!, arrivalUs, bytes.length);
    }
  }

  nextTimeoutMs(): number | undefined {
    const dueMs = (this.#estimator ?? this.#recorder).nextTimeoutMs();
    return dueMs === undefined ? undefined : dueMs - this.#clockOffsetUs / 1000;
  }

  handleTimeout(nowMs: number): void {
    const rembBps = this.#estimator?.takeRemb(nowMs + this.#clockOffsetUs / 1000);
    if (rembBps !== undefined) {
      const bytes = new Uint8Array(5);
      bytes[0] = REMB;
      new DataView(bytes.buffer).setUint32(1, Math.round(rembBps));
      this.transmit?.(bytes);
    }
    for (const feedback of this.#recorder.takeFeedback(nowMs + this.#clockOffsetUs / 1000)) {
      const out = new ByteWriter();
      writeTransportWideFeedback({ senderSsrc: 1, mediaSsrc: 2 }, feedback, out);
      this.transmit?.(out.finish());
    }
  }
}

/** Runs a scenario to its end. */
export function simulate(scenario: Scenario): SimulationResult {
  const { rttMs = 50, seed = 1 } = scenario;
  const network = new SimulatedNetwork();
  const sender = new Sender(scenario);
  const receiver = new Receiver(scenario);
  const { bandwidthBps } = scenario;
  // In two, so that what passed the bottleneck can be told from what was lost behind it.
  const { queueBytes = 65_536, ...path } = scenario.forward ?? {};
  const bottleneck = network.link({ seed, bandwidthBps, queueBytes });
  const forward = network.link({ seed, delayMs: rttMs / 2, ...path });
  const back = network.link({ seed: ~seed, delayMs: rttMs / 2, ...scenario.back });
  let passedBytes = 0;
  bottleneck.onDatagram = (bytes) => {
    if (bytes[0] === CROSS) return;
    passedBytes += bytes.length;
    forward.send(bytes);
  };
  sender.transmit = (bytes) => bottleneck.send(bytes);
  forward.onDatagram = (bytes, nowMs) => receiver.receive(bytes, nowMs);
  receiver.transmit = (bytes) => back.send(bytes);
  back.onDatagram = (bytes, nowMs) => sender.receive(bytes, nowMs);
  network.add(sender);
  network.add(receiver);
  if (scenario.crossBps !== undefined) addCrossTraffic(network, bottleneck, scenario.crossBps);
  const samples: Sample[] = [];
  const sample = (): void => {
    const atMs = network.nowMs;
    samples.push({
      atMs,
      targetBps: sender.estimator.targetBps,
      estimateBps: sender.estimator.estimateBps,
      queueMs: (bottleneck.queuedBytes * 8000) / bandwidthBps(atMs),
      passedBytes,
      availableBps: bandwidthBps(atMs) - (scenario.crossBps?.(atMs) ?? 0),
    });
    if (atMs + SAMPLE_MS <= scenario.durationMs) network.schedule(SAMPLE_MS, sample);
  };
  sample();
  network.runUntil(scenario.durationMs);
  return {
    samples,
    lossRate: 1 - receiver.received / sender.sentPackets,
    sentBytes: sender.sentBytes,
    paddingBytes: sender.paddingBytes,
    estimator: sender.estimator,
  };
}

function addCrossTraffic(network: SimulatedNetwork, link: Link, crossBps: (nowMs: number) => number): void {
  const packet = new Uint8Array(CROSS_BYTES);
  packet[0] = CROSS;
  const next = (): void => {
    const rateBps = crossBps(network.nowMs);
    if (rateBps <= 0) {
      network.schedule(5, next);
      return;
    }
    link.send(packet);
    network.schedule((CROSS_BYTES * 8000) / rateBps, next);
  };
  next();
}

/** How a call went between one change of the bandwidth and the next. */
export interface Phase {
  readonly fromMs: number;
  readonly availableBps: number;
  /** Time until 85 % of the link was used over half a second with no queue over 100 ms in it; undefined: never. */
  readonly convergedMs: number | undefined;
  /** From 3 s after the change to the next one: part of the available bandwidth that was used. */
  readonly utilisation: number;
  /** The same time: waiting time that 95 % of the samples stay under. */
  readonly p95QueueMs: number;
  /** Of the whole phase. */
  readonly maxQueueMs: number;
}

const SETTLE_MS = 3000;
const WINDOW_MS = 500;
const WANTED_PART = 0.85;
const MAX_QUEUE_MS = 100;
const MIN_AVAILABLE_BPS = 1000;

/** The phases of a call, without those in which next to nothing passes. */
export function phasesOf(scenario: Scenario, { samples }: SimulationResult): Phase[] {
  return scenario.changesMs.flatMap((fromMs, index) => {
    const untilMs = scenario.changesMs[index + 1] ?? scenario.durationMs;
    const phase = samples.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
    const settled = phase.filter(({ atMs }) => atMs >= fromMs + SETTLE_MS);
    if (phase[0]!.availableBps < MIN_AVAILABLE_BPS) return [];
    const wantedBps = Math.min(phase[0]!.availableBps, scenario.sourceBps ?? Number.POSITIVE_INFINITY);
    const queues = settled.map(({ queueMs }) => queueMs).sort((a, b) => a - b);
    return {
      fromMs,
      availableBps: phase[0]!.availableBps,
      convergedMs: convergence(phase, wantedBps),
      utilisation: rateOf(settled) / wantedBps,
      p95QueueMs: queues[Math.floor(queues.length * 0.95)] ?? Number.NaN,
      maxQueueMs: Math.max(...phase.map(({ queueMs }) => queueMs)),
    };
  });
}

function rateOf(samples: readonly Sample[]): number {
  const first = samples[0];
  const last = samples[samples.length - 1];
  if (first === undefined || last === undefined || last === first) return 0;
  return ((last.passedBytes - first.passedBytes) * 8000) / (last.atMs - first.atMs);
}

function convergence(phase: readonly Sample[], wantedBps: number): number | undefined {
  const count = WINDOW_MS / SAMPLE_MS;
  for (let end = count; end < phase.length; end++) {
    const window = phase.slice(end - count, end + 1);
    if (rateOf(window) < WANTED_PART * wantedBps) continue;
    if (window.every(({ queueMs }) => queueMs <= MAX_QUEUE_MS)) return phase[end]!.atMs - phase[0]!.atMs;
  }
  return undefined;
}
