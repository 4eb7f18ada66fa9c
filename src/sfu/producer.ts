import { HEADER_EXTENSION_URI } from '../protocol/rtp/extensions/header-extension-uris.ts';
import { findStreamName } from '../protocol/rtp/extensions/stream-name.ts';
import { readVideoOrientation, toVideoOrientation } from '../protocol/rtp/extensions/video-orientation.ts';
import type { SenderReport } from '../protocol/rtp/rtcp-report.ts';
import type { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import { StateError } from '../wire/errors.ts';
import { PacketBurst } from './packet-burst.ts';
import { PacketIdWriter } from './packet-id-writer.ts';
import type { PacketTaker } from './producer-packet.ts';
import { ProducerStream } from './producer-stream.ts';
import { ProducerTrace } from './producer-trace.ts';
import type { RouterEnvironment, SfuErrorCode } from './router-environment.ts';
import { KeyFrameRequests } from './streams/key-frame-requests.ts';
import type { StreamParameters } from './streams/stream-parameters.ts';
import type { InboundStreamStats } from './streams/stream-stats.ts';
import {
  dumpRtpParameters,
  hasFeedback,
  headerExtensionId,
  type MediaKind,
  mediaCodecOf,
  mimeTypeOf,
  type RtpEncodingParameters,
  type RtpMapping,
  type RtpParameters,
  readScalabilityMode,
  rtxCodecOf,
  type StreamsType,
} from './transports/rtp-parameters.ts';

/** Streams of one producer that are found one after another, each for the one before it: so many at once … */
export const MAX_FOUND_STREAMS = 64;
/** … and one more each time so long has passed, milliseconds: a camera that is switched on every day has a new SSRC each time. */
export const FOUND_STREAM_INTERVAL_MS = 10_000;

/** Most encodings of one producer. */
export const MAX_ENCODINGS = 16;

/** What control tells of a producer. */
export interface ProducerOptions {
  readonly id: string;
  readonly kind: MediaKind;
  readonly rtpParameters: RtpParameters;
  readonly rtpMapping: RtpMapping;
  readonly paused?: boolean;
  /** Least time between two requests for a key frame, milliseconds. */
  readonly keyFrameRequestDelay?: number;
  /** Its packets get ids by which they are known in other routers. Default false. */
  readonly enableMediasoupPacketIdHeaderExtension?: boolean;
}

/** How a producer reaches its sender. */
export interface ProducerPort {
  /** Asks for a key frame, by PLI or FIR as the stream has it. */
  requestKeyFrame(stream: ProducerStream): void;
  /** Asks for packets to be sent again. */
  sendNack(stream: ProducerStream, sequenceNumbers: readonly number[]): void;
}

/** What `Producer.receive` says of a packet. */
export type PacketVerdict =
  /** It has been handed to the consumers. */
  | 'forwarded'
  /** The same, as a repair. */
  | 'repaired'
  | 'discarded'
  /** The same of a repair: mostly of what is here already, with which senders probe the path. */
  | 'repair-discarded';

/** Media that is sent to the router: the streams of one track. */
export class Producer {
  readonly id: string;
  readonly kind: MediaKind;
  readonly type: StreamsType;
  readonly rtpParameters: RtpParameters;
  readonly rtpMapping: RtpMapping;
  /** What packets have as consumers get them: `rtpParameters`, and what is added here. */
  readonly packetParameters: RtpParameters;
  readonly trace: ProducerTrace;
  readonly #environment: RouterEnvironment;
  readonly #port: ProducerPort;
  readonly #streams: (ProducerStream | undefined)[];
  readonly #bySsrc = new Map<number, ProducerStream>();
  readonly #byRtxSsrc = new Map<number, ProducerStream>();
  readonly #payloadTypes = new Map<number, number>();
  readonly #takers: PacketTaker[] = [];
  readonly #keyFrames: KeyFrameRequests;
  readonly #packetIds: PacketIdWriter | undefined;
  readonly #ridId: number;
  readonly #repairedRidId: number;
  readonly #orientationId: number;
  readonly #dependencyId: number;
  #orientation = -1;
  /** By encoding, as the streams. */
  readonly #bursts: PacketBurst[] = [];
  /** What is to be forwarded at the end of this turn. */
  #waiting: PacketBurst | undefined;
  #foundStreams = 0;
  /** Since when none of them was forgotten. */
  #foundSinceMs = 0;
  #isPaused: boolean;
  #lastScores = '';

  /** @throws StateError `sfu/bad-request` */
  constructor(options: ProducerOptions, environment: RouterEnvironment, port: ProducerPort) {
    const { id, kind, rtpParameters, rtpMapping, paused = false, keyFrameRequestDelay = 0 } = options;
    const encodings = rtpParameters.encodings ?? [];
    const count = encodings.length;
    if (count === 0 || count > MAX_ENCODINGS || count !== rtpMapping.encodings.length) {
      throw new StateError('sfu/bad-request' satisfies SfuErrorCode, 'encodings and their mapping do not fit');
    }
    this.id = id;
    this.kind = kind;
    this.rtpParameters = rtpParameters;
    this.rtpMapping = rtpMapping;
    this.type = streamsTypeOf(encodings);
    this.#packetIds =
      options.enableMediasoupPacketIdHeaderExtension === true
        ? new PacketIdWriter(rtpParameters, () => environment.nextPacketId())
        : undefined;
    this.packetParameters = this.#packetIds?.rtpParameters ?? rtpParameters;
    this.#environment = environment;
    this.#port = port;
    this.trace = new ProducerTrace(id, environment, rtpParameters);
    this.#isPaused = paused;
    this.#keyFrames = new KeyFrameRequests(keyFrameRequestDelay);
    this.#streams = encodings.map(() => undefined);
    for (const { payloadType, mappedPayloadType } of rtpMapping.codecs) {
      this.#payloadTypes.set(payloadType, mappedPayloadType);
    }
    this.#ridId = headerExtensionId(rtpParameters, HEADER_EXTENSION_URI.rid);
    this.#repairedRidId = headerExtensionId(rtpParameters, HEADER_EXTENSION_URI.repairedRid);
    this.#orientationId = headerExtensionId(rtpParameters, HEADER_EXTENSION_URI.videoOrientation);
    this.#dependencyId = headerExtensionId(rtpParameters, HEADER_EXTENSION_URI.dependencyDescriptor);
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  /** By encoding; undefined where nothing has come yet. */
  get streams(): readonly (ProducerStream | undefined)[] {
    return this.#streams;
  }

  /** Scores as control is told them. */
  get scores(): readonly { encodingIdx: number; ssrc: number; rid?: string; score: number }[] {
    return this.#active().map(({ params: { encodingIdx, ssrc, rid }, received }) => {
      return { encodingIdx, ssrc, ...(rid === undefined ? {} : { rid }), score: received.score };
    });
  }

  /** Adds a consumer; it is told of the streams there are. */
  addTaker(taker: PacketTaker): void {
    this.#takers.push(taker);
    for (const stream of this.#active()) taker.streamAdded(stream);
  }

  removeTaker(taker: PacketTaker): void {
    const at = this.#takers.indexOf(taker);
    if (at >= 0) this.#takers.splice(at, 1);
    if (this.#takers.length === 0) for (const stream of this.#active()) stream.store.clear();
  }

  /** Payload types consumers know its own by; those not agreed on are missing. */
  get mappedPayloadTypes(): ReadonlyMap<number, number> {
    return this.#payloadTypes;
  }

  /** Takes a packet of one of its streams; a retransmission becomes what it repeats, in place. */
  receive(view: RtpPacketView, nowMs: number): PacketVerdict {
    const stream = this.#bySsrc.get(view.ssrc) ?? this.#byRtxSsrc.get(view.ssrc) ?? this.#find(view, nowMs);
    if (stream === undefined) return 'discarded';
    const { received, payload } = stream;
    const isRepair = view.ssrc !== stream.params.ssrc;
    const hadPackets = received.isActive;
    const discarded = isRepair ? 'repair-discarded' : 'discarded';
    if (isRepair && !received.restore(view, nowMs)) return discarded;
    if (view.payloadType !== stream.params.payloadType && !this.#payloadTypes.has(view.payloadType)) return discarded;
    payload.read(view);
    const isTaken = isRepair ? received.receiveRepair(view, payload, nowMs) : received.receive(view, payload, nowMs);
    if (!isTaken) return discarded;
    if (!hadPackets) this.#tellScores();
    if (payload.isKeyFrame) this.#keyFrames.receive(stream.params.ssrc);
    if (received.takeKeyFrameWish()) this.requestKeyFrame(stream);
    if (this.trace.isOn) this.trace.packet('in', view, payload, isRepair);
    if (this.#isPaused) return discarded;
    if (this.#orientationId !== 0) this.#noteOrientation(view);
    this.#forward(view, stream, nowMs);
    return isRepair ? 'repaired' : 'forwarded';
  }

  #forward(view: RtpPacketView, stream: ProducerStream, nowMs: number): void {
    const takers = this.#takers;
    if (takers.length === 0) return;
    const { params, store } = stream;
    const burst = this.#bursts[params.encodingIdx]!;
    const contentsAt = view.payloadStart;
    if (this.#packetIds !== undefined) this.#packetIds.write(view);
    const storeIndex = params.useNack ? store.add(view, nowMs) : -1;
    // Streams keep their order among each other.
    if (this.#waiting !== undefined && (this.#waiting !== burst || burst.isFull || storeIndex < 0)) {
      this.#forwardBurst(nowMs);
    }
    if (storeIndex < 0) {
      burst.forwardNow(view, contentsAt, takers, nowMs);
      return;
    }
    burst.add(storeIndex, contentsAt);
    if (this.#waiting !== undefined) return;
    this.#waiting = burst;
    this.#environment.afterBurst(this.#onBurstEnd);
  }

  readonly #onBurstEnd = (): void => {
    if (this.#waiting !== undefined) this.#forwardBurst(this.#environment.clock.nowMs());
  };

  #forwardBurst(nowMs: number): void {
    const burst = this.#waiting!;
    this.#waiting = undefined;
    burst.forward(this.#takers, nowMs);
  }

  /** Asks for a key frame unless one was asked for a moment ago. */
  requestKeyFrame(stream: ProducerStream): void {
    if (this.#isPaused || this.kind !== 'video') return;
    if (this.#keyFrames.request(stream.params.ssrc, this.#environment.clock.nowMs())) this.#askForKeyFrame(stream);
  }

  #askForKeyFrame(stream: ProducerStream): void {
    const { ssrc, usePli, useFir } = stream.params;
    if (usePli) stream.received.notePli();
    else if (useFir) stream.received.noteFir();
    else return;
    this.trace.keyFrameRequest('out', usePli ? 'pli' : 'fir', ssrc);
    this.#port.requestKeyFrame(stream);
  }

  /** Takes a sender report of one of its streams. @returns whether it is one */
  receiveSenderReport(report: SenderReport, nowMs: number): boolean {
    const stream = this.#bySsrc.get(report.ssrc) ?? this.#byRtxSsrc.get(report.ssrc);
    if (stream === undefined) return false;
    stream.received.receiveSenderReport(report, nowMs);
    if (stream.params.ssrc === report.ssrc) this.trace.senderReport(report);
    return true;
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    for (const stream of this.#active()) stream.received.pause();
    for (const taker of this.#takers) taker.producerPaused();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const nowMs = this.#environment.clock.nowMs();
    for (const stream of this.#active()) {
      stream.received.resume(nowMs);
      this.requestKeyFrame(stream);
    }
    for (const taker of this.#takers) taker.producerResumed();
  }

  nextTimeoutMs(): number | undefined {
    let next = this.#keyFrames.nextTimeoutMs() ?? Number.POSITIVE_INFINITY;
    for (const stream of this.#streams) {
      next = Math.min(next, stream?.received.nextTimeoutMs() ?? Number.POSITIVE_INFINITY);
    }
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  handleTimeout(nowMs: number): void {
    for (const stream of this.#active()) {
      stream.received.handleTimeout(nowMs);
      const missing = stream.received.takeNack(nowMs);
      if (missing.length > 0) {
        this.trace.nack('out');
        this.#port.sendNack(stream, missing);
      }
    }
    for (const ssrc of this.#keyFrames.takeDue(nowMs)) {
      const stream = this.#bySsrc.get(ssrc);
      if (stream !== undefined && !this.#isPaused) this.#askForKeyFrame(stream);
    }
    this.#tellScores();
  }

  /** Reports were taken of its streams, from which scores follow. */
  reportsTaken(): void {
    this.#tellScores();
  }

  /** Gives back the memory of packets. */
  close(): void {
    for (const stream of this.#active()) stream.store.clear();
  }

  dump(): object {
    const { id, kind, type, rtpParameters, rtpMapping, paused } = this;
    const rtpStreams = this.#active().map(({ received }) => received.dump());
    return {
      id,
      kind,
      type,
      rtpParameters: dumpRtpParameters(rtpParameters),
      rtpMapping,
      rtpStreams,
      traceEventTypes: this.trace.types,
      paused,
    };
  }

  stats(nowMs: number): readonly InboundStreamStats[] {
    return this.#active().map(({ received }) => received.stats(nowMs));
  }

  #active(): readonly ProducerStream[] {
    return this.#streams.filter((stream) => stream !== undefined);
  }

  /** The stream of an SSRC that is new: one that was announced, or that says by its rid which encoding it is. */
  #find(view: RtpPacketView, nowMs: number): ProducerStream | undefined {
    const encodings = this.rtpParameters.encodings ?? [];
    const { ssrc, payloadType } = view;
    const rid = findStreamName(view, this.#ridId);
    const repairedRid = findStreamName(view, this.#repairedRidId);
    for (const [index, encoding] of encodings.entries()) {
      const media = mediaCodecOf(this.rtpParameters, encoding);
      if (media === undefined) continue;
      const rtx = rtxCodecOf(this.rtpParameters, media);
      const isOnly = encodings.length === 1 && encoding.ssrc === undefined && encoding.rid === undefined;
      const isMedia = payloadType === media.payloadType;
      if (encoding.ssrc === ssrc && isMedia) return this.#add(index, encoding, ssrc, encoding.rtx?.ssrc, nowMs);
      const isNamed = encoding.rid !== undefined && encoding.rid === rid;
      if (isMedia && (isNamed || isOnly)) return this.#add(index, encoding, ssrc, undefined, nowMs);
      const isRepair = payloadType === rtx?.payloadType;
      if (isRepair && (isOnly || (encoding.rid !== undefined && encoding.rid === (repairedRid ?? rid)))) {
        return this.#addRtx(index, ssrc, payloadType);
      }
    }
    return undefined;
  }

  /** RTX of a stream whose media came first. */
  #addRtx(index: number, ssrc: number, payloadType: number): ProducerStream | undefined {
    const stream = this.#streams[index];
    if (stream === undefined || stream.params.rtxSsrc !== undefined) return undefined;
    stream.received.setRtx(ssrc, payloadType);
    this.#byRtxSsrc.set(ssrc, stream);
    return stream;
  }

  #add(
    index: number,
    encoding: RtpEncodingParameters,
    ssrc: number,
    rtxSsrc: number | undefined,
    nowMs: number,
  ): ProducerStream | undefined {
    if (!this.#mayFind(nowMs)) return undefined;
    const before = this.#streams[index];
    const rtx = rtxSsrc ?? (before?.params.ssrc === ssrc ? before.params.rtxSsrc : undefined);
    const params = streamParameters(this.rtpParameters, encoding, index, ssrc, rtx);
    if (params === undefined) return undefined;
    if (before !== undefined) {
      this.#keyFrames.forget(before.params.ssrc);
      this.#bySsrc.delete(before.params.ssrc);
      if (before.params.rtxSsrc !== undefined) this.#byRtxSsrc.delete(before.params.rtxSsrc);
      before.store.clear();
    }
    const stream = new ProducerStream(params, this.#dependencyId, {
      checksInactivity: this.kind === 'video' || params.useDtx || this.#streams.length > 1,
    });
    this.#streams[index] = stream;
    this.#bursts[index] = new PacketBurst(stream);
    this.#bySsrc.set(ssrc, stream);
    if (rtx !== undefined) this.#byRtxSsrc.set(rtx, stream);
    for (const taker of this.#takers) taker.streamAdded(stream);
    return stream;
  }

  /** Whether one more stream is taken. */
  #mayFind(nowMs: number): boolean {
    const forgotten = Math.floor((nowMs - this.#foundSinceMs) / FOUND_STREAM_INTERVAL_MS);
    if (forgotten >= this.#foundStreams) {
      this.#foundStreams = 0;
      this.#foundSinceMs = nowMs;
    } else {
      this.#foundStreams -= forgotten;
      this.#foundSinceMs += forgotten * FOUND_STREAM_INTERVAL_MS;
    }
    if (this.#foundStreams >= MAX_FOUND_STREAMS) return false;
    this.#foundStreams++;
    return true;
  }

  #noteOrientation(view: RtpPacketView): void {
    const at = view.findElement(this.#orientationId);
    if (at < 0) return;
    const orientation = readVideoOrientation(view.bytes, at, view.elementBytes);
    if (orientation === undefined || orientation === this.#orientation) return;
    this.#orientation = orientation;
    const { isBackCamera, isFlipped, rotation } = toVideoOrientation(orientation);
    this.#environment.notify(this.id, 'videoorientationchange', { camera: isBackCamera, flip: isFlipped, rotation });
  }

  #tellScores(): void {
    const text = this.#streams.map((stream) => stream?.received.score ?? '').join();
    if (text === this.#lastScores) return;
    this.#lastScores = text;
    this.#environment.notify(this.id, 'score', this.scores);
    for (const taker of this.#takers) taker.scoreChanged();
  }
}

function streamsTypeOf(encodings: readonly RtpEncodingParameters[]): StreamsType {
  if (encodings.length > 1) return 'simulcast';
  const { spatialLayers, temporalLayers } = readScalabilityMode(encodings[0]?.scalabilityMode);
  return spatialLayers > 1 || temporalLayers > 1 ? 'svc' : 'simple';
}

/** What is agreed on about one stream; undefined when no codec of media is. */
export function streamParameters(
  rtpParameters: RtpParameters,
  encoding: RtpEncodingParameters,
  encodingIdx: number,
  ssrc: number,
  rtxSsrc: number | undefined,
): StreamParameters | undefined {
  const codec = mediaCodecOf(rtpParameters, encoding);
  if (codec === undefined) return undefined;
  const rtx = rtxCodecOf(rtpParameters, codec);
  const { spatialLayers, temporalLayers } = readScalabilityMode(encoding.scalabilityMode);
  return {
    encodingIdx,
    ssrc,
    payloadType: codec.payloadType,
    mimeType: mimeTypeOf(codec.mimeType),
    clockRate: codec.clockRate,
    ...(encoding.rid === undefined ? {} : { rid: encoding.rid }),
    cname: rtpParameters.rtcp?.cname ?? '',
    ...(rtx === undefined || rtxSsrc === undefined ? {} : { rtxSsrc, rtxPayloadType: rtx.payloadType }),
    useNack: hasFeedback(codec, 'nack'),
    usePli: hasFeedback(codec, 'nack', 'pli'),
    useFir: hasFeedback(codec, 'ccm', 'fir'),
    useInBandFec: codec.parameters?.['useinbandfec'] === 1,
    useDtx: codec.parameters?.['usedtx'] === 1 || encoding.dtx === true,
    spatialLayers,
    temporalLayers,
  };
}
