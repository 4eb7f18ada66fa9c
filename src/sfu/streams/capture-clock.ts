import { diff32 } from '../../wire/sequence-number.ts';

/** Timestamps that are further than this from where the stream was, seconds, begin anew. */
export const MAX_TIMESTAMP_LEAP_SECONDS = 2;
/** What a sender reports may differ by so much from what its packets say, seconds: that is how long it encodes and sends. */
export const MAX_REPORTED_AHEAD_SECONDS = 5;
/** Reports that follow each other agree when what they say differs by no more than this, milliseconds, and … */
export const REPORT_TOLERANCE_MS = 50;
/** … this part of the time between them. */
export const REPORT_DRIFT = 0.02;
/** The timeliest packet of so long counts, milliseconds, and of as long again … */
export const ARRIVAL_WINDOW_MS = 5_000;
/** … and of reports, which are fewer. */
export const REPORT_WINDOW_MS = 30_000;
/** A report is forgotten after so long, milliseconds: clocks drift. */
export const MAX_REPORT_AGE_MS = 300_000;

/** Of samples "this timestamp was now" the one that came the timeliest, in this window or the one before. Bounded. */
class TimeliestSample {
  readonly #windowMs: number;
  readonly #ticksPerMs: number;
  #windowStartMs = 0;
  #timestamp = 0;
  #sampleMs = -1;
  #olderTimestamp = 0;
  #olderMs = -1;
  #newestMs = 0;

  constructor(windowMs: number, ticksPerMs: number) {
    this.#windowMs = windowMs;
    this.#ticksPerMs = ticksPerMs;
  }

  /** When the last sample came. */
  get newestMs(): number {
    return this.#newestMs;
  }

  add(timestamp: number, nowMs: number): void {
    this.#newestMs = nowMs;
    if (nowMs - this.#windowStartMs >= this.#windowMs) {
      const isRecent = nowMs - this.#windowStartMs < 2 * this.#windowMs;
      this.#olderTimestamp = this.#timestamp;
      this.#olderMs = isRecent ? this.#sampleMs : -1;
      this.#sampleMs = -1;
      this.#windowStartMs = nowMs;
    }
    if (this.#sampleMs >= 0 && this.#lateness(timestamp, nowMs, this.#timestamp, this.#sampleMs) >= 0) return;
    this.#timestamp = timestamp;
    this.#sampleMs = nowMs;
  }

  /** What the timestamp is at a time, with a fraction, not wrapped; undefined without samples. */
  timestampAt(nowMs: number): number | undefined {
    if (this.#sampleMs < 0) return undefined;
    const at = this.#timestamp + (nowMs - this.#sampleMs) * this.#ticksPerMs;
    if (this.#olderMs < 0) return at;
    const lateness = this.#lateness(this.#timestamp, this.#sampleMs, this.#olderTimestamp, this.#olderMs);
    return lateness <= 0 ? at : at + lateness;
  }

  clear(): void {
    this.#sampleMs = -1;
    this.#olderMs = -1;
    this.#windowStartMs = 0;
  }

  /** How much later than the other a sample came than their timestamps say, ticks. */
  #lateness(timestamp: number, nowMs: number, otherTimestamp: number, otherMs: number): number {
    return (nowMs - otherMs) * this.#ticksPerMs - diff32(timestamp, otherTimestamp);
  }
}

/**
 * What a stream's timestamps were when, by our clock: the sender's reports tell it, and without them the packets that came
 * the timeliest. What is told about the stream to others goes by it, so that neither bursts nor delays on the way show there.
 */
export class CaptureClock {
  readonly #ticksPerMs: number;
  readonly #arrivals: TimeliestSample;
  readonly #reports: TimeliestSample;
  /** Signed: V8 keeps it without an object then. */
  #newestTimestamp: number | undefined;
  #newestMs = 0;
  /** What the last report said, and when it came. */
  #reportedNtpMs: number | undefined;
  #reportedTimestamp = 0;
  #reportedMs = 0;
  /** It did not agree with the one before. */
  #isReportSuspect = true;

  /** @param clockRate of the timestamps, units a second */
  constructor(clockRate: number) {
    this.#ticksPerMs = clockRate / 1000;
    this.#arrivals = new TimeliestSample(ARRIVAL_WINDOW_MS, this.#ticksPerMs);
    this.#reports = new TimeliestSample(REPORT_WINDOW_MS, this.#ticksPerMs);
  }

  /** A packet with this timestamp has come. */
  receivePacket(timestamp: number, nowMs: number): void {
    if (this.#newestTimestamp !== undefined) {
      const ahead = diff32(timestamp, this.#newestTimestamp);
      if (ahead === 0) return;
      if (isLeap(ahead, nowMs - this.#newestMs, this.#ticksPerMs)) this.clear();
      else if (ahead < 0) return;
    }
    this.#newestTimestamp = timestamp | 0;
    this.#newestMs = nowMs;
    this.#arrivals.add(timestamp, nowMs);
  }

  /**
   * The sender has said what its timestamp is now. It is believed when it says the same a second time: the first report
   * of GStreamer is of packets that are not to be sent yet.
   * @param ntpMs the sender's wall clock
   */
  receiveReport(ntpMs: number, timestamp: number, nowMs: number): void {
    const [beforeMs, beforeTimestamp] = [this.#reportedMs, this.#reportedTimestamp];
    const agrees = this.#agrees(ntpMs, timestamp);
    if (agrees && this.#isReportSuspect) {
      this.#reports.clear();
      this.#reports.add(beforeTimestamp, beforeMs);
    }
    if (agrees) this.#reports.add(timestamp, nowMs);
    this.#isReportSuspect = !agrees;
    this.#reportedNtpMs = ntpMs;
    this.#reportedTimestamp = timestamp;
    this.#reportedMs = nowMs;
  }

  #agrees(ntpMs: number, timestamp: number): boolean {
    if (this.#reportedNtpMs === undefined) return false;
    const elapsedMs = ntpMs - this.#reportedNtpMs;
    const apartMs = diff32(timestamp, this.#reportedTimestamp + elapsedMs * this.#ticksPerMs) / this.#ticksPerMs;
    return elapsedMs >= 0 && Math.abs(apartMs) <= REPORT_TOLERANCE_MS + elapsedMs * REPORT_DRIFT;
  }

  /** What the timestamp is at a time, 32 bits; undefined before the first packet. */
  timestampAt(nowMs: number): number | undefined {
    const arrived = this.#arrivals.timestampAt(nowMs);
    if (arrived === undefined) return undefined;
    const isReported = nowMs - this.#reports.newestMs < MAX_REPORT_AGE_MS;
    const reported = isReported ? this.#reports.timestampAt(nowMs) : undefined;
    if (reported === undefined) return Math.round(arrived) >>> 0;
    // Some say anything of it, and say it again.
    const apart = Math.abs(diff32(reported, arrived)) / this.#ticksPerMs / 1000;
    return Math.round(apart > MAX_REPORTED_AHEAD_SECONDS ? arrived : reported) >>> 0;
  }

  /** The stream begins anew. */
  clear(): void {
    this.#newestTimestamp = undefined;
    this.#arrivals.clear();
    this.#reports.clear();
    this.#reportedNtpMs = undefined;
    this.#isReportSuspect = true;
  }
}

/**
 * Whether timestamps have leapt from one packet to the next: back, or ahead by much more than time has passed.
 * @param ahead by how many ticks
 */
export function isLeap(ahead: number, elapsedMs: number, ticksPerMs: number): boolean {
  const leap = MAX_TIMESTAMP_LEAP_SECONDS * 1000 * ticksPerMs;
  return ahead <= -leap || ahead >= elapsedMs * ticksPerMs + leap;
}
