/** Seconds from the NTP era (1900) to the Unix era (1970). */
const UNIX_ERA_SECONDS = 2_208_988_800;
const FRACTIONS = 2 ** 32;

/** An NTP timestamp (RFC 3550 §4). */
export interface NtpTime {
  /** Since 1900, modulo 2^32: it wraps in 2036. */
  readonly ntpSeconds: number;
  /** In 1/2^32 s. */
  readonly ntpFraction: number;
}

/** Microseconds after which NTP timestamps repeat. */
export const NTP_WRAP_US: number = 2 ** 32 * 1_000_000;

/** The NTP timestamp of a moment given in milliseconds since 1970, fractions welcome. */
export function toNtpTime(unixMs: number): NtpTime {
  const seconds = Math.floor(unixMs / 1000);
  return {
    ntpSeconds: (seconds + UNIX_ERA_SECONDS) % 2 ** 32,
    ntpFraction: Math.floor(((unixMs - seconds * 1000) / 1000) * FRACTIONS),
  };
}

/** Microseconds since the beginning of its era, rounded. */
export function ntpToUs({ ntpSeconds, ntpFraction }: NtpTime): number {
  return ntpSeconds * 1_000_000 + Math.round((ntpFraction * 1_000_000) / FRACTIONS);
}

/** The middle 32 bits, as reports refer to it: 1/65,536 s (RFC 3550 §4). */
export function ntpMiddle({ ntpSeconds, ntpFraction }: NtpTime): number {
  return ((ntpSeconds << 16) | (ntpFraction >>> 16)) >>> 0;
}
