import { OBU_TYPE } from '../../../codec/av1/obu.ts';
import {
  AV1_AGGREGATION,
  ELEMENT_COUNT_SHIFT,
  MAX_COUNTED_ELEMENTS,
  OBU_HAS_EXTENSION,
} from '../payload/av1-aggregation-header.ts';

/** Most OBU elements of one packet that are looked at. */
export const MAX_AV1_ELEMENTS = 64;

const MAX_LEB128_BYTES = 4;
const OBU_FORBIDDEN = 0x80;

/**
 * What an SFU can know of an AV1 payload without a dependency descriptor (RTP Payload Format for AV1 §4.4). Made once and
 * filled by `parseAv1Payload`.
 */
export class Av1Payload {
  /** The first OBU goes on from the packet before (Z). */
  isContinuation = false;
  /** The last OBU goes on in the next packet (Y). */
  isToBeContinued = false;
  /** The packet is the first of a coded video sequence, which begins with a key frame (N). */
  isNewSequence = false;
  hasSequenceHeader = false;
  /** Layers of the first OBU that begins here and tells them; 0 otherwise. */
  spatialId = 0;
  temporalId = 0;
  /** Whether an OBU told its layers. */
  hasLayers = false;

  /** A viewer can begin here. N alone would do, but senders exist that leave it out. */
  get isKeyFrame(): boolean {
    return (this.isNewSequence && !this.isContinuation) || this.hasSequenceHeader;
  }
}

/**
 * Reads the aggregation header and the headers of the OBUs in the payload at `[start, end)`.
 *
 *     Z(1) Y(1) W(2) N(1) -(3)  {[size(leb128)] OBU element}
 *
 * @returns false when it is cut off, or a length inside does not fit; `out` is then of no use
 */
export function parseAv1Payload(bytes: Uint8Array, start: number, end: number, out: Av1Payload): boolean {
  if (start < 0 || start + 1 >= end || end > bytes.length) return false;
  const head = bytes[start]!;
  const counted = (head >>> ELEMENT_COUNT_SHIFT) & MAX_COUNTED_ELEMENTS;
  out.isContinuation = (head & AV1_AGGREGATION.continues) !== 0;
  out.isToBeContinued = (head & AV1_AGGREGATION.toBeContinued) !== 0;
  out.isNewSequence = (head & AV1_AGGREGATION.newSequence) !== 0;
  out.hasSequenceHeader = false;
  out.hasLayers = false;
  out.spatialId = 0;
  out.temporalId = 0;
  let at = start + 1;
  for (let index = 0; at < end && index < MAX_AV1_ELEMENTS; index++) {
    let elementEnd = end;
    if (counted === 0 || index + 1 < counted) {
      let size = 0;
      let length = 0;
      for (; ; length++) {
        if (length === MAX_LEB128_BYTES || at >= end) return false;
        const byte = bytes[at++]!;
        size |= (byte & 0x7f) << (7 * length);
        if ((byte & 0x80) === 0) break;
      }
      elementEnd = at + size;
      if (elementEnd > end) return false;
    }
    if (at < elementEnd && !(index === 0 && out.isContinuation) && !noteObu(bytes, at, elementEnd, out)) return false;
    at = elementEnd;
  }
  return true;
}

function noteObu(bytes: Uint8Array, at: number, end: number, out: Av1Payload): boolean {
  const header = bytes[at]!;
  if ((header & OBU_FORBIDDEN) !== 0) return false;
  if (((header >>> 3) & 0x0f) === OBU_TYPE.sequenceHeader) out.hasSequenceHeader = true;
  if ((header & OBU_HAS_EXTENSION) === 0 || out.hasLayers) return true;
  // An OBU may be cut between its two header bytes by the end of the packet.
  if (at + 1 >= end) return true;
  out.hasLayers = true;
  out.temporalId = bytes[at + 1]! >>> 5;
  out.spatialId = (bytes[at + 1]! >>> 3) & 3;
  return true;
}
