/**
 * Numbers that wrap: sequence numbers of 16 bits, timestamps of 32 (serial number arithmetic, RFC 1982; RFC 3550 §A.1).
 * Bit operations take the low 32 bits of any safe integer, of negative ones in two's complement, so that numbers without
 * an end can be compared with wrapped ones as they are. Two numbers exactly half the circle apart have no order:
 * their difference is negative either way round.
 */

/** How far `a` is ahead of `b`, −32,768 to 32,767. Both are taken modulo 2^16. */
export function diff16(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

/** Whether `a` comes after `b` on the shorter way round. */
export function isAfter16(a: number, b: number): boolean {
  return diff16(a, b) > 0;
}

/**
 * The number without an end that is `value` modulo 2^16 and lies nearest to `reference`. May be negative.
 * @param reference any safe integer, usually what this gave before
 */
export function unwrap16(value: number, reference: number): number {
  return reference + diff16(value, reference);
}

/** How far `a` is ahead of `b`, −2^31 to 2^31 − 1. Both are taken modulo 2^32. */
export function diff32(a: number, b: number): number {
  return (a - b) | 0;
}

/** Whether `a` comes after `b` on the shorter way round. */
export function isAfter32(a: number, b: number): boolean {
  return diff32(a, b) > 0;
}

/**
 * The number without an end that is `value` modulo 2^32 and lies nearest to `reference`. May be negative.
 * @param reference any safe integer, usually what this gave before
 */
export function unwrap32(value: number, reference: number): number {
  return reference + diff32(value, reference);
}
