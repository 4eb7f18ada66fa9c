import { VP9 } from '../payload/vp9-descriptor.ts';

/** Most spatial layers a scalability structure describes. */
export const MAX_VP9_SPATIAL_LAYERS = 8;

const NOT_REFERENCED_ABOVE = 0x01;
const LONG_PICTURE_ID = 0x80;
const SWITCHING_UP = 0x10;
const INTER_LAYER = 0x01;
const MORE_REFERENCES = 0x01;
const MAX_REFERENCES = 3;
const HAS_SIZES = 0x10;
const HAS_PICTURE_GROUP = 0x08;

/**
 * What an SFU wants to know of a VP9 payload (RFC 9628 §4.2). Made once and filled by `parseVp9LayerDescriptor`.
 *
 *     I(1) P(1) L(1) F(1) B(1) E(1) V(1) Z(1)  [M(1) picture id(7/15)]  [TID(3) U(1) SID(3) D(1) [TL0PICIDX(8)]]
 *     flexible and predicted: {reference(7) more(1)}  V: scalability structure
 */
export class Vp9LayerDescriptor {
  /** The first packet of the frame of a spatial layer. */
  isFrameStart = false;
  /** The last packet of the frame of a spatial layer; the last of a picture has the RTP marker. */
  isFrameEnd = false;
  /** The first packet of a key picture: of the lowest spatial layer, not predicted from another picture. */
  isKeyFrame = false;
  /** Predicted from other pictures (P); when not, the stream can be decoded from here on with the layers below. */
  isInterPicturePredicted = false;
  /** Predicted from the spatial layer below in the same picture (D). */
  isInterLayerPredicted = false;
  /** No later frame of this temporal layer needs anything of it from before this one (U): one can go up here. */
  isSwitchingUpPoint = false;
  /** No upper spatial layer of the picture needs it (Z). */
  isNotReferencedAbove = false;
  /** References are told one by one (F). */
  isFlexible = false;
  /** Whether layers are told. */
  hasLayers = false;
  /** 0–7. */
  spatialId = 0;
  /** 0–7. */
  temporalId = 0;
  /** 7 or 15 bits; −1 when there is none. */
  pictureId = -1;
  /** Bits of the picture id: 7 or 15; 0 when there is none. */
  pictureIdBits: 0 | 7 | 15 = 0;
  /** Where the picture id is in the bytes. */
  pictureIdAt = 0;
  /** Counts pictures of the base layer, 8 bits; −1 when there is none. */
  tl0PictureIndex = -1;
  tl0PictureIndexAt = 0;
  /** Spatial layers of the scalability structure; 0 when the packet has none. */
  spatialLayers = 0;
  /** Sizes of these layers; 0 when not told. */
  readonly widths: Uint16Array = new Uint16Array(MAX_VP9_SPATIAL_LAYERS);
  readonly heights: Uint16Array = new Uint16Array(MAX_VP9_SPATIAL_LAYERS);
  /** Where the coded frame begins. */
  payloadAt = 0;
}

/**
 * Reads the payload descriptor at `[start, end)`.
 * @returns false when it is cut off or nothing follows it; `out` is then of no use
 */
export function parseVp9LayerDescriptor(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Vp9LayerDescriptor,
): boolean {
  if (start < 0 || start >= end || end > bytes.length) return false;
  const flags = bytes[start]!;
  const isFlexible = (flags & VP9.flexible) !== 0;
  const isPredicted = (flags & VP9.interPicturePredicted) !== 0;
  let at = readPictureId(bytes, start + 1, end, (flags & VP9.hasPictureId) !== 0, out);
  out.hasLayers = (flags & VP9.hasLayers) !== 0;
  out.tl0PictureIndex = -1;
  let layer = 0;
  if (out.hasLayers) {
    if (at >= end) return false;
    layer = bytes[at++]!;
    if (!isFlexible) {
      if (at >= end) return false;
      out.tl0PictureIndexAt = at;
      out.tl0PictureIndex = bytes[at++]!;
    }
  }
  if (isFlexible && isPredicted) at = skipReferences(bytes, at, end);
  out.spatialLayers = 0;
  if ((flags & VP9.hasScalability) !== 0) at = readScalability(bytes, at, end, out);
  if (at >= end) return false;
  out.temporalId = layer >>> 5;
  out.isSwitchingUpPoint = (layer & SWITCHING_UP) !== 0;
  out.spatialId = (layer >>> 1) & 7;
  out.isInterLayerPredicted = (layer & INTER_LAYER) !== 0;
  out.isFlexible = isFlexible;
  out.isInterPicturePredicted = isPredicted;
  out.isFrameStart = (flags & VP9.start) !== 0;
  out.isFrameEnd = (flags & VP9.end) !== 0;
  out.isNotReferencedAbove = (flags & NOT_REFERENCED_ABOVE) !== 0;
  out.isKeyFrame = out.isFrameStart && !isPredicted && out.spatialId === 0 && !out.isInterLayerPredicted;
  out.payloadAt = at;
  return true;
}

/** @returns where the next field is; `end` when it is cut off */
function readPictureId(bytes: Uint8Array, at: number, end: number, isThere: boolean, out: Vp9LayerDescriptor): number {
  out.pictureId = -1;
  out.pictureIdBits = 0;
  if (!isThere) return at;
  if (at >= end) return end;
  const high = bytes[at]!;
  out.pictureIdAt = at;
  out.pictureId = high;
  out.pictureIdBits = 7;
  if ((high & LONG_PICTURE_ID) === 0) return at + 1;
  if (at + 1 >= end) return end;
  out.pictureId = ((high & ~LONG_PICTURE_ID) << 8) | bytes[at + 1]!;
  out.pictureIdBits = 15;
  return at + 2;
}

/** @returns where the next field is; `end` when it is cut off */
function skipReferences(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  for (let i = 0; i < MAX_REFERENCES; i++) {
    if (at >= end) return end;
    if ((bytes[at++]! & MORE_REFERENCES) === 0) break;
  }
  return at;
}

/**
 * The scalability structure (§4.2.1), of which layers and sizes are kept.
 * @returns where the next field is; `end` when it is cut off
 */
function readScalability(bytes: Uint8Array, from: number, end: number, out: Vp9LayerDescriptor): number {
  if (from >= end) return end;
  const head = bytes[from]!;
  const layers = (head >>> 5) + 1;
  const hasSizes = (head & HAS_SIZES) !== 0;
  let at = from + 1;
  if (hasSizes && at + 4 * layers > end) return end;
  for (let i = 0; i < layers; i++) {
    out.widths[i] = hasSizes ? (bytes[at]! << 8) | bytes[at + 1]! : 0;
    out.heights[i] = hasSizes ? (bytes[at + 2]! << 8) | bytes[at + 3]! : 0;
    if (hasSizes) at += 4;
  }
  out.spatialLayers = layers;
  if ((head & HAS_PICTURE_GROUP) === 0) return at;
  if (at >= end) return end;
  const pictures = bytes[at++]!;
  // Each has a byte and up to three references more.
  for (let i = 0; i < pictures && at < end; i++) at += 1 + ((bytes[at]! >>> 2) & 3);
  return at < end ? at : end;
}
