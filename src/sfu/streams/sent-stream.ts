import type { DlrrEntry } from '../../protocol/rtp/rtcp-extended-report.ts';
import type { ReportBlock, SenderReport } from '../../protocol/rtp/rtcp-report.ts';
import { SenderStatistics } from '../../protocol/rtp/sender-statistics.ts';
import { type NtpTime, ntpMiddle } from '../../wire/ntp-time.ts';
import { diff32 } from '../../wire/sequence-number.ts';
import { Allowance } from './allowance.ts';
import { isLeap } from './capture-clock.ts';
import { MAX_STORED_PACKETS } from './packet-store.ts';
import { RateCounter } from './rate-counter.ts';
import type { RetransmissionBuffer, RetransmissionVerdict } from './retransmission-buffer.ts';
import { roundTripMs } from './round-trip.ts';
import { dumpStream, type RtpStreamDump, type StreamParameters } from './stream-parameters.ts';
import { StreamScore } from './stream-score.ts';
import { type OutboundStreamStats, toStreamStats } from './stream-stats.ts';

/** Taken for the round trip until one is measured, milliseconds. */
export const DEFAULT_RTT_MS = 100;

/** No round trip is taken for shorter when packets are sent again, milliseconds: the peer says what it is. */
export const MIN_RESEND_INTERVAL_MS = 10;
/** Packets that are sent again in all, for each that was sent; at first as many as are kept. */
export const RESENDS_PER_PACKET = 2;
/** Numbers of NACKs that are looked at, for each packet that was sent: each is asked for ten times, when all are lost. */
export const NUMBERS_PER_PACKET = 10;

/** Nothing is reported of a stream that has sent nothing for so long, milliseconds: what it would send now is not known. */
export const MAX_REPORTED_SILENCE_MS = 2000;
/** Reports of one stream follow what is known of its clock by so much of the time since the one before, no faster. */
export const REPORT_SLEW = 0.01;
/** Leaps are reported of at once, but those that follow sooner, milliseconds: sources could leap with each packet. */
export const MIN_LEAP_REPORT_INTERVAL_MS = 250;

/** How a `SentStream` begins. */
export interface SentStreamOptions {
  /** What may be asked for again; without it nothing may. */
  readonly buffer?: RetransmissionBuffer;
  /** First sequence number of the RTX stream, random; default 0. */
  readonly firstRtxSequenceNumber?: number;
}

/**
 * One stream as it goes out to a consumer: counts it, makes its sender reports, takes the receiver's reports and requests,
 * and tells how well it comes through. Packets are written and sent by others.
 */
export class SentStream {
  readonly params: StreamParameters;
  /** What may be asked for again. */
  readonly buffer: RetransmissionBuffer | undefined;
  readonly #statistics: SenderStatistics;
  readonly #rtxStatistics: SenderStatistics | undefined;
  readonly #rate = new RateCounter();
  readonly #rtxRate = new RateCounter();
  readonly #score = new StreamScore();
  readonly #resends = new Allowance(MAX_STORED_PACKETS, RESENDS_PER_PACKET);
  readonly #numbers = new Allowance(MAX_STORED_PACKETS * NUMBERS_PER_PACKET, NUMBERS_PER_PACKET);
  #rtxSequenceNumber: number;
  /** Signed: V8 keeps it without an object then. */
  #lastTimestamp: number | undefined;
  #lastMs = 0;
  /** What the last report said. */
  #reportedTimestamp: number | undefined;
  #reportedMs = 0;
  #begunMs = 0;
  #packetsLost = 0;
  #fractionLost = 0;
  #jitter = 0;
  #rttMs: number | undefined;
  #retransmitted = 0;
  #repaired = 0;
  #nacks = 0;
  #nackedPackets = 0;
  #plis = 0;
  #firs = 0;
  #referenceTime = 0;
  #referenceMs = 0;
  #scoredPackets = 0;
  #scoredRepaired = 0;
  #scoredRetransmitted = 0;

  constructor(params: StreamParameters, options: SentStreamOptions = {}) {
    this.params = params;
    this.buffer = params.useNack ? options.buffer : undefined;
    this.#statistics = new SenderStatistics(params.ssrc);
    this.#rtxStatistics = params.rtxSsrc === undefined ? undefined : new SenderStatistics(params.rtxSsrc);
    this.#rtxSequenceNumber = (options.firstRtxSequenceNumber ?? 0) & 0xffff;
  }

  /** 0–10. */
  get score(): number {
    return this.#score.value;
  }

  /** Round trip to the receiver, milliseconds; once it is known. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** Part of the packets that the last report says were lost, 0–1. */
  get lossFraction(): number {
    return this.#fractionLost / 256;
  }

  get hasRtx(): boolean {
    return this.#rtxStatistics !== undefined;
  }

  /** Media packets and bytes. */
  get rate(): RateCounter {
    return this.#rate;
  }

  /** Packets and bytes of the RTX stream. */
  get rtxRate(): RateCounter {
    return this.#rtxRate;
  }

  /**
   * Before a packet with this timestamp goes out: whether timestamps begin here, or have leapt, so that it is reported of
   * at once. It can be from then on.
   */
  begins(timestamp: number, nowMs: number): boolean {
    const last = this.#lastTimestamp;
    if (last !== undefined) {
      const ahead = diff32(timestamp, last);
      if (ahead === 0 || !isLeap(ahead, nowMs - this.#lastMs, this.params.clockRate / 1000)) return false;
      this.#reportedTimestamp = undefined;
    }
    this.#lastTimestamp = timestamp | 0;
    this.#lastMs = nowMs;
    if (last !== undefined && nowMs - this.#begunMs < MIN_LEAP_REPORT_INTERVAL_MS) return false;
    this.#begunMs = nowMs;
    return true;
  }

  /**
   * Counts a packet that goes out, not one that goes out again.
   * @param sizeBytes of the whole packet
   * @param timestamp as sent
   */
  sent(sizeBytes: number, payloadBytes: number, timestamp: number, nowMs: number): void {
    this.#rate.add(sizeBytes, nowMs);
    this.#statistics.sent(1, payloadBytes);
    this.#resends.earn();
    this.#numbers.earn();
    // A late one tells nothing of now.
    if (this.#lastTimestamp !== undefined && diff32(timestamp, this.#lastTimestamp) <= 0) return;
    this.#lastTimestamp = timestamp | 0;
    this.#lastMs = nowMs;
  }

  /**
   * The timestamp that a packet of another source goes on with, 32 bits; undefined before the first packet.
   * @param aligned what it is by the clocks of both sources; without it the media clock has run on since the newest packet
   */
  timestampAt(nowMs: number, aligned?: number): number | undefined {
    const last = this.#lastTimestamp;
    if (last === undefined) return undefined;
    const elapsed = Math.max(1, this.#ticks(nowMs - this.#lastMs));
    const ahead = aligned === undefined ? elapsed : diff32(aligned, last);
    // A viewer's pictures may not go back, nor far ahead, whatever clocks say.
    const step = ahead > 0 && ahead < elapsed + this.params.clockRate ? ahead : elapsed;
    return (last + step) >>> 0;
  }

  /** Counts a packet that goes out again, in the RTX stream or as it was. */
  resent(sizeBytes: number, payloadBytes: number, nowMs: number): void {
    this.#retransmitted++;
    if (this.#rtxStatistics === undefined) {
      this.#statistics.sent(1, payloadBytes);
      return;
    }
    this.#rtxStatistics.sent(1, payloadBytes);
    this.#rtxRate.add(sizeBytes, nowMs);
  }

  /** The number of the next packet of the RTX stream; each is given once. */
  takeRtxSequenceNumber(): number {
    const taken = this.#rtxSequenceNumber;
    this.#rtxSequenceNumber = (taken + 1) & 0xffff;
    return taken;
  }

  /** Whether a NACK of so many numbers is looked at: a receiver may ask for more the more it was sent. */
  mayAsk(numbers: number): boolean {
    return this.#numbers.take(numbers);
  }

  /** Counts a NACK that asks for so many packets; `answer` is then asked for each. */
  receiveNack(packets: number): void {
    this.#nacks++;
    this.#nackedPackets += packets;
  }

  /**
   * Whether a packet that was asked for is sent again now; `buffer` then tells where it is. It is allowed once in a round
   * trip, and for all of them together no more often than in proportion to what was sent.
   */
  answer(sequenceNumber: number, nowMs: number): RetransmissionVerdict {
    if (this.buffer === undefined) return 'unknown';
    const rttMs = Math.max(this.#rttMs ?? DEFAULT_RTT_MS, MIN_RESEND_INTERVAL_MS);
    const verdict = this.buffer.take(sequenceNumber, nowMs, rttMs);
    if (verdict !== 'allowed') return verdict;
    if (!this.#resends.take(1)) return 'too-many';
    if (this.buffer.isFirstRetransmission) this.#repaired++;
    return verdict;
  }

  /** Notes a picture loss indication of the receiver. */
  receivePli(): void {
    this.#plis++;
  }

  /** Notes a full intra request of the receiver. */
  receiveFir(): void {
    this.#firs++;
  }

  /**
   * Takes what the receiver reports of the stream or of its RTX stream, which only the round trip is taken from.
   * @param now of the clock that sender reports are stamped by
   */
  receiveReport(block: ReportBlock, now: NtpTime): void {
    const rttMs = roundTripMs(block.lastSr, block.delaySinceLastSr, now);
    if (rttMs !== undefined) this.#rttMs = rttMs;
    if (block.ssrc !== this.params.ssrc) return;
    const packets = this.#rate.packets;
    const lostBefore = this.#packetsLost;
    // A receiver may not have lost more than was sent.
    this.#packetsLost = Math.min(Math.max(0, block.packetsLost), packets);
    this.#fractionLost = block.fractionLost;
    this.#jitter = block.jitter;
    this.#score.update({
      packets: packets - this.#scoredPackets,
      lost: Math.max(0, this.#packetsLost - lostBefore),
      repaired: this.#repaired - this.#scoredRepaired,
      retransmitted: this.#retransmitted - this.#scoredRetransmitted,
    });
    this.#scoredPackets = packets;
    this.#scoredRepaired = this.#repaired;
    this.#scoredRetransmitted = this.#retransmitted;
  }

  /** Takes the receiver's reference time, which `takeDlrr` answers (RFC 3611 §4.4). */
  receiveReferenceTime(reference: NtpTime, nowMs: number): void {
    this.#referenceTime = ntpMiddle(reference);
    this.#referenceMs = nowMs;
  }

  /** The answer to the newest reference time; each is answered once. @param receiverSsrc who sent it */
  takeDlrr(receiverSsrc: number, nowMs: number): DlrrEntry | undefined {
    if (this.#referenceTime === 0) return undefined;
    const delaySinceLast = Math.round(Math.max(0, nowMs - this.#referenceMs) * 65.536);
    const entry = { ssrc: receiverSsrc, lastReceiverReport: this.#referenceTime, delaySinceLast };
    this.#referenceTime = 0;
    return entry;
  }

  /**
   * Sender reports for now, of the stream and of its RTX stream behind it if that was sent at all; none before the first
   * packet, nor when the last one is long ago. Receivers put audio and video together by them, and recorders go by them
   * frame by frame: so they never leap unless timestamps do.
   * @param captured what the timestamp is now, as far as the source's clock is known; otherwise the media clock is taken to
   * have run on since the newest packet
   */
  senderReports(now: NtpTime, nowMs: number, captured?: number): readonly SenderReport[] {
    if (this.#lastTimestamp === undefined || nowMs - this.#lastMs > MAX_REPORTED_SILENCE_MS) return [];
    const timestamp = this.#steady(captured ?? this.#lastTimestamp + this.#ticks(nowMs - this.#lastMs), nowMs);
    const report = this.#statistics.report(now, timestamp);
    const rtx = this.#rtxStatistics;
    return rtx === undefined || rtx.packets === 0 ? [report] : [report, rtx.report(now, timestamp)];
  }

  /** What is reported where this is known: a little nearer to it than what was reported before. */
  #steady(timestamp: number, nowMs: number): number {
    const before = this.#reportedTimestamp;
    let steady = timestamp >>> 0;
    if (before !== undefined) {
      const elapsed = this.#ticks(nowMs - this.#reportedMs);
      const most = elapsed * REPORT_SLEW;
      const error = diff32(timestamp, before + elapsed);
      steady = (before + elapsed + Math.round(Math.max(-most, Math.min(most, error)))) >>> 0;
    }
    this.#reportedTimestamp = steady;
    this.#reportedMs = nowMs;
    return steady;
  }

  #ticks(ms: number): number {
    return Math.round((ms * this.params.clockRate) / 1000);
  }

  /** Its consumer is paused: nothing that was sent before is sent again. */
  pause(): void {
    this.buffer?.clear();
  }

  dump(): RtpStreamDump {
    return dumpStream(this.params, this.score);
  }

  stats(nowMs: number): OutboundStreamStats {
    const common = toStreamStats(this.params, {
      timestamp: Math.floor(nowMs),
      packetsLost: this.#packetsLost,
      fractionLost: this.#fractionLost,
      jitter: this.#jitter,
      packetsDiscarded: 0,
      packetsRetransmitted: this.#retransmitted,
      packetsRepaired: this.#repaired,
      nackCount: this.#nacks,
      nackPacketCount: this.#nackedPackets,
      pliCount: this.#plis,
      firCount: this.#firs,
      roundTripTime: this.#rttMs,
      rtxPacketsDiscarded: 0,
      score: this.score,
      packetCount: this.#rate.packets,
      byteCount: this.#rate.bytes,
      bitrate: this.#rate.bitrateBps(nowMs),
    });
    return { ...common, type: 'outbound-rtp' };
  }
}
