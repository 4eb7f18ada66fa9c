import { H264_NAL } from '../../../codec/h264/nal-unit-type.ts';
import { AccessUnitAssembler } from './access-unit-assembler.ts';
import { H264_PACKET, isH264NalUnit, NAL_TYPE_MASK } from './h264-packet-type.ts';
import type { AssembledUnit, UnitAssembler } from './unit-depacketizer.ts';

const DON_BYTES = 2;
const LENGTH_BYTES = 2;

/**
 * Access units of H.264 from packets in decoding order (RFC 6184 §5.6–5.8): single NAL units, STAP-A and STAP-B, FU-A
 * and FU-B, whatever the packetization mode says. Decoding order numbers are passed over; MTAPs, which are for
 * interleaving alone, make no sense here.
 */
export class H264Assembler implements UnitAssembler {
  readonly #accessUnit: AccessUnitAssembler;

  constructor(parameterSets: readonly Uint8Array[]) {
    this.#accessUnit = new AccessUnitAssembler('h264', parameterSets);
  }

  /** Cameras set the marker on parameter sets too; an access unit has a picture. */
  get isEndable(): boolean {
    return this.#accessUnit.hasPicture;
  }

  isStart(payload: Uint8Array): boolean {
    switch (payload[0]! & NAL_TYPE_MASK) {
      case H264_PACKET.stapA:
        return isStartOfPicture(payload[1 + LENGTH_BYTES], payload[2 + LENGTH_BYTES]);
      case H264_PACKET.stapB:
        return isStartOfPicture(payload[1 + DON_BYTES + LENGTH_BYTES], payload[2 + DON_BYTES + LENGTH_BYTES]);
      case H264_PACKET.fuA:
        return isFirstFragment(payload) && isStartOfPicture(payload[1], payload[2]);
      case H264_PACKET.fuB:
        return isFirstFragment(payload) && isStartOfPicture(payload[1], payload[2 + DON_BYTES]);
      default:
        return isStartOfPicture(payload[0], payload[1]);
    }
  }

  add(payload: Uint8Array): boolean {
    const type = payload[0]! & NAL_TYPE_MASK;
    switch (type) {
      case H264_PACKET.stapA:
        return this.#addAggregate(payload, 1);
      case H264_PACKET.stapB:
        return this.#addAggregate(payload, 1 + DON_BYTES);
      case H264_PACKET.fuA:
        return this.#addFragment(payload, 2);
      case H264_PACKET.fuB:
        return this.#addFragment(payload, 2 + DON_BYTES);
      case H264_PACKET.mtap16:
      case H264_PACKET.mtap24:
        return false;
      default:
        // Types no RFC has given a meaning are passed over (§5.4).
        return type === 0 || type > H264_PACKET.fuB || this.#accessUnit.add(payload, 0, payload.length);
    }
  }

  #addAggregate(payload: Uint8Array, start: number): boolean {
    let at = start;
    while (at + LENGTH_BYTES <= payload.length) {
      const end = at + LENGTH_BYTES + ((payload[at]! << 8) | payload[at + 1]!);
      if (end > payload.length) return false;
      at += LENGTH_BYTES;
      if (at < end && !(isH264NalUnit(payload[at]!) && this.#accessUnit.add(payload, at, end))) return false;
      at = end;
    }
    return at === payload.length && at > start;
  }

  #addFragment(payload: Uint8Array, start: number): boolean {
    if (payload.length <= start) return false;
    const header = payload[1]!;
    if (isFirstFragment(payload)) {
      const head = (payload[0]! & ~NAL_TYPE_MASK) | (header & NAL_TYPE_MASK);
      if (!isH264NalUnit(head) || !this.#accessUnit.openFragments(head)) return false;
    }
    return this.#accessUnit.addFragment(payload, start, (header & 0x40) !== 0);
  }

  finish(): AssembledUnit | undefined | null {
    return this.#accessUnit.finish();
  }

  reset(): void {
    this.#accessUnit.reset();
  }
}

function isFirstFragment(payload: Uint8Array): boolean {
  return (payload[1]! & 0x80) !== 0;
}

/**
 * Whether an access unit of which nothing came yet is there from here on as far as its pictures go: what stands in
 * front of the first slice, or the slice with macroblock 0. Packets lost before may have had no more than NAL units
 * that decoding can do without or that are in the configuration (ITU-T H.264 §7.4.1.2.3).
 */
function isStartOfPicture(head: number | undefined, next: number | undefined): boolean {
  switch ((head ?? 0) & NAL_TYPE_MASK) {
    case H264_NAL.sei:
    case H264_NAL.sps:
    case H264_NAL.pps:
    case H264_NAL.accessUnitDelimiter:
    case H264_NAL.spsExtension:
    case H264_NAL.subsetSps:
      return true;
    case H264_NAL.slice:
    case H264_NAL.partitionA:
    case H264_NAL.idrSlice:
      // first_mb_in_slice is ue(v): zero is a single bit 1.
      return ((next ?? 0) & 0x80) !== 0;
    default:
      return false;
  }
}
