/** A packet of at most so many bytes has no sound to decode (RFC 6716 §3.1: a TOC byte, and one for code 3). */
const MAX_DTX_BYTES = 2;

/**
 * Whether an Opus payload of this size is one of a sender that is silent (discontinuous transmission, RFC 7587 §3.1.3):
 * such come every 400 ms and need not be forwarded.
 */
export function isOpusDtx(payloadBytes: number): boolean {
  return payloadBytes <= MAX_DTX_BYTES;
}
