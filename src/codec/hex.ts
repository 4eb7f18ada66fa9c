/** A byte as two lower-case hexadecimal digits, as RFC 6381 strings have them. */
export function toHex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
