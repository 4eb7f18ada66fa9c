const EXTENDED = 0x80;
const NON_REFERENCE = 0x20;
const START = 0x10;
const PARTITION = 0x07;
const HAS_PICTURE_ID = 0x80;
const HAS_TL0PICIDX = 0x40;
const HAS_TID = 0x20;
const HAS_KEYIDX = 0x10;
const LONG_PICTURE_ID = 0x80;
const LAYER_SYNC = 0x20;
const INTER_FRAME = 0x01;

/**
 * What an SFU wants to know of a VP8 payload (RFC 7741 §4.2). Made once and filled by `parseVp8Descriptor`. Chromium leaves
 * picture id and layers out when the dependency descriptor was negotiated: they are then to be taken from that.
 *
 *     X(1) R(1) N(1) S(1) R(1) PID(3)  [I(1) L(1) T(1) K(1) R(4)]  [M(1) picture id(7/15)]  [TL0PICIDX(8)]
 *     [TID(2) Y(1) KEYIDX(5)]
 */
export class Vp8Descriptor {
  /** The first packet of its frame. */
  isFrameStart = false;
  /** The first packet of a key frame; others can't tell. */
  isKeyFrame = false;
  /** No other frame needs it. */
  isDiscardable = false;
  /** 7 or 15 bits; −1 when there is none. */
  pictureId = -1;
  /** Bits of the picture id: 7 or 15; 0 when there is none. */
  pictureIdBits: 0 | 7 | 15 = 0;
  /** Where the picture id is in the bytes. */
  pictureIdAt = 0;
  /** Counts frames of the base layer, 8 bits; −1 when there is none. */
  tl0PictureIndex = -1;
  tl0PictureIndexAt = 0;
  /** 0–3; 0 when not told. */
  temporalId = 0;
  /** Whether the temporal layer is told. */
  hasTemporalId = false;
  /** The frame depends on the base layer only, so that a viewer can go up to its layer here. */
  isLayerSync = false;
  /** Where the coded frame begins. */
  payloadAt = 0;
}

/**
 * Reads the payload descriptor at `[start, end)`.
 * @returns false when it is cut off or nothing follows it; `out` is then of no use
 */
export function parseVp8Descriptor(bytes: Uint8Array, start: number, end: number, out: Vp8Descriptor): boolean {
  if (start < 0 || start >= end || end > bytes.length) return false;
  const first = bytes[start]!;
  let at = start + 1;
  let extensions = 0;
  if ((first & EXTENDED) !== 0) {
    if (at >= end) return false;
    extensions = bytes[at++]!;
  }
  out.pictureId = -1;
  out.pictureIdBits = 0;
  if ((extensions & HAS_PICTURE_ID) !== 0) {
    if (at >= end) return false;
    out.pictureIdAt = at;
    const high = bytes[at++]!;
    out.pictureId = high;
    out.pictureIdBits = 7;
    if ((high & LONG_PICTURE_ID) !== 0) {
      if (at >= end) return false;
      out.pictureId = ((high & ~LONG_PICTURE_ID) << 8) | bytes[at++]!;
      out.pictureIdBits = 15;
    }
  }
  out.tl0PictureIndex = -1;
  if ((extensions & HAS_TL0PICIDX) !== 0) {
    if (at >= end) return false;
    out.tl0PictureIndexAt = at;
    out.tl0PictureIndex = bytes[at++]!;
  }
  let layer = 0;
  if ((extensions & (HAS_TID | HAS_KEYIDX)) !== 0) {
    if (at >= end) return false;
    layer = bytes[at++]!;
  }
  if (at >= end) return false;
  out.hasTemporalId = (extensions & HAS_TID) !== 0;
  out.temporalId = out.hasTemporalId ? layer >>> 6 : 0;
  out.isLayerSync = out.hasTemporalId && (layer & LAYER_SYNC) !== 0;
  out.isDiscardable = (first & NON_REFERENCE) !== 0;
  out.isFrameStart = (first & (START | PARTITION)) === START;
  // The first bit of a frame's header (RFC 6386 §9.1).
  out.isKeyFrame = out.isFrameStart && (bytes[at]! & INTER_FRAME) === 0;
  out.payloadAt = at;
  return true;
}
