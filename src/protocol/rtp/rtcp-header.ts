import type { ByteWriter } from '../../wire/byte-writer.ts';
import { StateError } from '../../wire/errors.ts';
import type { RtpErrorCode } from './rtp-error.ts';

/** Header every RTCP packet has, bytes. */
export const RTCP_HEADER_BYTES = 4;

/** Most report blocks, chunks or sources of one packet (the count has five bits). */
export const MAX_RTCP_COUNT = 31;

/** Packet types (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2). */
export const RTCP_TYPE = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  goodbye: 203,
  applicationDefined: 204,
  transportFeedback: 205,
  payloadFeedback: 206,
  extendedReport: 207,
} as const;

/**
 * Writes the header of a packet whose body of `bodyBytes`, whole words, follows.
 *
 *     V=2(2) P=0 count(5)  type(8)  length in words − 1 (16)
 *
 * @param count report blocks, chunks, sources, subtype or feedback message type, by the packet's type
 * @throws StateError `rtcp/too-many` when count or size have no room in their fields
 */
export function writeRtcpHeader(out: ByteWriter, type: number, count: number, bodyBytes: number): void {
  const words = bodyBytes / 4;
  if (count > MAX_RTCP_COUNT || words > 0xffff) {
    throw new StateError('rtcp/too-many' satisfies RtpErrorCode, `${count} items in ${bodyBytes} bytes`);
  }
  out.u8(0x80 | count);
  out.u8(type);
  out.u16(words);
}
