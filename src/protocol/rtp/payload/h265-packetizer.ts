import { H265_NAL } from '../../../codec/h265/nal-unit-type.ts';
import { H265_PACKET, h265TypeOf, isH265NalUnit, NAL_HEADER_BYTES } from './h265-packet-type.ts';
import { NalUnitList } from './nal-unit-list.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';

/** Whether small NAL units that follow each other go into one packet. */
const AGGREGATES = true;

const FU_HEADER_BYTES = 3;
const LENGTH_BYTES = 2;

/** F, the lowest bit of the layer id, which are what a payload header keeps of the first byte of a NAL unit. */
const HEAD_WITHOUT_TYPE = 0x81;

/** H.265 (RFC 7798 §4.4): single NAL unit packets, aggregation packets and fragmentation units, in decoding order. */
export class H265Packetizer implements Packetizer {
  readonly #lengthSize: number;
  readonly #inBand: readonly Uint8Array[];
  readonly #nalUnits: NalUnitList = new NalUnitList(isH265NalUnit);

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
      if (end > i + 1) writeAggregate(list, i, end, out, end === count);
      else writeNalUnit(list, i, out, end === count);
      i = end;
    }
    list.clear();
  }

  #insertParameterSets(): void {
    const list = this.#nalUnits;
    for (let i = 0; i < list.count; i++) if (h265TypeOf(list.head(i)) === H265_NAL.sps) return;
    // A delimiter stays what an access unit begins with (H.265 §7.4.2.4.4).
    const hasDelimiter = list.count > 0 && h265TypeOf(list.head(0)) === H265_NAL.accessUnitDelimiter;
    let at = hasDelimiter ? 1 : 0;
    for (const set of this.#inBand) list.insert(at++, set);
  }
}

/** The index after the last NAL unit that goes into one packet with the one at `from`. */
function aggregateEnd(list: NalUnitList, from: number, maxPayloadSize: number): number {
  let end = from + 1;
  if (!AGGREGATES) return end;
  let size = NAL_HEADER_BYTES + LENGTH_BYTES + list.size(from);
  for (; end < list.count; end++) {
    size += LENGTH_BYTES + list.size(end);
    if (size > maxPayloadSize) break;
  }
  return end;
}

/**
 * Aggregation packet (§4.4.2): layer id and temporal id are the lowest of those inside.
 *
 *     F(1) type(6)=48 layer(6) temporal id plus 1(3)  {size(16) NAL unit}
 */
function writeAggregate(list: NalUnitList, from: number, end: number, out: PayloadWriter, marker: boolean): void {
  let forbidden = 0;
  let layerId = 63;
  let temporalId = 7;
  for (let i = from; i < end; i++) {
    const head = list.head(i);
    const next = list.sources[i]![list.starts[i]! + 1] ?? 1;
    forbidden |= head & 0x80;
    layerId = Math.min(layerId, ((head & 1) << 5) | (next >>> 3));
    temporalId = Math.min(temporalId, next & 7);
  }
  out.open();
  out.u8(forbidden | (H265_PACKET.aggregation << 1) | (layerId >>> 5));
  out.u8(((layerId & 31) << 3) | temporalId);
  for (let i = from; i < end; i++) {
    out.u16(list.size(i));
    out.raw(list.sources[i]!, list.starts[i], list.ends[i]);
  }
  out.close(marker);
}

/**
 * A NAL unit as it is, or in fragmentation units (§4.4.3) when it is too long.
 *
 *     F(1) type(6)=49 layer(6) temporal id plus 1(3)  start(1) end(1) type(6)  bytes after the NAL unit header
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
  const type = h265TypeOf(head);
  const step = Math.max(1, out.maxPayloadSize - FU_HEADER_BYTES);
  let flags = 0x80;
  for (let at = start + NAL_HEADER_BYTES; at < end; at += step) {
    const isLast = at + step >= end;
    if (isLast) flags |= 0x40;
    out.open();
    out.u8((head & HEAD_WITHOUT_TYPE) | (H265_PACKET.fragmentation << 1));
    out.u8(bytes[start + 1]!);
    out.u8(flags | type);
    out.raw(bytes, at, isLast ? end : at + step);
    out.close(marker && isLast);
    flags = 0;
  }
}
