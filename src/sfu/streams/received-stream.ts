import { ReceptionStatistics } from '../../protocol/rtp/reception-statistics.ts';
import type { DlrrEntry } from '../../protocol/rtp/rtcp-extended-report.ts';
import type { ReportBlock, SenderReport } from '../../protocol/rtp/rtcp-report.ts';
import type { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';
import { restoreRtx } from '../../protocol/rtp/rtx.ts';
import { type NtpTime, ntpToUs } from '../../wire/ntp-time.ts';
import { diff32 } from '../../wire/sequence-number.ts';
import { CaptureClock } from './capture-clock.ts';
import { LayeredRateCounter } from './layered-rate-counter.ts';
import { NackGenerator } from './nack-generator.ts';
import { RateCounter } from './rate-counter.ts';
import { ReceivedNumbers } from './received-numbers.ts';
import { roundTripMs } from './round-trip.ts';
import { dumpStream, type RtpStreamDump, type StreamParameters } from './stream-parameters.ts';
import { MAX_SCORE, StreamScore } from './stream-score.ts';
import { type InboundStreamStats, toStreamStats } from './stream-stats.ts';

/** A stream without packets for so long is taken for dead, milliseconds … */
export const INACTIVITY_MS = 1500;
/** … and one whose sender may be silent. */
export const DTX_INACTIVITY_MS = 5000;

/** What a packet's payload says of itself. */
export interface PacketLayers {
  /** It is of a key frame. */
  readonly isKeyFrame: boolean;
  readonly spatialLayer: number;
  readonly temporalLayer: number;
}

/** What packets without layers say: sound, say. */
export const NO_LAYERS: PacketLayers = { isKeyFrame: false, spatialLayer: 0, temporalLayer: 0 };

/** How a `ReceivedStream` differs from most. */
export interface ReceivedStreamOptions {
  /** Whether silence makes its score 0; default true. */
  readonly checksInactivity?: boolean;
  /** Before a missing packet is asked for, milliseconds; default `NACK_INITIAL_DELAY_MS`. */
  readonly nackDelayMs?: number;
}

/** Key frames of a stream so far. */
export interface KeyFrameStatistics {
  readonly count: number;
  readonly lastMs: number | undefined;
  /** From the one before the last to the last. */
  readonly intervalMs: number | undefined;
}

/**
 * One encoding of a producer as it comes in: counts it, asks for what is missing, takes in what is sent again, and tells how
 * well it comes through. What it would tell is asked of it; times are milliseconds of a clock that does not go back.
 */
export class ReceivedStream {
  /** What its timestamps were when. */
  readonly clock: CaptureClock;
  #params: StreamParameters;
  readonly #checksInactivity: boolean;
  readonly #numbers = new ReceivedNumbers();
  readonly #nack: NackGenerator | undefined;
  readonly #reception: ReceptionStatistics;
  #rtxReception: ReceptionStatistics | undefined;
  readonly #rate: LayeredRateCounter;
  readonly #rtxRate = new RateCounter();
  readonly #score = new StreamScore();
  #activeSinceMs: number | undefined;
  #lastPacketMs = 0;
  #isPaused = false;
  #epoch = 0;
  #newestTimestamp: number | undefined;
  #discarded = 0;
  #rtxDiscarded = 0;
  #duplicates = 0;
  #retransmitted = 0;
  #repaired = 0;
  #nacks = 0;
  #nackedPackets = 0;
  #plis = 0;
  #firs = 0;
  #fractionLost = 0;
  #rttMs: number | undefined;
  #keyFrames = 0;
  #keyFrameTimestamp: number | undefined;
  #keyFrameMs: number | undefined;
  #keyFrameIntervalMs: number | undefined;
  #senderNtpMs: number | undefined;
  #senderTimestamp = 0;
  /** As of the last report. */
  #scoredReceived = 0;
  #scoredLost = 0;
  #scoredRepaired = 0;
  #scoredRetransmitted = 0;

  constructor(params: StreamParameters, options: ReceivedStreamOptions = {}) {
    this.#params = params;
    this.clock = new CaptureClock(params.clockRate);
    this.#checksInactivity = options.checksInactivity ?? true;
    this.#nack = params.useNack ? new NackGenerator(options.nackDelayMs) : undefined;
    this.#reception = new ReceptionStatistics(params.ssrc, params.clockRate);
    this.#rate = new LayeredRateCounter(params.spatialLayers, params.temporalLayers);
    if (params.rtxSsrc !== undefined) this.#rtxReception = new ReceptionStatistics(params.rtxSsrc, params.clockRate);
  }

  get params(): StreamParameters {
    return this.#params;
  }

  /** Its RTX stream has been found, which was not announced with an SSRC. */
  setRtx(rtxSsrc: number, rtxPayloadType: number): void {
    this.#params = { ...this.#params, rtxSsrc, rtxPayloadType };
    this.#rtxReception = new ReceptionStatistics(rtxSsrc, this.#params.clockRate);
  }

  /** 0–10; 0 while nothing comes. */
  get score(): number {
    return this.#score.value;
  }

  /** Whether packets come. */
  get isActive(): boolean {
    return this.#activeSinceMs !== undefined;
  }

  /** Counts up each time the source begins anew: sequence numbers and timestamps then have nothing to do with those before. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Round trip to the sender, milliseconds; once it is known. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** Packets that came twice. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** The highest timestamp; `undefined` before the first packet. */
  get newestTimestamp(): number | undefined {
    return this.#newestTimestamp;
  }

  /** Retransmissions so far, packets and bytes of the RTX stream. */
  get rtxRate(): RateCounter {
    return this.#rtxRate;
  }

  /** Bitrates by layer. */
  get rate(): LayeredRateCounter {
    return this.#rate;
  }

  get keyFrames(): KeyFrameStatistics {
    return { count: this.#keyFrames, lastMs: this.#keyFrameMs, intervalMs: this.#keyFrameIntervalMs };
  }

  /** For how long packets have come without a pause, milliseconds; 0 while none come. */
  activeMs(nowMs: number): number {
    return this.#activeSinceMs === undefined ? 0 : nowMs - this.#activeSinceMs;
  }

  /**
   * Takes a packet of the stream's own SSRC.
   * @returns whether it is to be forwarded: not when it came before, or does not belong to the others
   */
  receive(packet: RtpPacketView, layers: PacketLayers, nowMs: number): boolean {
    const { sequenceNumber } = packet;
    const isExpected = this.#nack?.isMissing(sequenceNumber) ?? false;
    const verdict = this.#numbers.receive(sequenceNumber, isExpected);
    if (verdict !== 'overdue') this.#reception.receive(sequenceNumber, packet.timestamp, nowMs);
    if (verdict === 'foreign') {
      this.#discarded++;
      return false;
    }
    if (verdict === 'duplicate') {
      this.#duplicates++;
      return false;
    }
    if (verdict === 'restart') this.#restart();
    if (this.#nack?.receive(sequenceNumber, nowMs, layers.isKeyFrame) === 'repaired') {
      this.#retransmitted++;
      this.#repaired++;
    }
    this.#count(packet, layers, nowMs);
    this.clock.receivePacket(packet.timestamp, nowMs);
    return true;
  }

  /**
   * Makes a packet of the RTX stream the one it repeats, in place; `receiveRepair` then takes it.
   * @returns false when there is nothing in it, or the stream has no RTX
   */
  restore(packet: RtpPacketView, nowMs: number): boolean {
    const { params } = this;
    if (this.#rtxReception === undefined || packet.ssrc !== params.rtxSsrc) return false;
    this.#rtxReception.receive(packet.sequenceNumber, packet.timestamp, nowMs);
    this.#rtxRate.add(packet.end - packet.start, nowMs);
    const isOfThis = packet.payloadType === params.rtxPayloadType;
    if (isOfThis && restoreRtx(packet, { payloadType: params.payloadType, ssrc: params.ssrc })) return true;
    // Padding that probes the path is no fault.
    if (!isOfThis || packet.payloadBytes > 0) this.#rtxDiscarded++;
    return false;
  }

  /** Takes a packet that `restore` restored. @returns whether it is to be forwarded */
  receiveRepair(packet: RtpPacketView, layers: PacketLayers, nowMs: number): boolean {
    const { sequenceNumber } = packet;
    const isExpected = this.#nack?.isMissing(sequenceNumber) ?? false;
    this.#retransmitted++;
    const verdict = this.#numbers.receiveRepair(sequenceNumber, isExpected);
    if (verdict === 'foreign' || verdict === 'duplicate') {
      if (verdict === 'duplicate') this.#duplicates++;
      this.#rtxDiscarded++;
      return false;
    }
    this.#nack?.receive(sequenceNumber, nowMs, layers.isKeyFrame);
    this.#repaired++;
    this.#count(packet, layers, nowMs);
    return true;
  }

  /** Takes a sender report: what the sender's wall clock has to do with timestamps. */
  receiveSenderReport(report: SenderReport, nowMs: number): void {
    if (report.ssrc === this.params.rtxSsrc) {
      this.#rtxReception?.receiveSenderReport(report, nowMs);
      return;
    }
    this.#reception.receiveSenderReport(report, nowMs);
    if (report.ntpSeconds === 0 && report.ntpFraction === 0) return;
    this.#senderNtpMs = ntpToUs(report) / 1000;
    this.#senderTimestamp = report.rtpTimestamp;
    this.clock.receiveReport(this.#senderNtpMs, report.rtpTimestamp, nowMs);
  }

  /** The sender's wall clock at a timestamp, milliseconds since 1900 modulo 2^32 s; `undefined` before a sender report. */
  ntpMsAt(timestamp: number): number | undefined {
    if (this.#senderNtpMs === undefined) return undefined;
    return this.#senderNtpMs + (diff32(timestamp, this.#senderTimestamp) * 1000) / this.params.clockRate;
  }

  /** The timestamp, 32 bits, at a time of the sender's wall clock; `undefined` before a sender report. */
  timestampAt(ntpMs: number): number | undefined {
    if (this.#senderNtpMs === undefined) return undefined;
    const ticks = Math.round(((ntpMs - this.#senderNtpMs) * this.params.clockRate) / 1000);
    return (this.#senderTimestamp + ticks) >>> 0;
  }

  /** Takes the sender's answer to a receiver reference time of ours. @param now of the clock it was taken from */
  receiveDlrr(entry: DlrrEntry, now: NtpTime): void {
    const rttMs = roundTripMs(entry.lastReceiverReport, entry.delaySinceLast, now);
    if (rttMs === undefined) return;
    this.#rttMs = rttMs;
    this.#nack?.setRtt(rttMs);
  }

  /** What to report of the stream, and of its RTX stream behind it; the score follows. Nothing before the first packet. */
  takeReports(nowMs: number): readonly ReportBlock[] {
    const block = this.#reception.takeReportBlock(nowMs);
    if (block === undefined) return [];
    this.#fractionLost = block.fractionLost;
    this.#updateScore();
    const rtxBlock = this.#rtxReception?.takeReportBlock(nowMs);
    return rtxBlock === undefined ? [block] : [block, rtxBlock];
  }

  /** The packets to ask for now. */
  takeNack(nowMs: number): readonly number[] {
    const taken = this.#isPaused || this.#nack === undefined ? [] : this.#nack.take(nowMs);
    if (taken.length > 0) this.#nacks++;
    this.#nackedPackets += taken.length;
    return taken;
  }

  /** Whether a key frame is wanted, because too much is missing. */
  takeKeyFrameWish(): boolean {
    return this.#nack?.takeKeyFrameWish() ?? false;
  }

  /** Notes that a picture loss indication was sent. */
  notePli(): void {
    this.#plis++;
  }

  /** Notes that a full intra request was sent. */
  noteFir(): void {
    this.#firs++;
  }

  /** Its producer is paused: nothing is asked for, and silence is no fault. */
  pause(): void {
    this.#isPaused = true;
    this.#nack?.reset();
  }

  resume(nowMs: number): void {
    this.#isPaused = false;
    this.#lastPacketMs = nowMs;
    // What got lost in the meantime nobody wants any more.
    this.#nack?.reset();
  }

  /** When `handleTimeout` or `takeNack` has something to do, if nothing comes before. */
  nextTimeoutMs(): number | undefined {
    if (this.#isPaused) return undefined;
    const nackMs = this.#nack?.nextTimeoutMs();
    if (!this.isActive || !this.#checksInactivity) return nackMs;
    return Math.min(nackMs ?? Number.POSITIVE_INFINITY, this.#lastPacketMs + this.#inactivityMs);
  }

  /** Sees whether packets still come; without, the score becomes 0. */
  handleTimeout(nowMs: number): void {
    if (this.#isPaused || !this.isActive || !this.#checksInactivity) return;
    if (nowMs - this.#lastPacketMs < this.#inactivityMs) return;
    this.#activeSinceMs = undefined;
    this.#score.reset(0);
    this.#nack?.reset();
  }

  dump(): RtpStreamDump {
    return dumpStream(this.params, this.score);
  }

  stats(nowMs: number): InboundStreamStats {
    const common = toStreamStats(this.params, {
      timestamp: Math.floor(nowMs),
      packetsLost: Math.max(0, this.#reception.lost),
      fractionLost: this.#fractionLost,
      jitter: this.#reception.jitter,
      packetsDiscarded: this.#discarded,
      packetsRetransmitted: this.#retransmitted,
      packetsRepaired: this.#repaired,
      nackCount: this.#nacks,
      nackPacketCount: this.#nackedPackets,
      pliCount: this.#plis,
      firCount: this.#firs,
      roundTripTime: this.#rttMs,
      rtxPacketsDiscarded: this.#rtxDiscarded,
      score: this.score,
      packetCount: this.#rate.packets,
      byteCount: this.#rate.bytes,
      bitrate: this.#rate.bitrateBps(nowMs),
    });
    return { ...common, type: 'inbound-rtp', bitrateByLayer: this.#rate.byLayer(nowMs) };
  }

  get #inactivityMs(): number {
    return this.params.useDtx ? DTX_INACTIVITY_MS : INACTIVITY_MS;
  }

  #count(packet: RtpPacketView, layers: PacketLayers, nowMs: number): void {
    const { timestamp } = packet;
    if (this.#activeSinceMs === undefined) {
      this.#activeSinceMs = nowMs;
      if (this.#rate.packets > 0) this.#score.reset(MAX_SCORE);
    }
    const isNewest = this.#newestTimestamp === undefined || diff32(timestamp, this.#newestTimestamp) > 0;
    if (isNewest) this.#newestTimestamp = timestamp;
    this.#lastPacketMs = nowMs;
    this.#rate.add(packet.end - packet.start, nowMs, layers.spatialLayer, layers.temporalLayer);
    if (!layers.isKeyFrame || timestamp === this.#keyFrameTimestamp) return;
    this.#keyFrames++;
    this.#keyFrameTimestamp = timestamp;
    if (this.#keyFrameMs !== undefined) this.#keyFrameIntervalMs = nowMs - this.#keyFrameMs;
    this.#keyFrameMs = nowMs;
  }

  #restart(): void {
    this.#epoch++;
    this.#nack?.reset();
    this.#senderNtpMs = undefined;
    this.clock.clear();
    this.#keyFrameTimestamp = undefined;
    this.#newestTimestamp = undefined;
    this.#scoredReceived = 0;
    this.#scoredLost = 0;
  }

  #updateScore(): void {
    const { received, lost } = this.#reception;
    const lostSince = Math.max(0, lost - this.#scoredLost);
    const receivedSince = Math.max(0, received - this.#scoredReceived);
    const interval = {
      packets: receivedSince + lostSince,
      lost: lostSince,
      repaired: this.#repaired - this.#scoredRepaired,
      retransmitted: this.#retransmitted - this.#scoredRetransmitted,
    };
    if (this.isActive) this.#score.update(interval);
    this.#scoredReceived = received;
    this.#scoredLost = lost;
    this.#scoredRepaired = this.#repaired;
    this.#scoredRetransmitted = this.#retransmitted;
  }
}
