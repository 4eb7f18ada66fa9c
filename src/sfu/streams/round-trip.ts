import { type NtpTime, ntpMiddle } from '../../wire/ntp-time.ts';

/** Longer ones are taken for mistakes, milliseconds. */
export const MAX_ROUND_TRIP_MS = 60_000;

const UNITS_PER_MS = 65.536;

/**
 * The round trip between a report of ours and one that answers it (RFC 3550 §6.4.1, RFC 3611 §4.5), milliseconds.
 * @param lastReport middle 32 bits of our report's NTP time, 0 for none
 * @param delay from our report's arrival to the answer, 1/65,536 s
 * @param now of the clock that our report was stamped by
 * @returns `undefined` when there was no report, or the answer can't be true
 */
export function roundTripMs(lastReport: number, delay: number, now: NtpTime): number | undefined {
  if (lastReport === 0) return undefined;
  const units = (ntpMiddle(now) - lastReport - delay) | 0;
  // Both sides round: a trip may seem to take a little less than nothing.
  if (units < -UNITS_PER_MS) return undefined;
  const ms = Math.max(0, units) / UNITS_PER_MS;
  return ms > MAX_ROUND_TRIP_MS ? undefined : ms;
}
