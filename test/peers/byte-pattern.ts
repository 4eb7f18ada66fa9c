/** Bytes that both ends of a test can make, other ones for each seed. */
export function bytePattern(sizeBytes: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) bytes[i] = i * 31 + (i >>> 8) + seed;
  return bytes;
}

/** The seed of a pattern, told from its bytes; −1 for bytes that are none. */
export function seedOf(bytes: Uint8Array): number {
  const seed = bytes[0] ?? -1;
  return bytePattern(bytes.length, seed).every((byte, i) => byte === bytes[i]) ? seed : -1;
}
