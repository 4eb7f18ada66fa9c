import { ByteReader } from '../../wire/byte-reader.ts';
import type { ByteWriter } from '../../wire/byte-writer.ts';
import type { NtpTime } from '../../wire/ntp-time.ts';
import { RTCP_TYPE, writeRtcpHeader } from './rtcp-header.ts';

/** Most blocks of one extended report that are read, and most entries of one DLRR block. */
export const MAX_EXTENDED_REPORT_BLOCKS = 64;

const RECEIVER_REFERENCE_TIME = 4;
const DELAY_SINCE_LAST_RECEIVER_REPORT = 5;
const DLRR_ENTRY_BYTES = 12;

/** How long ago a receiver's reference time was received: what it takes its round-trip time from (RFC 3611 §4.5). */
export interface DlrrEntry {
  /** The receiver. */
  readonly ssrc: number;
  /** Middle 32 bits of the NTP time in its last reference time block; 0 when there was none. */
  readonly lastReceiverReport: number;
  /** 1/65,536 s. */
  readonly delaySinceLast: number;
}

/** A report block of an extended report. */
export type ExtendedReportBlock =
  /** The receiver's wall clock (RFC 3611 §4.4). */
  | ({ readonly type: 'receiver-reference-time' } & NtpTime)
  | { readonly type: 'dlrr'; readonly entries: readonly DlrrEntry[] };

/**
 * XR (RFC 3611 §2). Blocks of other types than those two are passed over when it is read.
 *
 *     SSRC(32)  { block type(8) type-specific(8) length in words − 1 … content } …
 */
export interface ExtendedReport {
  readonly type: 'extended-report';
  readonly ssrc: number;
  readonly blocks: readonly ExtendedReportBlock[];
}

/** Reads the body of an XR, the part behind its header; `undefined` when a length does not fit. */
export function parseExtendedReport(body: Uint8Array): ExtendedReport | undefined {
  const reader = new ByteReader(body);
  const ssrc = reader.u32();
  const blocks: ExtendedReportBlock[] = [];
  while (reader.remaining > 0 && blocks.length < MAX_EXTENDED_REPORT_BLOCKS) {
    const blockType = reader.u8();
    reader.skip(1);
    const content = reader.view(4 * reader.u16());
    if (reader.overrun) return undefined;
    const block = parseBlock(blockType, content);
    if (block === undefined) return undefined;
    if (block !== 'unknown') blocks.push(block);
  }
  return reader.overrun ? undefined : { type: 'extended-report', ssrc, blocks };
}

/** @throws StateError `rtcp/too-many` when it is longer than a packet can be */
export function writeExtendedReport(report: Omit<ExtendedReport, 'type'>, out: ByteWriter): void {
  let bodyBytes = 4;
  for (const block of report.blocks) bodyBytes += 4 + contentBytes(block);
  writeRtcpHeader(out, RTCP_TYPE.extendedReport, 0, bodyBytes);
  out.u32(report.ssrc);
  for (const block of report.blocks) {
    const isTime = block.type === 'receiver-reference-time';
    out.u8(isTime ? RECEIVER_REFERENCE_TIME : DELAY_SINCE_LAST_RECEIVER_REPORT).u8(0);
    out.u16(contentBytes(block) / 4);
    if (isTime) out.u32(block.ntpSeconds).u32(block.ntpFraction);
    else for (const entry of block.entries) out.u32(entry.ssrc).u32(entry.lastReceiverReport).u32(entry.delaySinceLast);
  }
}

function contentBytes(block: ExtendedReportBlock): number {
  return block.type === 'dlrr' ? DLRR_ENTRY_BYTES * block.entries.length : 8;
}

function parseBlock(blockType: number, content: Uint8Array): ExtendedReportBlock | 'unknown' | undefined {
  const reader = new ByteReader(content);
  if (blockType === RECEIVER_REFERENCE_TIME) {
    const [ntpSeconds, ntpFraction] = [reader.u32(), reader.u32()];
    return reader.overrun ? undefined : { type: 'receiver-reference-time', ntpSeconds, ntpFraction };
  }
  if (blockType !== DELAY_SINCE_LAST_RECEIVER_REPORT) return 'unknown';
  const entries: DlrrEntry[] = [];
  while (reader.remaining >= DLRR_ENTRY_BYTES && entries.length < MAX_EXTENDED_REPORT_BLOCKS) {
    entries.push({ ssrc: reader.u32(), lastReceiverReport: reader.u32(), delaySinceLast: reader.u32() });
  }
  return { type: 'dlrr', entries };
}
