import type { ReportBlock } from '../../protocol/rtp/rtcp-report.ts';
import { StateError } from '../../wire/errors.ts';
import type { NtpTime } from '../../wire/ntp-time.ts';
import { type Producer, streamParameters } from '../producer.ts';
import type { PacketTaker, ProducerPacket } from '../producer-packet.ts';
import type { ProducerStream } from '../producer-stream.ts';
import { ProducerTrace } from '../producer-trace.ts';
import type { RouterEnvironment, SfuErrorCode } from '../router-environment.ts';
import type { StreamParameters } from '../streams/stream-parameters.ts';
import type { BitrateTaker } from '../transports/bitrate-distribution.ts';
import type { PacketSender } from '../transports/packet-sender.ts';
import {
  type ConsumableEncoding,
  dumpRtpParameters,
  isRtxCodec,
  type MediaKind,
  type RtpEncodingParameters,
  type RtpParameters,
  type StreamsType,
} from '../transports/rtp-parameters.ts';
import { OutputStream } from './output-stream.ts';

/** Layers a viewer wants at most, or has. */
export interface ConsumerLayers {
  readonly spatialLayer: number;
  readonly temporalLayer?: number;
}

/** What control tells of a consumer. */
export interface ConsumerOptions {
  readonly id: string;
  readonly kind: MediaKind;
  readonly type: StreamsType;
  readonly rtpParameters: RtpParameters;
  readonly consumableRtpEncodings: readonly ConsumableEncoding[];
  readonly paused?: boolean;
  readonly preferredLayers?: ConsumerLayers;
  /** Silence of Opus is not forwarded. */
  readonly ignoreDtx?: boolean;
}

/** Where a consumer is. */
export interface ConsumerContext {
  readonly producer: Producer;
  readonly sender: PacketSender;
  readonly environment: RouterEnvironment;
  /** What it wants of the bandwidth has changed. */
  readonly onBitrateWish: () => void;
  /** One of its streams begins: as `OutputStreamOptions.onBegin`. */
  readonly onBegin: (consumer: Consumer, output: OutputStream) => void;
}

/** The score of a consumer as control is told it. */
export interface ConsumerScore {
  readonly score: number;
  readonly producerScore: number;
  readonly producerScores: readonly number[];
}

/** A producer's media on its way to one viewer: what all kinds of consumers have in common. */
export abstract class Consumer implements PacketTaker, BitrateTaker {
  readonly id: string;
  readonly kind: MediaKind;
  readonly type: StreamsType;
  readonly rtpParameters: RtpParameters;
  readonly consumableRtpEncodings: readonly ConsumableEncoding[];
  readonly producer: Producer;
  readonly trace: ProducerTrace;
  /** The streams it sends. */
  readonly outputs: readonly OutputStream[];
  protected readonly context: ConsumerContext;
  readonly #payloadTypes: readonly number[];
  /** By the producer's: those the viewer takes. */
  readonly #sentPayloadTypes = new Map<number, number>();
  #priority = 1;
  #isPaused: boolean;
  #isProducerPaused: boolean;
  #isConnected: boolean;
  #lastScore = '';

  /** @throws StateError `sfu/bad-request` */
  constructor(options: ConsumerOptions, context: ConsumerContext) {
    const { id, kind, type, rtpParameters, consumableRtpEncodings, paused = false } = options;
    const { producer, sender } = context;
    this.id = id;
    this.kind = kind;
    this.type = type;
    this.rtpParameters = rtpParameters;
    this.consumableRtpEncodings = consumableRtpEncodings;
    this.producer = producer;
    this.context = context;
    this.trace = new ProducerTrace(id, context.environment, rtpParameters);
    this.#isPaused = paused;
    this.#isProducerPaused = producer.paused;
    this.#isConnected = sender.isOpen;
    const media = rtpParameters.codecs.filter((codec) => !isRtxCodec(codec));
    this.#payloadTypes = media.map(({ payloadType }) => payloadType);
    for (const [payloadType, mapped] of producer.mappedPayloadTypes) {
      if (this.#payloadTypes.includes(mapped)) this.#sentPayloadTypes.set(payloadType, mapped);
    }
    const encodings = rtpParameters.encodings ?? [];
    if (media.length === 0 || encodings.length === 0) {
      throw new StateError('sfu/bad-request' satisfies SfuErrorCode, 'a consumer without codecs or encodings');
    }
    this.outputs = encodings.map((encoding, index) => this.#createOutput(encoding, index));
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  get isProducerPaused(): boolean {
    return this.#isProducerPaused;
  }

  /** Whether packets are to be sent. */
  get isActive(): boolean {
    return this.#isConnected && !this.#isPaused && !this.#isProducerPaused;
  }

  /** Beside others, 1–255. */
  get priority(): number {
    return this.#priority;
  }

  /** @returns what it is then */
  setPriority(priority: number): number {
    this.#priority = Math.min(255, Math.max(1, Math.floor(priority)));
    this.context.onBitrateWish();
    return this.#priority;
  }

  /** The best layers that are wanted; undefined for what has none. */
  get preferredLayers(): ConsumerLayers | undefined {
    return undefined;
  }

  /** @returns what is wanted then; nothing for what has no layers */
  setPreferredLayers(_layers: ConsumerLayers): ConsumerLayers | undefined {
    return undefined;
  }

  /** What `dump` shows besides what all have. */
  protected abstract dumpOwn(): object;

  dump(): object {
    const { id, kind, type, rtpParameters, consumableRtpEncodings, producer, priority, trace } = this;
    return {
      id,
      producerId: producer.id,
      kind,
      type,
      rtpParameters: dumpRtpParameters(rtpParameters),
      consumableRtpEncodings,
      supportedCodecPayloadTypes: [...this.#payloadTypes],
      traceEventTypes: trace.types,
      paused: this.#isPaused,
      producerPaused: this.#isProducerPaused,
      priority,
      ...this.dumpOwn(),
    };
  }

  /** Of what it sends, then of what it sends at present as the producer receives it. */
  stats(nowMs: number): object[] {
    const source = this.currentSource();
    const sent = this.outputs.map((output) => output.sent.stats(nowMs));
    return source === undefined ? sent : [...sent, source.received.stats(nowMs)];
  }

  get score(): ConsumerScore {
    const producerScores = this.producer.streams.map((stream) => stream?.received.score ?? 0);
    const score = Math.min(...this.outputs.map(({ sent }) => sent.score));
    return { score, producerScore: this.producerScore(), producerScores };
  }

  /** Whether there is a choice of what to send. */
  get hasLayers(): boolean {
    return false;
  }

  abstract takePacket(packet: ProducerPacket, stream: ProducerStream, nowMs: number): void;
  abstract streamAdded(stream: ProducerStream): void;
  /** What each layer takes with all below it, bits a second; one entry for what has no layers. */
  abstract layerBitrates(nowMs: number): readonly number[];
  /** Sends this layer of what `layerBitrates` gave, −1: nothing. */
  abstract takeLayer(index: number, nowMs: number): void;
  /** Asks the producer for a key frame of what is sent, or is to be. */
  abstract requestKeyFrame(): void;
  /** The producer's stream that is sent at present; undefined when none is, or all are. */
  protected abstract currentSource(): ProducerStream | undefined;

  /** The score of the producer's stream that is sent. */
  protected producerScore(): number {
    return this.currentSource()?.received.score ?? 0;
  }

  /** It has become active, or is no more. */
  protected abstract activityChanged(isActive: boolean): void;

  scoreChanged(): void {
    this.tellScore();
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#change(() => {
      this.#isPaused = true;
    });
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#change(() => {
      this.#isPaused = false;
    });
  }

  producerPaused(): void {
    if (this.#isProducerPaused) return;
    this.#change(() => {
      this.#isProducerPaused = true;
    });
    this.context.environment.notify(this.id, 'producerpause');
  }

  producerResumed(): void {
    if (!this.#isProducerPaused) return;
    this.#change(() => {
      this.#isProducerPaused = false;
    });
    this.context.environment.notify(this.id, 'producerresume');
  }

  /** The transport can send now, or no more. */
  setConnected(isConnected: boolean): void {
    if (this.#isConnected === isConnected) return;
    this.#change(() => {
      this.#isConnected = isConnected;
    });
  }

  #change(change: () => void): void {
    const wasActive = this.isActive;
    change();
    if (wasActive === this.isActive) return;
    if (wasActive) for (const { sent } of this.outputs) sent.pause();
    this.activityChanged(!wasActive);
    this.context.onBitrateWish();
  }

  /** The receiver asks for packets again. */
  receiveNack(output: OutputStream, sequenceNumbers: readonly number[], nowMs: number): void {
    this.trace.nack('in');
    if (this.isActive) output.answerNack(sequenceNumbers, output.sent.params.payloadType, nowMs);
  }

  /** The receiver wants a key frame. */
  receiveKeyFrameRequest(type: 'pli' | 'fir', output: OutputStream): void {
    if (type === 'pli') output.sent.receivePli();
    else output.sent.receiveFir();
    this.trace.keyFrameRequest('in', type, output.sent.params.ssrc);
    if (this.isActive) this.requestKeyFrame();
  }

  /** The receiver's report on one of the streams. */
  receiveReport(output: OutputStream, block: ReportBlock, now: NtpTime): void {
    output.sent.receiveReport(block, now);
    this.tellScore();
  }

  /** Tells control the score when it has changed. */
  protected tellScore(): void {
    const { score } = this;
    const text = JSON.stringify(score);
    if (text === this.#lastScore) return;
    this.#lastScore = text;
    this.context.environment.notify(this.id, 'score', score);
  }

  /** The payload type a packet is sent with; −1 when the viewer does not take it. */
  protected payloadTypeOf({ view }: ProducerPacket): number {
    return this.#sentPayloadTypes.get(view.payloadType) ?? -1;
  }

  #createOutput(encoding: RtpEncodingParameters, index: number): OutputStream {
    const { producer, sender, environment, onBegin } = this.context;
    const params = this.#outputParameters(encoding, index);
    return new OutputStream({
      consumerId: this.id,
      params,
      sender,
      producerParameters: producer.packetParameters,
      consumerParameters: this.rtpParameters,
      producerStreams: producer.streams,
      trace: this.trace,
      random: () => environment.random(),
      onBegin: (begun) => onBegin(this, begun),
    });
  }

  #outputParameters(encoding: RtpEncodingParameters, index: number): StreamParameters {
    const { ssrc } = encoding;
    const params =
      ssrc === undefined ? undefined : streamParameters(this.rtpParameters, encoding, index, ssrc, encoding.rtx?.ssrc);
    if (params === undefined) {
      throw new StateError('sfu/bad-request' satisfies SfuErrorCode, 'an encoding without SSRC or codec');
    }
    return params;
  }
}
