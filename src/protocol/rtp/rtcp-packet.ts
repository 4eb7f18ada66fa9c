import type { ByteWriter } from '../../wire/byte-writer.ts';
import {
  parseApplicationDefined,
  type RtcpApplicationDefined,
  writeApplicationDefined,
} from './rtcp-application-defined.ts';
import { type ExtendedReport, parseExtendedReport, writeExtendedReport } from './rtcp-extended-report.ts';
import { parseFeedback, type RtcpFeedback, writeFeedback } from './rtcp-feedback.ts';
import { parseGoodbye, type RtcpGoodbye, writeGoodbye } from './rtcp-goodbye.ts';
import { RTCP_HEADER_BYTES, RTCP_TYPE } from './rtcp-header.ts';
import {
  parseReceiverReport,
  parseSenderReport,
  type ReceiverReport,
  type SenderReport,
  writeReceiverReport,
  writeSenderReport,
} from './rtcp-report.ts';
import {
  parseSourceDescription,
  type RtcpSourceDescription,
  writeSourceDescription,
} from './rtcp-source-description.ts';

/** Most packets of one compound that are read; the rest is left. */
export const MAX_COMPOUND_PACKETS = 32;

/** One RTCP packet that was understood. */
export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | RtcpSourceDescription
  | RtcpGoodbye
  | RtcpApplicationDefined
  | RtcpFeedback
  | ExtendedReport;

/** What one datagram or interleaved frame of RTCP held. */
export interface RtcpCompound {
  /** Those understood, in order; views in them are views of the input. */
  readonly packets: readonly RtcpPacket[];
  /** Packets of types that are not known. */
  readonly skipped: number;
  /** Something in it did not fit: what came before is there all the same. */
  readonly isMalformed: boolean;
}

/** How `parseRtcp` reads. */
export interface RtcpParseOptions {
  /** Take compounds that do not begin with a report (RFC 5506); default false: those are malformed. */
  readonly reducedSize?: boolean;
}

/**
 * Reads a compound RTCP packet (RFC 3550 §6.1, checks of §A.2). Packets it does not know are skipped by their length.
 * Never throws, and reads no more than `MAX_COMPOUND_PACKETS`.
 */
export function parseRtcp(bytes: Uint8Array, options: RtcpParseOptions = {}): RtcpCompound {
  const packets: RtcpPacket[] = [];
  let skipped = 0;
  let isMalformed = bytes.length === 0;
  let at = 0;
  for (let count = 0; at < bytes.length && count < MAX_COMPOUND_PACKETS; count++) {
    const end = packetEnd(bytes, at);
    const type = bytes[at + 1];
    const isReport = type === RTCP_TYPE.senderReport || type === RTCP_TYPE.receiverReport;
    if (end < 0 || (at === 0 && !isReport && options.reducedSize !== true)) {
      isMalformed = true;
      break;
    }
    const bodyEnd = end - paddingOf(bytes, at, end);
    if (bodyEnd < at + RTCP_HEADER_BYTES) isMalformed = true;
    else {
      const packet = parseOne(type!, bytes[at]! & 0x1f, bytes.subarray(at + RTCP_HEADER_BYTES, bodyEnd));
      if (packet === 'unknown') skipped++;
      else if (packet === undefined) isMalformed = true;
      else packets.push(packet);
    }
    at = end;
  }
  return { packets, skipped, isMalformed };
}

/**
 * Writes one packet; those of a compound are written one behind the other, a report first.
 * @throws StateError `rtcp/too-many`, `rtcp/bad-value` when it has what its fields have no room for
 */
export function writeRtcp(packet: RtcpPacket, out: ByteWriter): void {
  switch (packet.type) {
    case 'sender-report':
      writeSenderReport(packet, out);
      break;
    case 'receiver-report':
      writeReceiverReport(packet, out);
      break;
    case 'source-description':
      writeSourceDescription(packet, out);
      break;
    case 'goodbye':
      writeGoodbye(packet, out);
      break;
    case 'application-defined':
      writeApplicationDefined(packet, out);
      break;
    case 'transport-feedback':
    case 'payload-feedback':
      writeFeedback(packet, out);
      break;
    case 'extended-report':
      writeExtendedReport(packet, out);
      break;
  }
}

/**
 * Whether a packet on a port that RTP and RTCP share is RTCP: types 192–223, where RTP has marker and payload types 64–95
 * (RFC 5761 §4).
 */
export function isRtcp(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
  return end - start >= RTCP_HEADER_BYTES && (bytes[start]! & 0xc0) === 0x80 && (bytes[start + 1]! & 0xe0) === 0xc0;
}

/** Where the packet at `at` ends by its length field; −1 when it is none or does not fit. */
function packetEnd(bytes: Uint8Array, at: number): number {
  if (at + RTCP_HEADER_BYTES > bytes.length || (bytes[at]! & 0xc0) !== 0x80) return -1;
  const end = at + 4 * (((bytes[at + 2]! << 8) | bytes[at + 3]!) + 1);
  return end > bytes.length ? -1 : end;
}

/**
 * Bytes of padding at the end; more than the packet has when the count is no good. Of whole words (RFC 3550 §6.4.1); what
 * libwebrtc fills up the last word of transport-wide feedback with is taken for part of that, which needs no cutting off.
 */
function paddingOf(bytes: Uint8Array, at: number, end: number): number {
  if ((bytes[at]! & 0x20) === 0) return 0;
  const count = bytes[end - 1]!;
  if (count === 0) return end;
  if (count % 4 === 0) return count;
  return count < 4 && bytes[at + 1] === RTCP_TYPE.transportFeedback ? 0 : end;
}

function parseOne(type: number, count: number, body: Uint8Array): RtcpPacket | 'unknown' | undefined {
  switch (type) {
    case RTCP_TYPE.senderReport:
      return parseSenderReport(count, body);
    case RTCP_TYPE.receiverReport:
      return parseReceiverReport(count, body);
    case RTCP_TYPE.sourceDescription:
      return parseSourceDescription(count, body);
    case RTCP_TYPE.goodbye:
      return parseGoodbye(count, body);
    case RTCP_TYPE.applicationDefined:
      return parseApplicationDefined(count, body);
    case RTCP_TYPE.transportFeedback:
      return parseFeedback('transport-feedback', count, body);
    case RTCP_TYPE.payloadFeedback:
      return parseFeedback('payload-feedback', count, body);
    case RTCP_TYPE.extendedReport:
      return parseExtendedReport(body);
    default:
      return 'unknown';
  }
}
