import type { DepacketizedUnit, Depacketizer, RtpPayload } from '../protocol/rtp/payload/depacketizer.ts';
import type { RtpMapping } from '../protocol/rtp/payload/payload-format.ts';
import { ReceptionStatistics } from '../protocol/rtp/reception-statistics.ts';
import { ReorderBuffer, type ReorderSink } from '../protocol/rtp/reorder-buffer.ts';
import type { ReportBlock, SenderReport } from '../protocol/rtp/rtcp-report.ts';
import type { RtpClock } from '../protocol/rtp/rtp-clock.ts';
import { parseRtpPacket, type RtpPacket } from '../protocol/rtp/rtp-packet.ts';

/** Takes the coded units of one track. */
export interface UnitSink {
  /** Tells the track before its first unit, if it can. */
  announce(): void;
  accept(unit: DepacketizedUnit, nowMs: number): void;
  /** The source began anew, with other timestamps. */
  restart(): void;
  /** No more units follow. */
  end(): void;
  /** Units, or parts of them, that were of no use. */
  readonly dropped: number;
  /** Parts of units that made no sense. */
  readonly malformed: number;
}

/** What became of the packets of a track, or of all tracks of an ingest. */
export interface RtpIngestCounters {
  /** RTP packets that came. */
  readonly packets: number;
  /** Bytes of them, with their headers. */
  readonly bytes: number;
  /** Packets, RTCP too, and parts of a transport stream that made no sense. */
  readonly malformed: number;
  /** Packets of a payload type that was not agreed on. */
  readonly foreign: number;
  /** Packets given up; those that came after all are in `late` too. */
  readonly lost: number;
  readonly reordered: number;
  readonly late: number;
  readonly duplicates: number;
  /** Times a source began anew or another took its place. */
  readonly restarts: number;
  /** Coded units that were dropped: packets of them were lost, or the configuration had not come. */
  readonly dropped: number;
}

export interface RtpIngestTrackParts {
  readonly mapping: RtpMapping;
  readonly depacketizer: Depacketizer;
  readonly clock: RtpClock;
  readonly sink: UnitSink;
  /** See `ReorderBufferOptions`. */
  readonly maxWaitMs: number;
}

/** The way of one track's packets: in order, put together to units, passed on; and what to report of them. */
export class RtpIngestTrack implements ReorderSink {
  readonly sink: UnitSink;
  readonly #payloadType: number;
  readonly #depacketizer: Depacketizer;
  readonly #clock: RtpClock;
  readonly #reorder: ReorderBuffer;
  #statistics: ReceptionStatistics | undefined;
  /** What the depacketizer is given: one object for all packets. */
  readonly #current: { -readonly [Name in keyof RtpPayload]: RtpPayload[Name] } = {
    payload: new Uint8Array(0),
    timestamp: 0,
    marker: false,
    afterLoss: false,
  };
  #nowMs = 0;
  /** The newest report under an SSRC no packets came from. */
  #strangeReport: SenderReport | undefined;
  #strangeReportMs = 0;
  #isFinished = false;
  #packets = 0;
  #bytes = 0;
  #malformed = 0;
  #foreign = 0;

  constructor(parts: RtpIngestTrackParts) {
    this.sink = parts.sink;
    this.#payloadType = parts.mapping.payloadType;
    this.#depacketizer = parts.depacketizer;
    this.#clock = parts.clock;
    this.#reorder = new ReorderBuffer(this, { maxWaitMs: parts.maxWaitMs });
  }

  get counters(): RtpIngestCounters {
    return {
      ...this.#reorder.counters,
      packets: this.#packets,
      bytes: this.#bytes,
      malformed: this.#malformed + this.sink.malformed,
      foreign: this.#foreign,
      dropped: this.#depacketizer.dropped + this.sink.dropped,
    };
  }

  /** Whether the source said goodbye, and sent nothing since. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Whether no packet that could be read has come yet. */
  get isUnused(): boolean {
    return this.#statistics === undefined;
  }

  /** Takes an RTP packet; `bytes` need not outlast the call. */
  receive(bytes: Uint8Array, nowMs: number): void {
    this.#packets++;
    this.#bytes += bytes.length;
    const packet = parseRtpPacket(bytes);
    if (packet === undefined) {
      this.#malformed++;
      return;
    }
    if (packet.payloadType !== this.#payloadType) {
      this.#foreign++;
      return;
    }
    this.#nowMs = nowMs;
    this.#isFinished = false;
    const statistics = this.#statistics ?? this.#begin(packet.ssrc);
    if (packet.ssrc === statistics.ssrc) statistics.receive(packet.sequenceNumber, packet.timestamp, nowMs);
    this.#reorder.receive(packet, nowMs);
  }

  /** Takes a sender report that came with this track. */
  receiveSenderReport(report: SenderReport, nowMs: number): void {
    const isOfStranger = report.ssrc !== this.#statistics?.ssrc;
    // Some cameras report under an SSRC of their own invention, always the same.
    if (isOfStranger && (this.#statistics === undefined || report.ssrc !== this.#strangeReport?.ssrc)) {
      this.#strangeReport = report;
      this.#strangeReportMs = nowMs;
      return;
    }
    this.#statistics?.receiveSenderReport(report, nowMs);
    this.#clock.receiveSenderReport(report);
  }

  /** Notes that sources left. */
  receiveGoodbye(ssrcs: readonly number[]): void {
    if (this.#statistics === undefined || ssrcs.includes(this.#statistics.ssrc)) this.#isFinished = true;
  }

  /** Counts a packet with this track that could not be read. */
  noteMalformed(): void {
    this.#malformed++;
  }

  /** See `ReorderBuffer.nextTimeoutMs`. */
  nextTimeoutMs(): number | undefined {
    return this.#reorder.nextTimeoutMs();
  }

  handleTimeout(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#reorder.handleTimeout(nowMs);
  }

  /** See `ReceptionStatistics.takeReportBlock`. */
  takeReportBlock(nowMs: number): ReportBlock | undefined {
    return this.#statistics?.takeReportBlock(nowMs);
  }

  /** No more packets come. */
  end(): void {
    this.#reorder.flush();
    this.sink.end();
  }

  onPacket(packet: RtpPacket, afterLoss: boolean): void {
    const current = this.#current;
    current.payload = packet.payload;
    current.timestamp = packet.timestamp;
    current.marker = packet.marker;
    current.afterLoss = afterLoss;
    for (const unit of this.#depacketizer.receive(current)) this.sink.accept(unit, this.#nowMs);
  }

  onRestart(ssrc: number): void {
    this.#clock.restart();
    this.sink.restart();
    if (this.#statistics?.ssrc !== ssrc) this.#begin(ssrc);
  }

  /** Packets of this source begin. */
  #begin(ssrc: number): ReceptionStatistics {
    const statistics = new ReceptionStatistics(ssrc, this.#clock.clockRate);
    this.#statistics = statistics;
    const report = this.#strangeReport;
    if (report?.ssrc === ssrc) {
      this.#strangeReport = undefined;
      statistics.receiveSenderReport(report, this.#strangeReportMs);
      this.#clock.receiveSenderReport(report);
    }
    return statistics;
  }
}
