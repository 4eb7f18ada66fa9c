import { H265_NAL } from '../../../codec/h265/nal-unit-type.ts';
import { AccessUnitAssembler } from './access-unit-assembler.ts';
import { H265_PACKET, h265TypeOf, isH265NalUnit, NAL_HEADER_BYTES } from './h265-packet-type.ts';
import type { AssembledUnit, UnitAssembler } from './unit-depacketizer.ts';

const LENGTH_BYTES = 2;
const FU_HEADER_BYTES = 3;

/**
 * Access units of H.265 from packets in decoding order and without decoding order numbers (RFC 7798 §4.4): single NAL
 * unit packets, aggregation packets, fragmentation units. PACI packets (§4.4.4), which nothing sends, make no sense.
 */
export class H265Assembler implements UnitAssembler {
  readonly #accessUnit: AccessUnitAssembler;

  constructor(parameterSets: readonly Uint8Array[]) {
    this.#accessUnit = new AccessUnitAssembler('h265', parameterSets);
  }

  /** Cameras set the marker on parameter sets too; an access unit has a picture. */
  get isEndable(): boolean {
    return this.#accessUnit.hasPicture;
  }

  isStart(payload: Uint8Array): boolean {
    switch (h265TypeOf(payload[0]!)) {
      case H265_PACKET.aggregation:
        return isStartOfPicture(payload, NAL_HEADER_BYTES + LENGTH_BYTES);
      case H265_PACKET.fragmentation:
        return isFirstH265Fragment(payload) && isStartOf(payload[2]! & 0x3f, payload[1]!, payload[FU_HEADER_BYTES]);
      default:
        return isStartOfPicture(payload, 0);
    }
  }

  add(payload: Uint8Array): boolean {
    switch (h265TypeOf(payload[0]!)) {
      case H265_PACKET.aggregation:
        return this.#addAggregate(payload);
      case H265_PACKET.fragmentation:
        return this.#addFragment(payload);
      case H265_PACKET.paci:
        return false;
      default:
        return payload.length >= NAL_HEADER_BYTES && this.#accessUnit.add(payload, 0, payload.length);
    }
  }

  #addAggregate(payload: Uint8Array): boolean {
    let at = NAL_HEADER_BYTES;
    while (at + LENGTH_BYTES <= payload.length) {
      const size = (payload[at]! << 8) | payload[at + 1]!;
      at += LENGTH_BYTES;
      if (size > payload.length - at || !isH265NalUnit(payload[at]!, size)) return false;
      if (!this.#accessUnit.add(payload, at, at + size)) return false;
      at += size;
    }
    return at === payload.length && at > NAL_HEADER_BYTES;
  }

  #addFragment(payload: Uint8Array): boolean {
    if (payload.length <= FU_HEADER_BYTES) return false;
    if (isFirstH265Fragment(payload)) {
      const head = h265FragmentHead(payload);
      if (!isH265NalUnit(head, NAL_HEADER_BYTES) || !this.#accessUnit.openFragments(head, payload[1]!)) return false;
    }
    return this.#accessUnit.addFragment(payload, FU_HEADER_BYTES, (payload[2]! & 0x40) !== 0);
  }

  finish(): AssembledUnit | undefined | null {
    return this.#accessUnit.finish();
  }

  reset(): void {
    this.#accessUnit.reset();
  }
}

/** Whether a fragmentation unit of three bytes or more is the first of its NAL unit. */
export function isFirstH265Fragment(payload: Uint8Array): boolean {
  return ((payload[2] ?? 0) & 0x80) !== 0;
}

/** The first byte of the NAL unit a fragmentation unit is of. */
export function h265FragmentHead(payload: Uint8Array): number {
  return (payload[0]! & 0x81) | ((payload[2]! & 0x3f) << 1);
}

function isStartOfPicture(payload: Uint8Array, at: number): boolean {
  return isStartOf(h265TypeOf(payload[at] ?? 0xff), payload[at + 1] ?? 0xff, payload[at + NAL_HEADER_BYTES]);
}

/**
 * Whether an access unit of which nothing came yet is there from here on as far as its pictures go: what stands in
 * front of the first slice, or the first slice itself. Packets lost before may have had no more than NAL units that
 * decoding can do without or that are in the configuration (ITU-T H.265 §7.4.2.4.4).
 */
function isStartOf(type: number, secondByte: number, afterHeader: number | undefined): boolean {
  switch (type) {
    case H265_NAL.vps:
    case H265_NAL.sps:
    case H265_NAL.pps:
    case H265_NAL.accessUnitDelimiter:
    case H265_NAL.prefixSei:
      return true;
    default:
      // first_slice_segment_in_pic_flag of the base layer.
      return type <= H265_NAL.lastVcl && secondByte >>> 3 === 0 && ((afterHeader ?? 0) & 0x80) !== 0;
  }
}
