import { type NtpTime, toNtpTime } from '../../wire/ntp-time.ts';
import type { Clock } from '../clock.ts';

/** Frames that come this much earlier or later than the clock says mean that the stream paused or leapt, microseconds. */
const LEAP_US = 1_000_000;

/** Otherwise the clock follows the stream by at most this for each report, microseconds: 100 ppm at 5 s. */
const SLEW_US = 500;

/** A moment as sender reports tell it: by wall clock and on the stream's clock. */
export interface SenderTime extends NtpTime {
  readonly streamUs: number;
}

/**
 * What ties the RTP timestamps of all tracks to one wall clock (RFC 3550 §6.4.1). It follows the publisher's clock so
 * slowly that players see it as steady, and at once only where the stream had a gap.
 */
export class RtpSenderClock {
  readonly #clock: Clock;
  /** Wall clock at `nowMs() = 0`, microseconds since 1970. */
  readonly #wallAtZeroUs: number;
  /** `nowUs − streamUs` as it is told. */
  #offsetUs: number | undefined;
  /** The same for the newest frame. */
  #newestOffsetUs = 0;

  /** @param wallMs milliseconds since 1970 now */
  constructor(clock: Clock, wallMs: number) {
    this.#clock = clock;
    this.#wallAtZeroUs = (wallMs - clock.nowMs()) * 1000;
  }

  /** A frame with this stream time goes out now. */
  note(streamUs: number): void {
    this.#newestOffsetUs = this.#clock.nowMs() * 1000 - streamUs;
  }

  /** Before a round of reports: follows what was noted. */
  follow(): void {
    if (this.#offsetUs === undefined) {
      this.#offsetUs = this.#newestOffsetUs;
      return;
    }
    const errorUs = this.#newestOffsetUs - this.#offsetUs;
    if (Math.abs(errorUs) > LEAP_US) this.#offsetUs = this.#newestOffsetUs;
    else this.#offsetUs += Math.max(-SLEW_US, Math.min(SLEW_US, errorUs));
  }

  /** The present. */
  now(): SenderTime {
    return this.at(this.#clock.nowMs() * 1000 - (this.#offsetUs ?? this.#newestOffsetUs));
  }

  /** A moment of the stream. */
  at(streamUs: number): SenderTime {
    this.#offsetUs ??= this.#newestOffsetUs;
    const wallUs = this.#wallAtZeroUs + this.#offsetUs + streamUs;
    return { ...toNtpTime(wallUs / 1000), streamUs };
  }
}
