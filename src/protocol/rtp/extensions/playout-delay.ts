/** Bytes of the element. */
export const PLAYOUT_DELAY_BYTES = 3;

/** Longest delay that can be told, milliseconds. */
export const MAX_PLAYOUT_DELAY_MS = 40_950;

const UNIT_MS = 10;
const LIMIT_UNITS = 0xfff;

/** The shortest delay in the number `readPlayoutDelay` gives, milliseconds. */
export function minPlayoutDelayMs(packed: number): number {
  return (packed >>> 12) * UNIT_MS;
}

/** The longest delay in the number `readPlayoutDelay` gives, milliseconds. */
export function maxPlayoutDelayMs(packed: number): number {
  return (packed & LIMIT_UNITS) * UNIT_MS;
}

/**
 * The limits of a receiver's delay from capture to display (webrtc.org/experiments/rtp-hdrext/playout-delay), as it is
 * sent: 24 bits. `undefined` when the element has another size, or its shortest delay is above its longest.
 *
 *     shortest(12) longest(12), 10 ms
 */
export function readPlayoutDelay(bytes: Uint8Array, at: number, sizeBytes: number): number | undefined {
  if (sizeBytes !== PLAYOUT_DELAY_BYTES || at < 0 || at + sizeBytes > bytes.length) return undefined;
  const packed = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
  return packed >>> 12 > (packed & LIMIT_UNITS) ? undefined : packed;
}

/**
 * Writes both limits, milliseconds, rounded down to 10; beyond `MAX_PLAYOUT_DELAY_MS` they are cut to it.
 * @returns false when there is no room
 */
export function writePlayoutDelay(bytes: Uint8Array, at: number, minMs: number, maxMs: number): boolean {
  if (at < 0 || at + PLAYOUT_DELAY_BYTES > bytes.length) return false;
  const min = units(minMs);
  const max = units(maxMs);
  bytes[at] = min >>> 4;
  bytes[at + 1] = (min << 4) | (max >>> 8);
  bytes[at + 2] = max;
  return true;
}

function units(ms: number): number {
  return Math.min(LIMIT_UNITS, Math.max(0, Math.floor(ms / UNIT_MS)));
}
