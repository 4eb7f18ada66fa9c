import { getU32, setU32 } from '../../../wire/big-endian.ts';

/** Bytes of the element without an offset between clocks. */
export const ABS_CAPTURE_TIME_BYTES = 8;

/** Bytes of the element with it. */
export const ABS_CAPTURE_TIME_WITH_OFFSET_BYTES = 16;

const FRACTIONS = 2 ** 32;

/**
 * When the first frame in a packet was captured (webrtc.org/experiments/rtp-hdrext/abs-capture-time). Made once and filled
 * by `readAbsCaptureTime`.
 *
 *     capture time(64), NTP, UQ32.32  [clock offset(64), Q32.32]
 */
export class AbsCaptureTime {
  /** Since 1900 by the capturing system's clock, modulo 2^32. */
  ntpSeconds = 0;
  /** In 1/2^32 s. */
  ntpFraction = 0;
  /** Whether the sender estimated how far the capturing clock is ahead of its own. */
  hasClockOffset = false;
  /** Whole seconds of that, rounded down, signed 32 bits. */
  offsetSeconds = 0;
  /** The rest, in 1/2^32 s. */
  offsetFraction = 0;

  /** The offset in microseconds, rounded; 0 when there is none. */
  get clockOffsetUs(): number {
    return this.offsetSeconds * 1_000_000 + Math.round((this.offsetFraction * 1_000_000) / FRACTIONS);
  }
}

/**
 * Reads the element into `out`.
 * @returns false when the element has neither of its two sizes; `out` then stays as it was
 */
export function readAbsCaptureTime(bytes: Uint8Array, at: number, sizeBytes: number, out: AbsCaptureTime): boolean {
  const hasClockOffset = sizeBytes === ABS_CAPTURE_TIME_WITH_OFFSET_BYTES;
  if (!hasClockOffset && sizeBytes !== ABS_CAPTURE_TIME_BYTES) return false;
  if (at < 0 || at + sizeBytes > bytes.length) return false;
  out.ntpSeconds = getU32(bytes, at);
  out.ntpFraction = getU32(bytes, at + 4);
  out.hasClockOffset = hasClockOffset;
  out.offsetSeconds = hasClockOffset ? getU32(bytes, at + 8) | 0 : 0;
  out.offsetFraction = hasClockOffset ? getU32(bytes, at + 12) : 0;
  return true;
}

/**
 * Writes the element, 16 bytes with an offset, otherwise 8.
 * @returns how many; 0 when there is no room
 */
export function writeAbsCaptureTime(bytes: Uint8Array, at: number, time: AbsCaptureTime): number {
  const sizeBytes = time.hasClockOffset ? ABS_CAPTURE_TIME_WITH_OFFSET_BYTES : ABS_CAPTURE_TIME_BYTES;
  if (at < 0 || at + sizeBytes > bytes.length) return 0;
  setU32(bytes, at, time.ntpSeconds);
  setU32(bytes, at + 4, time.ntpFraction);
  if (time.hasClockOffset) {
    setU32(bytes, at + 8, time.offsetSeconds);
    setU32(bytes, at + 12, time.offsetFraction);
  }
  return sizeBytes;
}
