/**
 * Bits of the aggregation header that every payload begins with (RTP Payload Format for AV1 §4.4).
 *
 *     Z(1) Y(1) W(2) N(1) -(3)
 */
export const AV1_AGGREGATION = {
  /** Z: the first element goes on with an OBU of the packet before. */
  continues: 0x80,
  /** Y: the last element goes on in the next packet. */
  toBeContinued: 0x40,
  /** N: a coded video sequence begins here. */
  newSequence: 0x08,
} as const;

/** Where the element count W is: 1–3, the last then without length; 0 for any number, all with lengths. */
export const ELEMENT_COUNT_SHIFT = 4;

/** Most elements W can tell. */
export const MAX_COUNTED_ELEMENTS = 3;

/** In an OBU header: a size field follows it (AV1 specification §5.3.2). */
export const OBU_HAS_SIZE = 0x02;

/** In an OBU header: an extension byte follows it. */
export const OBU_HAS_EXTENSION = 0x04;

/** Bytes of the shortest leb128 for a size. */
export function leb128Bytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}
