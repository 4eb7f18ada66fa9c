/** Bytes of the element. */
export const ABS_SEND_TIME_BYTES = 3;

/** Microseconds after which absolute send times repeat. */
export const ABS_SEND_TIME_WRAP_US = 64_000_000;

const TICKS_PER_SECOND = 0x4_0000;
const WRAP_TICKS = 0x100_0000;

/**
 * When a packet left its sender (webrtc.org/experiments/rtp-hdrext/abs-send-time): 24 bits, seconds as 6.18 fixed point,
 * the same bits as the middle of an NTP timestamp. `undefined` when the element has another size.
 */
export function readAbsSendTime(bytes: Uint8Array, at: number, sizeBytes: number): number | undefined {
  if (sizeBytes !== ABS_SEND_TIME_BYTES || at < 0 || at + ABS_SEND_TIME_BYTES > bytes.length) return undefined;
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

/**
 * Writes the low 24 bits of `ticks`.
 * @returns false when there is no room
 */
export function writeAbsSendTime(bytes: Uint8Array, at: number, ticks: number): boolean {
  if (at < 0 || at + ABS_SEND_TIME_BYTES > bytes.length) return false;
  bytes[at] = ticks >>> 16;
  bytes[at + 1] = ticks >>> 8;
  bytes[at + 2] = ticks;
  return true;
}

/**
 * A moment as absolute send time, 24 bits, rounded down.
 * @param us microseconds of any clock that goes evenly, not negative; WebRTC compares differences only
 */
export function toAbsSendTime(us: number): number {
  return Math.floor(((us % ABS_SEND_TIME_WRAP_US) * TICKS_PER_SECOND) / 1_000_000) % WRAP_TICKS;
}

/** Microseconds from `earlier` to `later`, both 24 bits: −32 s to just under 32 s on the shorter way round. */
export function absSendTimeDiffUs(later: number, earlier: number): number {
  return ((((later - earlier) << 8) >> 8) * 1_000_000) / TICKS_PER_SECOND;
}
