import type { RtpPacketView } from './rtp-packet-view.ts';

/** What a retransmission is longer by than what it repeats: the original sequence number, bytes. */
export const RTX_OVERHEAD_BYTES = 2;

/** What the retransmission stream puts into its headers. */
export interface RtxStream {
  readonly payloadType: number;
  readonly ssrc: number;
  readonly sequenceNumber: number;
}

/**
 * Writes the retransmission of a packet (RFC 4588 §4): its header and extension with another SSRC, payload type and
 * sequence number, and the original sequence number in front of its payload. Padding is left out.
 *
 *     RTP header  OSN(16)  original payload
 *
 * @param out at least `RTX_OVERHEAD_BYTES` longer than the packet from `at` on; may not be the packet's own memory
 * @returns where it ends in `out`
 */
export function writeRtx(packet: RtpPacketView, stream: RtxStream, out: Uint8Array, at: number): number {
  const { bytes, start, payloadStart, payloadEnd } = packet;
  const headerBytes = payloadStart - start;
  const payloadAt = at + headerBytes + RTX_OVERHEAD_BYTES;
  for (let i = 0; i < headerBytes; i++) out[at + i] = bytes[start + i]!;
  out[at] = out[at]! & 0xdf;
  out[at + 1] = (out[at + 1]! & 0x80) | (stream.payloadType & 0x7f);
  out[at + 2] = stream.sequenceNumber >>> 8;
  out[at + 3] = stream.sequenceNumber;
  out[at + 8] = stream.ssrc >>> 24;
  out[at + 9] = stream.ssrc >>> 16;
  out[at + 10] = stream.ssrc >>> 8;
  out[at + 11] = stream.ssrc;
  out[payloadAt - 2] = bytes[start + 2]!;
  out[payloadAt - 1] = bytes[start + 3]!;
  out.set(bytes.subarray(payloadStart, payloadEnd), payloadAt);
  return payloadAt + payloadEnd - payloadStart;
}

/**
 * Makes a retransmission the packet it repeats, in place: the header moves up over the original sequence number, and the
 * view is set on what it has become.
 * @param original payload type and SSRC of the stream that is repeated
 * @returns false when there is no original sequence number, as in padding that is sent to probe; the bytes are then as
 *   they were
 */
export function restoreRtx(packet: RtpPacketView, original: Omit<RtxStream, 'sequenceNumber'>): boolean {
  const { bytes, start, payloadStart } = packet;
  if (packet.payloadBytes < RTX_OVERHEAD_BYTES) return false;
  const high = bytes[payloadStart]!;
  const low = bytes[payloadStart + 1]!;
  bytes.copyWithin(start + RTX_OVERHEAD_BYTES, start, payloadStart);
  packet.look(bytes, start + RTX_OVERHEAD_BYTES, packet.end);
  packet.sequenceNumber = (high << 8) | low;
  packet.payloadType = original.payloadType;
  packet.ssrc = original.ssrc;
  return true;
}
