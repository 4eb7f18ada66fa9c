import { H264_NAL } from '../../../codec/h264/nal-unit-type.ts';
import { H264_PACKET, isH264NalUnit, NAL_TYPE_MASK } from './h264-packet-type.ts';
import { NalUnitList } from './nal-unit-list.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';

/** Whether small NAL units that follow each other go into one packet (STAP-A). Packetization mode 1 allows both. */
const AGGREGATES = true;

const FU_HEADER_BYTES = 2;
const STAP_HEADER_BYTES = 1;
const STAP_LENGTH_BYTES = 2;

/** H.264 in packetization mode 1 (RFC 6184 §6.3): single NAL unit packets, STAP-A and FU-A, in decoding order. */
export class H264Packetizer implements Packetizer {
  readonly #lengthSize: number;
  readonly #inBand: readonly Uint8Array[];
  readonly #nalUnits: NalUnitList = new NalUnitList(isH264NalUnit);

  /**
   * @param lengthSize bytes of the length before each NAL unit of a payload
   * @param inBand parameter sets put into key frames that have none of their own
   */
  constructor(lengthSize: number, inBand: readonly Uint8Array[]) {
    this.#lengthSize = lengthSize;
    this.#inBand = inBand;
  }

  write(payload: Uint8Array, isKeyFrame: boolean, out: PayloadWriter): void {
    const list = this.#nalUnits;
    list.pushPayload(payload, this.#lengthSize);
    if (isKeyFrame && this.#inBand.length > 0) this.#insertParameterSets();
    const count = list.count;
    for (let i = 0; i < count; ) {
      const end = aggregateEnd(list, i, out.maxPayloadSize);
      if (end > i + 1) writeStapA(list, i, end, out, end === count);
      else writeNalUnit(list, i, out, end === count);
      i = end;
    }
    list.clear();
  }

  #insertParameterSets(): void {
    const list = this.#nalUnits;
    for (let i = 0; i < list.count; i++) if ((list.head(i) & NAL_TYPE_MASK) === H264_NAL.sps) return;
    // A delimiter stays what an access unit begins with (H.264 §7.4.1.2.3).
    const hasDelimiter = list.count > 0 && (list.head(0) & NAL_TYPE_MASK) === H264_NAL.accessUnitDelimiter;
    let at = hasDelimiter ? 1 : 0;
    for (const set of this.#inBand) list.insert(at++, set);
  }
}

/** The index after the last NAL unit that goes into one packet with the one at `from`. */
function aggregateEnd(list: NalUnitList, from: number, maxPayloadSize: number): number {
  let end = from + 1;
  if (!AGGREGATES) return end;
  let size = STAP_HEADER_BYTES + STAP_LENGTH_BYTES + list.size(from);
  for (; end < list.count; end++) {
    size += STAP_LENGTH_BYTES + list.size(end);
    if (size > maxPayloadSize) break;
  }
  return end;
}

/**
 * STAP-A (§5.7.1): forbidden bit and importance are the highest of those inside.
 *
 *     F(1) NRI(2) type(5)=24  {size(16) NAL unit}
 */
function writeStapA(list: NalUnitList, from: number, end: number, out: PayloadWriter, marker: boolean): void {
  let forbidden = 0;
  let importance = 0;
  for (let i = from; i < end; i++) {
    forbidden |= list.head(i) & 0x80;
    importance = Math.max(importance, list.head(i) & 0x60);
  }
  out.open();
  out.u8(forbidden | importance | H264_PACKET.stapA);
  for (let i = from; i < end; i++) {
    out.u16(list.size(i));
    out.raw(list.sources[i]!, list.starts[i], list.ends[i]);
  }
  out.close(marker);
}

/**
 * A NAL unit as it is, or in FU-A packets (§5.8) when it is too long.
 *
 *     F(1) NRI(2) type(5)=28  start(1) end(1) 0 type(5)  bytes after the NAL unit header
 */
function writeNalUnit(list: NalUnitList, index: number, out: PayloadWriter, marker: boolean): void {
  const bytes = list.sources[index]!;
  const start = list.starts[index]!;
  const end = list.ends[index]!;
  if (end - start <= out.maxPayloadSize) {
    out.open();
    out.raw(bytes, start, end);
    out.close(marker);
    return;
  }
  const head = bytes[start]!;
  const indicator = (head & ~NAL_TYPE_MASK) | H264_PACKET.fuA;
  const step = Math.max(1, out.maxPayloadSize - FU_HEADER_BYTES);
  let flags = 0x80;
  for (let at = start + 1; at < end; at += step) {
    const isLast = at + step >= end;
    if (isLast) flags |= 0x40;
    out.open();
    out.u8(indicator);
    out.u8(flags | (head & NAL_TYPE_MASK));
    out.raw(bytes, at, isLast ? end : at + step);
    out.close(marker && isLast);
    flags = 0;
  }
}
