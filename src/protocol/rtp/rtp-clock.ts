import { NTP_WRAP_US, type NtpTime, ntpToUs } from '../../wire/ntp-time.ts';
import { diff32, unwrap32 } from '../../wire/sequence-number.ts';

/** Sender reports may move a track by at most this much against the others; clocks further apart have nothing in common. */
export const MAX_ALIGNMENT_US = 10_000_000;

/** Deviations up to this are what sender reports are inexact by, and are left alone. */
export const TOLERATED_SKEW_US = 15_000;

/** Deviations up to this are worked off little by little, longer ones at once. */
export const MAX_SLEW_US = 250_000;

/** Reports that contradict the ones before so often are not followed any more. */
const MAX_UPSETS = 3;

/** How much of an upset one good report makes up for. */
const UPSET_RELIEF = 0.1;

/** Timestamps go back by up to this many seconds where pictures are reordered. */
const MAX_DISORDER_SECONDS = 2;

/** How much of the time that passes goes into working off a deviation. */
const SLEW_RATE = 1 / 32;

/** Where the line begins: so far from 0 that no alignment takes a track below it. */
const LINE_START_US: number = MAX_ALIGNMENT_US;

/** What a sender report says about time. */
export interface SenderTime extends NtpTime {
  /** The same moment on the media clock, 32 bits. */
  readonly rtpTimestamp: number;
}

/**
 * The line of time the tracks of one stream share, in microseconds from 10 s on. Until sender reports tell how the
 * tracks' clocks lie to each other, what arrives together is taken to belong together.
 */
export class RtpTimeline {
  readonly #clocks: RtpClock[] = [];
  #startMs: number | undefined;
  #ntpOffsetUs: number | undefined;
  #epoch = 0;

  /** A clock for one more track. @param clockRate RTP timestamp units a second */
  addClock(clockRate: number): RtpClock {
    const clock = new RtpClock(this, clockRate);
    this.#clocks.push(clock);
    return clock;
  }

  /** @internal Where the line is at an arrival time. */
  at(nowMs: number): number {
    this.#startMs ??= nowMs;
    return LINE_START_US + Math.round((nowMs - this.#startMs) * 1000);
  }

  /** @internal Counts up when the senders' wall clock is tied to the line anew; 0 while it is not tied. */
  get epoch(): number {
    return this.#epoch;
  }

  /** @internal Ties the senders' wall clock to the line. */
  tie(ntpUs: number, lineUs: number): void {
    this.#ntpOffsetUs = ntpUs - lineUs;
    this.#epoch++;
  }

  /** @internal Where a moment of the senders' wall clock lies, as near to `referenceUs` as its wraps allow. */
  ofNtp(ntpUs: number, referenceUs: number): number | undefined {
    if (this.#ntpOffsetUs === undefined) return undefined;
    const lineUs = ntpUs - this.#ntpOffsetUs;
    return lineUs + Math.round((referenceUs - lineUs) / NTP_WRAP_US) * NTP_WRAP_US;
  }

  /** @internal Moves every track that is tied forward. */
  advanceTied(byUs: number): void {
    if (this.#ntpOffsetUs !== undefined) this.#ntpOffsetUs -= byUs;
    for (const clock of this.#clocks) if (clock.epoch === this.#epoch) clock.advance(byUs);
  }
}

/**
 * Turns RTP timestamps of one track into microseconds on the line of its stream: unwrapped, and counted from one anchor,
 * so that nothing adds up however long it runs and whatever the clock rate. Made by `RtpTimeline.addClock`.
 *
 * Sender reports align it with the other tracks. Times are not taken back by that: small deviations are worked off over
 * some seconds, and of two tracks far apart the one that is behind steps forward.
 */
export class RtpClock {
  readonly clockRate: number;
  readonly #line: RtpTimeline;
  #isStarted = false;
  /** Timestamp of the anchor; those of packets are counted on from it without an end. */
  #anchorTimestamp = 0;
  #anchorUs = 0;
  /** Of the timestamps since they last jumped back. */
  #newestTimestamp = 0;
  #newestUs = 0;
  #newestMs = 0;
  /** Still to be worked off, either way. */
  #slewUs = 0;
  #epoch = 0;
  #upsets = 0;
  #isRestarted = false;
  /** The newest report that came before the first packet. */
  #earlyReport: SenderTime | undefined;

  /** @internal */
  constructor(line: RtpTimeline, clockRate: number) {
    this.#line = line;
    this.clockRate = clockRate;
  }

  /** @internal The line's epoch in which the track was tied to the others; 0 when it is not. */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * Time of a timestamp, which need not be later than the one before. May lie before the beginning of the line when the
   * sender's clock jumped back.
   * @param timestamp 32 bits
   * @param nowMs when its packet arrived, or was delivered
   */
  toUs(timestamp: number, nowMs: number): number {
    if (!this.#isStarted) this.#start(timestamp, nowMs);
    const unwrapped = unwrap32(timestamp, this.#newestTimestamp);
    const step = unwrapped - this.#newestTimestamp;
    if (this.#slewUs !== 0 && step > 0) this.#slew(step);
    const us = this.#toLine(unwrapped);
    if (step >= 0 || step < -MAX_DISORDER_SECONDS * this.clockRate) {
      this.#newestTimestamp = unwrapped;
      this.#newestUs = us;
    }
    this.#newestMs = nowMs;
    return us;
  }

  /** Takes what a sender report of this track says. */
  receiveSenderReport(report: SenderTime): void {
    // Senders without a wall clock say 0 (RFC 3550 §6.4.1).
    if (report.ntpSeconds === 0 && report.ntpFraction === 0) return;
    if (!this.#isStarted) {
      this.#earlyReport = report;
      return;
    }
    const ntpUs = ntpToUs(report);
    const isUs = this.#toLine(unwrap32(report.rtpTimestamp, this.#newestTimestamp));
    const shouldBeUs = this.#line.ofNtp(ntpUs, isUs);
    if (shouldBeUs === undefined) this.#tie(ntpUs, isUs);
    else if (this.#epoch === this.#line.epoch) this.#follow(shouldBeUs - isUs, ntpUs, isUs);
    else this.#align(shouldBeUs - isUs);
  }

  /** The source began anew: the next timestamp has nothing to do with those before. It goes on where the track was. */
  restart(): void {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#isRestarted = true;
    this.#earlyReport = undefined;
    this.#slewUs = 0;
    this.#epoch = 0;
    this.#upsets = 0;
  }

  /** @internal */
  advance(byUs: number): void {
    this.#anchorUs += byUs;
  }

  #start(timestamp: number, nowMs: number): void {
    this.#isStarted = true;
    this.#anchorTimestamp = timestamp;
    this.#newestTimestamp = timestamp;
    const elapsedUs = Math.max(0, Math.round((nowMs - this.#newestMs) * 1000));
    this.#anchorUs = this.#isRestarted ? this.#newestUs + elapsedUs : this.#line.at(nowMs);
    const report = this.#earlyReport;
    this.#earlyReport = undefined;
    if (report === undefined) return;
    const ntpUs = ntpToUs(report);
    const isUs = this.#anchorUs + this.#durationUs(diff32(report.rtpTimestamp, timestamp));
    const shouldBeUs = this.#line.ofNtp(ntpUs, isUs);
    if (shouldBeUs === undefined) this.#tie(ntpUs, isUs);
    else if (Math.abs(shouldBeUs - isUs) <= MAX_ALIGNMENT_US) {
      // Nothing was given out yet, so there is nothing to be taken back.
      this.#anchorUs += shouldBeUs - isUs;
      this.#epoch = this.#line.epoch;
    }
  }

  #tie(ntpUs: number, lineUs: number): void {
    this.#line.tie(ntpUs, lineUs);
    this.#epoch = this.#line.epoch;
  }

  /** A report of a track that is tied: it drifts, or a clock of the sender was set. */
  #follow(deviationUs: number, ntpUs: number, isUs: number): void {
    const sizeUs = Math.abs(deviationUs);
    if (sizeUs > MAX_SLEW_US) {
      if (this.#upsets >= MAX_UPSETS) return;
      this.#upsets++;
      // Which clock was set, the next reports of the other tracks will tell.
      this.#slewUs = 0;
      this.#tie(ntpUs, isUs);
      return;
    }
    this.#upsets = Math.max(0, this.#upsets - UPSET_RELIEF);
    if (sizeUs > TOLERATED_SKEW_US || this.#slewUs !== 0) this.#slewUs = deviationUs;
  }

  /** The first report of a track since the line was tied. */
  #align(deviationUs: number): void {
    const sizeUs = Math.abs(deviationUs);
    if (sizeUs > MAX_ALIGNMENT_US) return;
    this.#slewUs = 0;
    if (sizeUs <= MAX_SLEW_US) this.#slewUs = deviationUs;
    else if (deviationUs > 0) this.advance(deviationUs);
    else this.#line.advanceTied(-deviationUs);
    this.#epoch = this.#line.epoch;
  }

  /** Works off part of a deviation for `units` of time that passed. */
  #slew(units: number): void {
    const most = Math.floor(this.#durationUs(units) * SLEW_RATE);
    const stepUs = Math.max(-most, Math.min(most, this.#slewUs));
    this.#anchorUs += stepUs;
    this.#slewUs -= stepUs;
  }

  #toLine(unwrapped: number): number {
    return this.#anchorUs + this.#durationUs(unwrapped - this.#anchorTimestamp);
  }

  /** Exact for any number of units: seconds and the rest apart, so that nothing goes beyond a safe integer. */
  #durationUs(units: number): number {
    const seconds = Math.floor(units / this.clockRate);
    const rest = units - seconds * this.clockRate;
    return seconds * 1_000_000 + Math.round((rest * 1_000_000) / this.clockRate);
  }
}
