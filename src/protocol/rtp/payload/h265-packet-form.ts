import { H265_NAL } from '../../../codec/h265/nal-unit-type.ts';
import { H265_PACKET, h265TypeOf, isH265NalUnit, NAL_HEADER_BYTES } from './h265-packet-type.ts';
import type { NalPacketForm } from './nal-packetizer.ts';
import type { NalUnitList } from './nal-unit-list.ts';
import type { PayloadWriter } from './packetizer.ts';

/** F, the lowest bit of the layer id, which are what a payload header keeps of the first byte of a NAL unit. */
const HEAD_WITHOUT_TYPE = 0x81;

/** H.265 (RFC 7798 §4.4): single NAL unit packets, aggregation packets and fragmentation units. */
export const H265_PACKET_FORM: NalPacketForm = {
  headerBytes: NAL_HEADER_BYTES,
  fragmentHeaderBytes: NAL_HEADER_BYTES + 1,
  isSendable: isH265NalUnit,

  isSps(head: number): boolean {
    return h265TypeOf(head) === H265_NAL.sps;
  },

  isAccessUnitDelimiter(head: number): boolean {
    return h265TypeOf(head) === H265_NAL.accessUnitDelimiter;
  },

  /**
   * Aggregation packet (§4.4.2): layer id and temporal id are the lowest of those inside.
   *
   *     F(1) type(6)=48 layer(6) temporal id plus 1(3)
   */
  writeAggregateHeader(list: NalUnitList, from: number, end: number, out: PayloadWriter): void {
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
    out.u8(forbidden | (H265_PACKET.aggregation << 1) | (layerId >>> 5));
    out.u8(((layerId & 31) << 3) | temporalId);
  },

  /**
   * Fragmentation unit (§4.4.3).
   *
   *     F(1) type(6)=49 layer(6) temporal id plus 1(3)  start(1) end(1) type(6)
   */
  writeFragmentHeader(bytes: Uint8Array, start: number, flags: number, out: PayloadWriter): void {
    const head = bytes[start]!;
    out.u8((head & HEAD_WITHOUT_TYPE) | (H265_PACKET.fragmentation << 1));
    out.u8(bytes[start + 1]!);
    out.u8(flags | h265TypeOf(head));
  },
};
