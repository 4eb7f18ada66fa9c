import { DependencyDescriptor } from '../protocol/rtp/extensions/dependency-descriptor.ts';
import { DECODE_TARGET_INDICATION } from '../protocol/rtp/extensions/dependency-structure.ts';
import { Av1Payload, parseAv1Payload } from '../protocol/rtp/layers/av1-payload.ts';
import { H264Payload, parseH264Payload } from '../protocol/rtp/layers/h264-payload.ts';
import { isOpusDtx } from '../protocol/rtp/layers/opus-payload.ts';
import { parseVp8Descriptor, Vp8Descriptor } from '../protocol/rtp/layers/vp8-descriptor.ts';
import { parseVp9LayerDescriptor, Vp9LayerDescriptor } from '../protocol/rtp/layers/vp9-layer-descriptor.ts';
import type { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
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

/**
 * What the payloads of one stream say, read once for all who get them. Made once for a stream and filled packet by packet;
 * what a packet does not tell stays at "one layer, no key frame".
 */
export class ProducerPayload implements PacketLayers {
  readonly codec: KnownCodec;
  isKeyFrame = false;
  spatialLayer = 0;
  temporalLayer = 0;
  /** First packet of the frame of its spatial layer; true where the codec does not tell. */
  isFrameStart = true;
  /** Last packet of the frame of its spatial layer; as the RTP marker where the codec does not tell. */
  isFrameEnd = false;
  /** Predicted from no other picture: with the layers below it can be decoded. */
  isIndependent = false;
  /** A viewer of a lower temporal layer can go up to that of this packet here. */
  isSwitchingUpPoint = false;
  /** Silence (Opus). */
  isDtx = false;
  readonly vp8: Vp8Descriptor = new Vp8Descriptor();
  readonly vp9: Vp9LayerDescriptor = new Vp9LayerDescriptor();
  readonly #h264 = new H264Payload();
  readonly #av1 = new Av1Payload();
  readonly #dependency = new DependencyDescriptor();
  readonly #history: PayloadHistory;
  readonly #dependencyId: number;

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
    this.isSwitchingUpPoint = false;
    this.isDtx = false;
    this.#readPayload(view);
    if (this.#dependencyId !== 0 && (this.codec === 'av1' || this.codec === 'h264')) this.#readDependency(view);
  }

  #readPayload({ bytes, payloadStart, payloadEnd }: RtpPacketView): void {
    switch (this.codec) {
      case 'vp8':
        if (!parseVp8Descriptor(bytes, payloadStart, payloadEnd, this.vp8)) return;
        this.isKeyFrame = this.vp8.isKeyFrame;
        this.temporalLayer = this.vp8.temporalId;
        this.isFrameStart = this.vp8.isFrameStart;
        this.isSwitchingUpPoint = this.vp8.isLayerSync;
        break;
      case 'vp9':
        if (!parseVp9LayerDescriptor(bytes, payloadStart, payloadEnd, this.vp9)) return;
        this.isKeyFrame = this.vp9.isKeyFrame;
        this.spatialLayer = this.vp9.spatialId;
        this.temporalLayer = this.vp9.temporalId;
        this.isFrameStart = this.vp9.isFrameStart;
        this.isFrameEnd = this.vp9.isFrameEnd;
        this.isIndependent = !this.vp9.isInterPicturePredicted;
        this.isSwitchingUpPoint = this.vp9.isSwitchingUpPoint;
        break;
      case 'h264':
        if (!parseH264Payload(bytes, payloadStart, payloadEnd, this.#h264)) return;
        this.isKeyFrame = this.#h264.isKeyFrame;
        this.isFrameStart = this.#h264.isStart;
        break;
      case 'av1':
        if (!parseAv1Payload(bytes, payloadStart, payloadEnd, this.#av1)) return;
        this.isKeyFrame = this.#av1.isKeyFrame;
        this.spatialLayer = this.#av1.spatialId;
        this.temporalLayer = this.#av1.temporalId;
        break;
      case 'opus':
        this.isDtx = isOpusDtx(payloadEnd - payloadStart);
        break;
      case 'other':
        break;
    }
  }

  #readDependency(view: RtpPacketView): void {
    const at = view.findElement(this.#dependencyId);
    const descriptor = this.#dependency;
    if (at < 0 || !this.#history.dependencyReader.read(view.bytes, at, view.elementBytes, descriptor)) return;
    this.spatialLayer = descriptor.spatialId;
    this.temporalLayer = descriptor.temporalId;
    this.isFrameStart = descriptor.isFrameStart;
    this.isFrameEnd = descriptor.isFrameEnd;
    if (this.codec === 'av1') this.isKeyFrame = descriptor.hasStructure && descriptor.isFrameStart;
    this.isSwitchingUpPoint = this.isKeyFrame;
    const targets = descriptor.structure?.decodeTargets.length ?? 0;
    for (let i = 0; i < targets && !this.isSwitchingUpPoint; i++) {
      this.isSwitchingUpPoint = descriptor.indications[i] === DECODE_TARGET_INDICATION.switch;
    }
  }
}
