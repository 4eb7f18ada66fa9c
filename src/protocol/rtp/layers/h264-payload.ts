import { H264_NAL } from '../../../codec/h264/nal-unit-type.ts';
import { H264_PACKET, NAL_TYPE_MASK } from '../payload/h264-packet-type.ts';

const FRAGMENT_START = 0x80;
const FRAGMENT_END = 0x40;
const REFERENCE_IDC = 0x60;
const DON_BYTES = 2;

/**
 * What an SFU wants to know of an H.264 payload (RFC 6184). Temporal layers are not told by it: take them from a dependency
 * descriptor or frame marking. Made once and filled by `parseH264Payload`.
 */
export class H264Payload {
  /** Type of the NAL unit, of the fragmented one, or of the first one of an aggregate; 1–23. */
  nalUnitType = 0;
  /** A NAL unit begins in the packet: it is not the middle or end of a fragmented one. */
  isStart = false;
  /** The packet holds the end of its last NAL unit. */
  isEnd = false;
  /** A slice of an IDR picture begins in it. */
  hasIdr = false;
  /** A sequence parameter set begins in it. */
  hasSequenceParameterSet = false;
  /** A picture parameter set begins in it. */
  hasPictureParameterSet = false;
  /** Nothing in it is used for prediction (nal_ref_idc 0 throughout). */
  isDiscardable = false;

  /**
   * A viewer can begin here: with an SPS, which encoders for calls send in front of each IDR picture, or with a picture
   * whose parameter sets came by signalling.
   */
  get isKeyFrame(): boolean {
    return this.hasIdr || this.hasSequenceParameterSet;
  }
}

/**
 * Reads the types of the NAL units that begin in the payload at `[start, end)`: single NAL unit, STAP-A, STAP-B, FU-A, FU-B.
 * MTAPs, which no browser sends, are refused.
 * @returns false when it is no such payload or a length inside does not fit; `out` is then of no use
 */
export function parseH264Payload(bytes: Uint8Array, start: number, end: number, out: H264Payload): boolean {
  if (start < 0 || start >= end || end > bytes.length) return false;
  const head = bytes[start]!;
  const type = head & NAL_TYPE_MASK;
  out.hasIdr = false;
  out.hasSequenceParameterSet = false;
  out.hasPictureParameterSet = false;
  out.nalUnitType = 0;
  out.isStart = true;
  out.isEnd = true;
  out.isDiscardable = (head & REFERENCE_IDC) === 0;
  if (type === H264_PACKET.fuA || type === H264_PACKET.fuB) {
    // A header, and a decoding order number that only FU-B has; a fragment of nothing says nothing.
    if (start + (type === H264_PACKET.fuB ? 2 + DON_BYTES : 2) >= end) return false;
    const fragment = bytes[start + 1]!;
    out.isStart = (fragment & FRAGMENT_START) !== 0;
    out.isEnd = (fragment & FRAGMENT_END) !== 0;
    if (out.isStart) note(fragment & NAL_TYPE_MASK, out);
    out.nalUnitType = fragment & NAL_TYPE_MASK;
    return true;
  }
  if (type === H264_PACKET.stapA) return readAggregate(bytes, start + 1, end, out);
  if (type === H264_PACKET.stapB) return readAggregate(bytes, start + 1 + DON_BYTES, end, out);
  if (type === 0 || type > H264_PACKET.stapA) return false;
  note(type, out);
  out.nalUnitType = type;
  return true;
}

function readAggregate(bytes: Uint8Array, from: number, end: number, out: H264Payload): boolean {
  let at = from;
  out.isDiscardable = true;
  while (at + 2 < end) {
    const sizeBytes = (bytes[at]! << 8) | bytes[at + 1]!;
    at += 2;
    if (sizeBytes === 0 || at + sizeBytes > end) return false;
    const head = bytes[at]!;
    const type = head & NAL_TYPE_MASK;
    if (out.nalUnitType === 0) out.nalUnitType = type;
    if ((head & REFERENCE_IDC) !== 0) out.isDiscardable = false;
    note(type, out);
    at += sizeBytes;
  }
  return at === end && out.nalUnitType !== 0;
}

function note(type: number, out: H264Payload): void {
  if (type === H264_NAL.idrSlice) out.hasIdr = true;
  else if (type === H264_NAL.sps) out.hasSequenceParameterSet = true;
  else if (type === H264_NAL.pps) out.hasPictureParameterSet = true;
}
