const START = 0x80;
const END = 0x40;
const INDEPENDENT = 0x20;
const DISCARDABLE = 0x10;
const BASE_LAYER_SYNC = 0x08;
const TEMPORAL_ID = 0x07;

/**
 * What a frame marking element tells of its packet (RFC 9626 §3), for codecs whose payload does not. Made once and filled
 * by `readFrameMarking`.
 *
 *     S(1) E(1) I(1) D(1) B(1) TID(3)  [LID(8)]  [TL0PICIDX(8)]
 */
export class FrameMarking {
  isFrameStart = false;
  isFrameEnd = false;
  /** The frame can be decoded without any before it. */
  isIndependent = false;
  /** No other frame needs it. */
  isDiscardable = false;
  /** It depends on the base temporal layer only, so that a viewer can go up to this layer here. */
  isBaseLayerSync = false;
  /** 0–7. */
  temporalId = 0;
  /** Layer id as the codec packs it, 8 bits; −1 when not told. */
  layerId = -1;
  /** Counts base layer pictures, 8 bits; −1 when not told. */
  tl0PictureIndex = -1;
}

/**
 * Reads the element into `out`.
 * @returns false for a size it can't have; `out` then stays as it was
 */
export function readFrameMarking(bytes: Uint8Array, at: number, sizeBytes: number, out: FrameMarking): boolean {
  if (sizeBytes < 1 || sizeBytes > 3 || at < 0 || at + sizeBytes > bytes.length) return false;
  const flags = bytes[at]!;
  out.isFrameStart = (flags & START) !== 0;
  out.isFrameEnd = (flags & END) !== 0;
  out.isIndependent = (flags & INDEPENDENT) !== 0;
  out.isDiscardable = (flags & DISCARDABLE) !== 0;
  // The short form is of streams without layers; these bits are 0 there.
  const isScalable = sizeBytes > 1;
  out.isBaseLayerSync = isScalable && (flags & BASE_LAYER_SYNC) !== 0;
  out.temporalId = isScalable ? flags & TEMPORAL_ID : 0;
  out.layerId = isScalable ? bytes[at + 1]! : -1;
  out.tl0PictureIndex = sizeBytes === 3 ? bytes[at + 2]! : -1;
  return true;
}
