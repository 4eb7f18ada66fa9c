import { type NtpTime, ntpMiddle } from '../../wire/ntp-time.ts';
import { diff16, diff32 } from '../../wire/sequence-number.ts';
import { MAX_DROPOUT, MAX_MISORDER } from './reorder-buffer.ts';
import type { ReportBlock } from './rtcp-report.ts';

const U32_MAX = 0xffff_ffff;
/** Of the jitter estimate, how much one packet counts (RFC 3550 §6.4.1). */
const JITTER_GAIN = 1 / 16;

/**
 * How one source is received, counted as RFC 3550 §A.1 (sequence numbers), §A.3 (loss) and §A.8 (jitter) do it. Sources
 * need not prove themselves first: in RTSP they were announced.
 */
export class ReceptionStatistics {
  readonly ssrc: number;
  readonly #ticksPerMs: number;
  #isStarted = false;
  #baseSequenceNumber = 0;
  /** Counted on without an end from `#baseSequenceNumber`. */
  #highest = 0;
  /** What a restart would have to go on with. */
  #suspectNext: number | undefined;
  #received = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  /** Arrival minus timestamp of the newest packet, 32 bits, in clock units. */
  #transit: number | undefined;
  #jitter = 0;
  #lastSr = 0;
  #lastSrMs = 0;

  /** @param clockRate of the source's timestamps, units a second */
  constructor(ssrc: number, clockRate: number) {
    this.ssrc = ssrc;
    this.#ticksPerMs = clockRate / 1000;
  }

  /** Packets received, those that came late or twice too. */
  get received(): number {
    return this.#received;
  }

  /** Packets that should have come minus those that did; negative when many came twice. */
  get lost(): number {
    return this.#expected() - this.#received;
  }

  /** In clock units. */
  get jitter(): number {
    return Math.round(this.#jitter);
  }

  /** Counts a packet of this source, in the order of arrival. */
  receive(sequenceNumber: number, timestamp: number, nowMs: number): void {
    if (!this.#isStarted) this.#start(sequenceNumber);
    const step = diff16(sequenceNumber, this.#highest);
    if (step >= MAX_DROPOUT || step < -MAX_MISORDER) {
      const isRestart = sequenceNumber === this.#suspectNext;
      this.#suspectNext = (sequenceNumber + 1) & 0xffff;
      if (!isRestart) return;
      this.#start(sequenceNumber);
    } else if (step > 0) this.#highest += step;
    this.#received++;
    const transit = (Math.floor(nowMs * this.#ticksPerMs) - timestamp) | 0;
    if (this.#transit !== undefined) {
      this.#jitter += (Math.abs(diff32(transit, this.#transit)) - this.#jitter) * JITTER_GAIN;
    }
    this.#transit = transit;
  }

  /** Notes a sender report of this source. */
  receiveSenderReport(report: NtpTime, nowMs: number): void {
    this.#lastSr = ntpMiddle(report);
    this.#lastSrMs = nowMs;
  }

  /** What to report now; begins the interval of the next report. Undefined before the first packet. */
  takeReportBlock(nowMs: number): ReportBlock | undefined {
    if (!this.#isStarted) return undefined;
    const expected = this.#expected();
    const expectedSince = expected - this.#expectedBefore;
    const lostSince = expectedSince - (this.#received - this.#receivedBefore);
    this.#expectedBefore = expected;
    this.#receivedBefore = this.#received;
    const isLossy = expectedSince > 0 && lostSince > 0;
    const delay = this.#lastSr === 0 ? 0 : Math.round((nowMs - this.#lastSrMs) * 65.536);
    return {
      ssrc: this.ssrc,
      fractionLost: isLossy ? Math.min(255, Math.floor((lostSince * 256) / expectedSince)) : 0,
      packetsLost: Math.min(0x7f_ffff, Math.max(-0x80_0000, this.lost)),
      highestSequenceNumber: this.#highest >>> 0,
      jitter: Math.min(U32_MAX, this.jitter),
      lastSr: this.#lastSr,
      delaySinceLastSr: Math.min(U32_MAX, Math.max(0, delay)),
    };
  }

  #expected(): number {
    return this.#isStarted ? this.#highest - this.#baseSequenceNumber + 1 : 0;
  }

  #start(sequenceNumber: number): void {
    this.#isStarted = true;
    this.#baseSequenceNumber = sequenceNumber;
    this.#highest = sequenceNumber;
    this.#suspectNext = undefined;
    this.#received = 0;
    this.#expectedBefore = 0;
    this.#receivedBefore = 0;
    this.#transit = undefined;
  }
}
