/** Where things are in RTP, RTCP, SRTP and SRTCP packets, and the initialization vectors that follow from it. */
import type { SrtpJob } from './srtp-cipher.ts';

const RTP_HEADER_BYTES = 12;
/** First RTCP header and the sender's SSRC: they stay in clear (RFC 3711 §3.4). */
export const RTCP_CLEAR_BYTES = 8;
/** E flag and index of SRTCP. */
export const RTCP_WORD_BYTES = 4;

/**
 * Offset of the payload in an RTP packet that ends at `end`: behind CSRCs and header extension, which stay in clear.
 * 0 when it is no whole RTP packet of version 2.
 */
export function rtpPayloadStart(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < RTP_HEADER_BYTES) return 0;
  const first = bytes[start]!;
  if (first >>> 6 !== 2) return 0;
  let at = start + RTP_HEADER_BYTES + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (at + 4 > end) return 0;
    at += 4 + 4 * ((bytes[at + 2]! << 8) | bytes[at + 3]!);
  }
  return at > end ? 0 : at;
}

/**
 * Sets `job.iv` from salt, SSRC and index of up to 48 bits: RFC 3711 §4.1.1 for a salt of 14 bytes, RFC 7714 §8.1 and
 * §9.1 for one of 12.
 */
export function writeIv(job: SrtpJob, salt: Uint8Array, ssrc: number, index: number): void {
  const { iv } = job;
  const high = Math.floor(index / 0x1_0000_0000);
  // The salt of 14 bytes has two bytes more in front of the SSRC.
  const at = salt.length - 10;
  iv.set(salt);
  if (salt.length === 14) {
    iv[14] = 0;
    iv[15] = 0;
  }
  iv[at]! ^= ssrc >>> 24;
  iv[at + 1]! ^= ssrc >>> 16;
  iv[at + 2]! ^= ssrc >>> 8;
  iv[at + 3]! ^= ssrc;
  iv[at + 4]! ^= high >>> 8;
  iv[at + 5]! ^= high;
  iv[at + 6]! ^= index >>> 24;
  iv[at + 7]! ^= index >>> 16;
  iv[at + 8]! ^= index >>> 8;
  iv[at + 9]! ^= index;
}
