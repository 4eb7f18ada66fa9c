/** Bytes of the element. */
export const TRANSMISSION_OFFSET_BYTES = 3;

/**
 * By how much a packet was sent later than its timestamp says (RFC 5450 §2), RTP clock units, signed 24 bits;
 * `undefined` when the element has another size.
 */
export function readTransmissionOffset(bytes: Uint8Array, at: number, sizeBytes: number): number | undefined {
  if (sizeBytes !== TRANSMISSION_OFFSET_BYTES || at < 0 || at + sizeBytes > bytes.length) return undefined;
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8)) >> 8;
}

/**
 * Writes the low 24 bits of `offset`.
 * @returns false when there is no room
 */
export function writeTransmissionOffset(bytes: Uint8Array, at: number, offset: number): boolean {
  if (at < 0 || at + TRANSMISSION_OFFSET_BYTES > bytes.length) return false;
  bytes[at] = offset >>> 16;
  bytes[at + 1] = offset >>> 8;
  bytes[at + 2] = offset;
  return true;
}
