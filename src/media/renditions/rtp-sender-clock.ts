import { type NtpTime, toNtpTime } from '../../wire/ntp-time.ts';
import type { Clock } from '../clock.ts';

/** The clock follows the stream by at most this for each round of reports, microseconds: 100 ppm at 5 s. */
const SLEW_US = 500;

/** By this much where the stream had a gap, and is later than told by more than `GAP_US`. */
const GAP_SLEW_US = 5_000;
const GAP_US = 1_000_000;

/** A moment as sender reports tell it: by wall clock and on the stream's clock. */
export interface SenderTime extends NtpTime {
  readonly streamUs: number;
}

/**
 * What ties the RTP timestamps of all tracks to one wall clock (RFC 3550 §6.4.1). It follows the publisher's clock so
 * slowly that players see it as steady, and never leaps: RTP timestamps go on without a gap when a publisher comes back,
 * and players that go by reports (those of FFmpeg and live555) would pause once more when one tells them of it. Where a
 * publisher began with a burst they would step back, and find frames out of order.
 */
export class RtpSenderClock {
  readonly #clock: Clock;
  /** Wall clock at `nowMs() = 0`, microseconds since 1970. */
  readonly #wallAtZeroUs: number;
  /** `nowUs − streamUs` as it is told. */
  #offsetUs: number | undefined;
  /** The same for the timeliest frame since the last round; undefined when there was none. */
  #timeliestOffsetUs: number | undefined;

  /** @param wallMs milliseconds since 1970 now */
  constructor(clock: Clock, wallMs: number) {
    this.#clock = clock;
    this.#wallAtZeroUs = (wallMs - clock.nowMs()) * 1000;
  }

  /** A frame with this stream time goes out now. */
  note(streamUs: number): void {
    const offsetUs = this.#clock.nowMs() * 1000 - streamUs;
    this.#timeliestOffsetUs = Math.min(this.#timeliestOffsetUs ?? offsetUs, offsetUs);
  }

  /** Before a round of reports: follows what was noted since the last one. */
  follow(): void {
    const timeliestUs = this.#timeliestOffsetUs;
    if (timeliestUs === undefined) return;
    this.#timeliestOffsetUs = undefined;
    this.#offsetUs ??= timeliestUs;
    const errorUs = timeliestUs - this.#offsetUs;
    this.#offsetUs += Math.max(-SLEW_US, Math.min(errorUs > GAP_US ? GAP_SLEW_US : SLEW_US, errorUs));
  }

  /** The present. Of any use from the first frame that was noted on. */
  now(): SenderTime {
    return this.at(this.#clock.nowMs() * 1000 - (this.#toldOffsetUs() ?? 0));
  }

  /** A moment of the stream. Of any use from the first frame that was noted on. */
  at(streamUs: number): SenderTime {
    this.#offsetUs = this.#toldOffsetUs();
    const wallUs = this.#wallAtZeroUs + (this.#offsetUs ?? 0) + streamUs;
    return { ...toNtpTime(wallUs / 1000), streamUs };
  }

  #toldOffsetUs(): number | undefined {
    return this.#offsetUs ?? this.#timeliestOffsetUs;
  }
}
