const SSRC_MIN = 100_000_000;
const SSRC_MAX = 999_999_999;

/** A random SSRC of nine decimal digits, which leaves room for the streams numbered after it. */
export function randomSsrc(): number {
  const words = globalThis.crypto.getRandomValues(new Uint32Array(1));
  // 2^32 is no multiple of the span: the slight bias does no harm here.
  return SSRC_MIN + (words[0]! % (SSRC_MAX - SSRC_MIN + 1));
}

/** A random name for an entity (UUID version 4). */
export function randomId(): string {
  return globalThis.crypto.randomUUID();
}
