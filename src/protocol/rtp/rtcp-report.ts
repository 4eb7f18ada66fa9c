import { ByteReader } from '../../wire/byte-reader.ts';
import type { ByteWriter } from '../../wire/byte-writer.ts';
import { RTCP_TYPE, writeRtcpHeader } from './rtcp-header.ts';

const REPORT_BLOCK_BYTES = 24;
const MIN_PACKETS_LOST = -0x80_0000;
const MAX_PACKETS_LOST = 0x7f_ffff;

/**
 * How one source is received (RFC 3550 §6.4.1).
 *
 *     SSRC(32)
 *     fraction lost(8)  cumulative number of packets lost(24, signed)
 *     extended highest sequence number received(32)
 *     interarrival jitter(32)
 *     last SR(32)
 *     delay since last SR(32)
 */
export interface ReportBlock {
  readonly ssrc: number;
  /** Of the packets expected since the report before, in 1/256: 0–255. */
  readonly fractionLost: number;
  /** Since the beginning; negative when duplicates outnumber losses. 24 bits. */
  readonly packetsLost: number;
  /** Wraps in the high 16 bits, sequence number in the low ones. */
  readonly highestSequenceNumber: number;
  /** In units of the payload's clock. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of the newest sender report; 0 for none. */
  readonly lastSr: number;
  /** Since that report arrived, in 1/65,536 s. */
  readonly delaySinceLastSr: number;
}

/** SR: what a sender sent, and how it receives others (RFC 3550 §6.4.1). */
export interface SenderReport {
  readonly type: 'sender-report';
  readonly ssrc: number;
  /** Seconds since 1900, 32 bits. */
  readonly ntpSeconds: number;
  /** In 1/2^32 s. */
  readonly ntpFraction: number;
  /** The same moment on the media clock, 32 bits. */
  readonly rtpTimestamp: number;
  /** 32 bits, wrapping. */
  readonly packetCount: number;
  /** Payload bytes, 32 bits, wrapping. */
  readonly octetCount: number;
  /** At most 31. */
  readonly reports: readonly ReportBlock[];
}

/** RR: how sources are received (RFC 3550 §6.4.2). */
export interface ReceiverReport {
  readonly type: 'receiver-report';
  readonly ssrc: number;
  /** At most 31. */
  readonly reports: readonly ReportBlock[];
}

/** Reads the body of an SR, the part behind its header; profile-specific extensions are left. */
export function parseSenderReport(count: number, body: Uint8Array): SenderReport | undefined {
  const reader = new ByteReader(body);
  const report: SenderReport = {
    type: 'sender-report',
    ssrc: reader.u32(),
    ntpSeconds: reader.u32(),
    ntpFraction: reader.u32(),
    rtpTimestamp: reader.u32(),
    packetCount: reader.u32(),
    octetCount: reader.u32(),
    reports: readReportBlocks(reader, count),
  };
  return reader.overrun ? undefined : report;
}

/** Reads the body of an RR, the part behind its header; profile-specific extensions are left. */
export function parseReceiverReport(count: number, body: Uint8Array): ReceiverReport | undefined {
  const reader = new ByteReader(body);
  const report: ReceiverReport = {
    type: 'receiver-report',
    ssrc: reader.u32(),
    reports: readReportBlocks(reader, count),
  };
  return reader.overrun ? undefined : report;
}

/** @throws StateError `rtcp/too-many` for more than 31 report blocks */
export function writeSenderReport(report: Omit<SenderReport, 'type'>, out: ByteWriter): void {
  const { reports } = report;
  writeRtcpHeader(out, RTCP_TYPE.senderReport, reports.length, 24 + REPORT_BLOCK_BYTES * reports.length);
  out.u32(report.ssrc).u32(report.ntpSeconds).u32(report.ntpFraction);
  out.u32(report.rtpTimestamp).u32(report.packetCount).u32(report.octetCount);
  for (const block of reports) writeReportBlock(block, out);
}

/** @throws StateError `rtcp/too-many` for more than 31 report blocks */
export function writeReceiverReport(report: Omit<ReceiverReport, 'type'>, out: ByteWriter): void {
  const { reports } = report;
  writeRtcpHeader(out, RTCP_TYPE.receiverReport, reports.length, 4 + REPORT_BLOCK_BYTES * reports.length);
  out.u32(report.ssrc);
  for (const block of reports) writeReportBlock(block, out);
}

function readReportBlocks(reader: ByteReader, count: number): ReportBlock[] {
  const reports: ReportBlock[] = [];
  for (let i = 0; i < count && !reader.overrun; i++) {
    reports.push({
      ssrc: reader.u32(),
      fractionLost: reader.u8(),
      packetsLost: reader.i24(),
      highestSequenceNumber: reader.u32(),
      jitter: reader.u32(),
      lastSr: reader.u32(),
      delaySinceLastSr: reader.u32(),
    });
  }
  return reports;
}

function writeReportBlock(block: ReportBlock, out: ByteWriter): void {
  out.u32(block.ssrc).u8(block.fractionLost);
  out.u24(Math.min(MAX_PACKETS_LOST, Math.max(MIN_PACKETS_LOST, block.packetsLost)));
  out.u32(block.highestSequenceNumber).u32(block.jitter).u32(block.lastSr).u32(block.delaySinceLastSr);
}
