/** Bytes of the element. */
export const TRANSPORT_WIDE_SEQUENCE_NUMBER_BYTES = 2;

/**
 * The number of a packet among all of its transport (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2), 16 bits;
 * `undefined` when the element has another size. The form with a request for feedback (…-02, 4 bytes) is not read.
 */
export function readTransportWideSequenceNumber(bytes: Uint8Array, at: number, sizeBytes: number): number | undefined {
  if (sizeBytes !== TRANSPORT_WIDE_SEQUENCE_NUMBER_BYTES || at < 0 || at + sizeBytes > bytes.length) return undefined;
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/**
 * Writes the low 16 bits of `sequenceNumber`.
 * @returns false when there is no room
 */
export function writeTransportWideSequenceNumber(bytes: Uint8Array, at: number, sequenceNumber: number): boolean {
  if (at < 0 || at + TRANSPORT_WIDE_SEQUENCE_NUMBER_BYTES > bytes.length) return false;
  bytes[at] = sequenceNumber >>> 8;
  bytes[at + 1] = sequenceNumber;
  return true;
}
