import { DependencyDescriptor } from '../protocol/rtp/extensions/dependency-descriptor.ts';
import { DECODE_TARGET_INDICATION } from '../protocol/rtp/extensions/dependency-structure.ts';
import { Av1Payload, parseAv1Payload } from '../protocol/rtp/layers/av1-payload.ts';
import { H264Payload, parseH264Payload } from '../protocol/rtp/layers/h264-payload.ts';
import { isOpusDtx } from '../protocol/rtp/layers/opus-payload.ts';
import { parseVp8Descriptor, Vp8Descriptor } from '../protocol/rtp/layers/vp8-descriptor.ts';
import { parseVp9LayerDescriptor, Vp9LayerDescriptor } from '../protocol/rtp/layers/vp9-layer-descriptor.ts';
import type { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import { diff16, diff32 } from '../wire/sequence-number.ts';
import type { Layers } from './layers/layer-ladder.ts';
import { PayloadHistory } from './payload-history.ts';
import type { PacketLayers } from './streams/received-stream.ts';

/** Codecs whose payloads are looked into. */
export type KnownCodec = 'vp8' | 'vp9' | 'h264' | 'av1' | 'opus' | 'other';

/** The codec of a MIME type, compared without regard to case. */
export function knownCodecOf(mimeType: string): KnownCodec {
  switch (mimeType.toLowerCase()) {
    case 'video/vp8':
      return 'vp8';
    case 'video/vp9':
      return 'vp9';
    case 'video/h264':
      return 'h264';
    case 'video/av1':
      return 'av1';
    case 'audio/opus':
    case 'audio/multiopus':
      return 'opus';
    default:
      return 'other';
  }
}

/** Whether packets of a codec tell that a viewer can begin with them. */
export function tellsKeyFrames(codec: KnownCodec): boolean {
  return codec !== 'opus' && codec !== 'other';
}

/** A packet with a timestamp so much older than the newest is of a sender that began anew, not late; units of 90 kHz. */
const MAX_LATE_TICKS = 10 * 90_000;

/**
 * What the payloads of one stream say, read once for all who get them. Made once for a stream and filled packet by packet;
 * what a packet does not tell stays at "one layer, no key frame". Where the payload does not tell layers, the dependency
 * descriptor does.
 */
export class ProducerPayload implements PacketLayers {
  readonly codec: KnownCodec;
  /** The first packet of a key picture, those of its upper layers not included. */
  isKeyFrame = false;
  spatialLayer = 0;
  temporalLayer = 0;
  /** The first of its picture that has come. */
  isPictureStart = false;
  /** Of a picture before the newest. */
  isLate = false;
  /** First packet of the frame of its spatial layer; true where the codec does not tell. */
  isFrameStart = true;
  /** Last packet of the frame of its spatial layer; as the RTP marker where the codec does not tell. */
  isFrameEnd = false;
  /** Predicted from no other picture: with the layers below it can be decoded. */
  isIndependent = false;
  /** Predicted from a lower spatial layer of its picture. */
  needsLowerLayer = false;
  /** Spatial layers of the key picture that begins here; 0 when not told. */
  keyPictureLayers = 0;
  /** Layers above `keyPictureLayers` are sent too, and go on as they were: they do not need those below. */
  isKeyOfLowerLayers = false;
  /** Silence (Opus). */
  isDtx = false;
  readonly vp8: Vp8Descriptor = new Vp8Descriptor();
  readonly vp9: Vp9LayerDescriptor = new Vp9LayerDescriptor();
  readonly #h264 = new H264Payload();
  readonly #av1 = new Av1Payload();
  readonly #dependency = new DependencyDescriptor();
  readonly #dependencyId: number;
  /** Whether `#dependency` is of this packet. */
  #hasDependency = false;
  readonly #history: PayloadHistory;

  /**
   * @param dependencyId of the dependency descriptor in the header extension, 0 for none
   * @param history of the stream, where several read it
   */
  constructor(codec: KnownCodec, dependencyId: number, history: PayloadHistory = new PayloadHistory()) {
    this.codec = codec;
    this.#dependencyId = dependencyId;
    this.#history = history;
  }

  /** Reads a packet. */
  read(view: RtpPacketView): void {
    this.isKeyFrame = false;
    this.spatialLayer = 0;
    this.temporalLayer = 0;
    this.isFrameStart = true;
    this.isFrameEnd = view.marker;
    this.isIndependent = false;
    this.needsLowerLayer = false;
    this.keyPictureLayers = 0;
    this.isKeyOfLowerLayers = false;
    this.isDtx = false;
    this.#hasDependency = false;
    this.#noteTimestamp(view.timestamp);
    const tellsLayers = this.#readPayload(view);
    if (this.#dependencyId !== 0 && !tellsLayers) this.#readDependency(view);
  }

  /** Whether a viewer of these layers needs the packet, if it is of no layer above them. */
  isNeededBy({ spatialLayer, temporalLayer }: Layers): boolean {
    if (this.spatialLayer >= spatialLayer) return true;
    if (this.codec === 'vp9') return !this.vp9.isNotReferencedAbove;
    const target = this.#decodeTarget(spatialLayer, temporalLayer);
    return target < 0 || this.#dependency.indications[target] !== DECODE_TARGET_INDICATION.notPresent;
  }

  /**
   * The temporal layer a viewer may have from this packet on, who has had `current` so far and wants `wanted`, more than
   * that: at least `current`.
   */
  temporalLayerUp(spatialLayer: number, current: number, wanted: number): number {
    if (!this.isFrameStart || this.spatialLayer !== spatialLayer) return current;
    const { temporalLayer } = this;
    if (this.#hasDependency) {
      if (temporalLayer > current) return current;
      const target = this.#decodeTarget(spatialLayer, wanted);
      const { indications } = this.#dependency;
      return target >= 0 && indications[target] === DECODE_TARGET_INDICATION.switch ? wanted : current;
    }
    // What comes after in upper layers needs nothing of them from before (RFC 9628 §4.2).
    if (this.codec === 'vp9') return this.vp9.isSwitchingUpPoint && temporalLayer <= current ? wanted : current;
    // The picture itself needs the base layer only; what comes after needs the layers between (RFC 7741 §4.2).
    const isNext = temporalLayer === current + 1;
    return this.codec === 'vp8' && this.vp8.isLayerSync && isNext ? temporalLayer : current;
  }

  #noteTimestamp(timestamp: number): void {
    const ahead = diff32(timestamp, this.#history.newestTimestamp);
    this.isPictureStart = this.#history.newestTimestamp < 0 || ahead > 0 || ahead <= -MAX_LATE_TICKS;
    this.isLate = !this.isPictureStart && ahead !== 0;
    if (this.isPictureStart) this.#history.newestTimestamp = timestamp;
  }

  /** @returns whether the payload tells of layers, so that the header need not */
  #readPayload({ bytes, payloadStart, payloadEnd }: RtpPacketView): boolean {
    switch (this.codec) {
      case 'vp8':
        if (!parseVp8Descriptor(bytes, payloadStart, payloadEnd, this.vp8)) return false;
        this.isKeyFrame = this.vp8.isKeyFrame;
        this.temporalLayer = this.vp8.temporalId;
        this.isFrameStart = this.vp8.isFrameStart;
        return this.vp8.hasTemporalId;
      case 'vp9':
        if (!parseVp9LayerDescriptor(bytes, payloadStart, payloadEnd, this.vp9)) return false;
        this.isKeyFrame = this.vp9.isKeyFrame;
        this.spatialLayer = this.vp9.spatialId;
        this.temporalLayer = this.vp9.temporalId;
        this.isFrameStart = this.vp9.isFrameStart;
        this.isFrameEnd = this.vp9.isFrameEnd;
        this.isIndependent = !this.vp9.isInterPicturePredicted;
        this.needsLowerLayer = this.vp9.isInterLayerPredicted;
        this.keyPictureLayers = this.isKeyFrame ? this.vp9.spatialLayers : 0;
        // References and switching points are in the payload, with layers or without.
        return true;
      case 'h264':
        if (!parseH264Payload(bytes, payloadStart, payloadEnd, this.#h264)) return false;
        this.isKeyFrame = this.#h264.isKeyFrame;
        this.isFrameStart = this.#h264.isStart;
        return false;
      case 'av1':
        if (parseAv1Payload(bytes, payloadStart, payloadEnd, this.#av1)) this.#noteAv1();
        return false;
      case 'opus':
        this.isDtx = isOpusDtx(payloadEnd - payloadStart);
        return true;
      case 'other':
        return true;
    }
  }

  #noteAv1(): void {
    const av1 = this.#av1;
    this.isKeyFrame = av1.isKeyFrame;
    this.isFrameStart = !av1.isContinuation;
    if (!av1.isToBeContinued) this.isFrameEnd = true;
    // The middle of an OBU is of the layers of its beginning.
    const goesOn = av1.isContinuation && !av1.hasLayers;
    this.spatialLayer = goesOn ? this.#history.openSpatialLayer : av1.spatialId;
    this.temporalLayer = goesOn ? this.#history.openTemporalLayer : av1.temporalId;
    this.#history.openSpatialLayer = this.spatialLayer;
    this.#history.openTemporalLayer = this.temporalLayer;
    this.isIndependent = this.isKeyFrame;
  }

  #readDependency(view: RtpPacketView): void {
    const at = view.findElement(this.#dependencyId);
    const descriptor = this.#dependency;
    if (at < 0 || !this.#history.dependencyReader.read(view.bytes, at, view.elementBytes, descriptor)) return;
    this.#hasDependency = true;
    this.spatialLayer = descriptor.spatialId;
    this.temporalLayer = descriptor.temporalId;
    this.isFrameStart = descriptor.isFrameStart;
    this.isFrameEnd = descriptor.isFrameEnd;
    if (this.codec === 'av1') {
      this.isKeyFrame = descriptor.hasStructure && descriptor.isFrameStart && descriptor.spatialId === 0;
    }
    if (this.isPictureStart) this.#history.firstFrameNumber = descriptor.frameNumber;
    this.needsLowerLayer = descriptor.spatialId > 0 && descriptor.frameDiffCount > 0;
    this.isIndependent = this.#isWithinPicture();
    if (this.isKeyFrame) this.#noteKeyPicture();
  }

  /** Which layers can be decoded from here on: those of decode targets that are sent and whose chains begin here. */
  #noteKeyPicture(): void {
    const { structure, activeDecodeTargets, chainDiffs } = this.#dependency;
    const targets = structure?.decodeTargets ?? [];
    let sentLayers = 0;
    for (let i = 0; i < targets.length; i++) {
      if (activeDecodeTargets >= 0 && ((activeDecodeTargets >>> i) & 1) === 0) continue;
      const { spatialId, chain } = targets[i]!;
      sentLayers = Math.max(sentLayers, spatialId + 1);
      const isStarted = chain < 0 || chainDiffs[chain] === 0;
      if (isStarted) this.keyPictureLayers = Math.max(this.keyPictureLayers, spatialId + 1);
    }
    this.isKeyOfLowerLayers = this.keyPictureLayers < sentLayers;
  }

  /** Whether the frame refers to none before its picture. */
  #isWithinPicture(): boolean {
    const { frameNumber, frameDiffs, frameDiffCount } = this.#dependency;
    const before = diff16(frameNumber, this.#history.firstFrameNumber);
    if (before < 0) return false;
    for (let i = 0; i < frameDiffCount; i++) if (frameDiffs[i]! > before) return false;
    return true;
  }

  /** The decode target of these layers, or the best below; −1 when nothing tells. */
  #decodeTarget(spatialLayer: number, temporalLayer: number): number {
    const targets = this.#hasDependency ? this.#dependency.structure?.decodeTargets : undefined;
    if (targets === undefined) return -1;
    let best = -1;
    let bestRank = -1;
    for (let i = 0; i < targets.length; i++) {
      const { spatialId, temporalId } = targets[i]!;
      const rank = spatialId * 8 + temporalId;
      if (spatialId > spatialLayer || temporalId > temporalLayer || rank <= bestRank) continue;
      best = i;
      bestRank = rank;
    }
    return best;
  }
}
