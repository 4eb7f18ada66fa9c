import { H264_NAL } from '../../../codec/h264/nal-unit-type.ts';
import { H264_PACKET, isH264NalUnit, NAL_TYPE_MASK } from './h264-packet-type.ts';
import type { NalPacketForm } from './nal-packetizer.ts';
import type { NalUnitList } from './nal-unit-list.ts';
import type { PayloadWriter } from './packetizer.ts';

/** H.264 in packetization mode 1 (RFC 6184 §6.3): single NAL unit packets, STAP-A and FU-A. */
export const H264_PACKET_FORM: NalPacketForm = {
  headerBytes: 1,
  fragmentHeaderBytes: 2,
  isSendable: isH264NalUnit,

  isSps(head: number): boolean {
    return (head & NAL_TYPE_MASK) === H264_NAL.sps;
  },

  isAccessUnitDelimiter(head: number): boolean {
    return (head & NAL_TYPE_MASK) === H264_NAL.accessUnitDelimiter;
  },

  /**
   * STAP-A (§5.7.1): forbidden bit and importance are the highest of those inside.
   *
   *     F(1) NRI(2) type(5)=24
   */
  writeAggregateHeader(list: NalUnitList, from: number, end: number, out: PayloadWriter): void {
    let forbidden = 0;
    let importance = 0;
    for (let i = from; i < end; i++) {
      forbidden |= list.head(i) & 0x80;
      importance = Math.max(importance, list.head(i) & 0x60);
    }
    out.u8(forbidden | importance | H264_PACKET.stapA);
  },

  /**
   * FU-A (§5.8).
   *
   *     F(1) NRI(2) type(5)=28  start(1) end(1) 0 type(5)
   */
  writeFragmentHeader(bytes: Uint8Array, start: number, flags: number, out: PayloadWriter): void {
    const head = bytes[start]!;
    out.u8((head & ~NAL_TYPE_MASK) | H264_PACKET.fuA);
    out.u8(flags | (head & NAL_TYPE_MASK));
  },
};
