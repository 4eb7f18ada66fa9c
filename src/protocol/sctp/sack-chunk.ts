import { getU16, getU32, setU16, setU32 } from '../../wire/big-endian.ts';
import { CHUNK_TYPE } from './chunk-type.ts';

/** Bytes of a SACK before its gap blocks (RFC 9260 §3.3.4). */
export const SACK_HEADER_BYTES = 16;

/** Bytes of a gap block and of a duplicate TSN. */
export const SACK_ENTRY_BYTES = 4;

/** What a SACK says. One object is filled again for each that is read. */
export interface SackHeader {
  cumulativeTsn: number;
  /** a_rwnd, bytes. */
  receiveWindowBytes: number;
  gapBlocks: number;
  duplicates: number;
  /** Where the gap blocks start, `SACK_ENTRY_BYTES` each, the duplicates behind them. */
  gapBlocksAt: number;
}

/** An empty header to fill. */
export function sackHeader(): SackHeader {
  return { cumulativeTsn: 0, receiveWindowBytes: 0, gapBlocks: 0, duplicates: 0, gapBlocksAt: 0 };
}

/**
 * Reads the SACK from `at` up to `end` into `header`; false when it is shorter than it says. The gap blocks are not
 * looked at.
 *
 * ```
 * |   Type = 3    |  Chunk Flags  |         Chunk Length          |
 * |                      Cumulative TSN Ack                       |
 * |          Advertised Receiver Window Credit (a_rwnd)           |
 * | Number of Gap Ack Blocks = N  |   Number of Duplicate TSNs = M|
 * |   Gap Ack Block #1 Start      |     Gap Ack Block #1 End      |
 * |                       Duplicate TSN 1                         |
 * ```
 */
export function readSack(bytes: Uint8Array, at: number, end: number, header: SackHeader): boolean {
  if (end - at < SACK_HEADER_BYTES) return false;
  header.cumulativeTsn = getU32(bytes, at + 4);
  header.receiveWindowBytes = getU32(bytes, at + 8);
  header.gapBlocks = getU16(bytes, at + 12);
  header.duplicates = getU16(bytes, at + 14);
  header.gapBlocksAt = at + SACK_HEADER_BYTES;
  return header.gapBlocksAt + SACK_ENTRY_BYTES * (header.gapBlocks + header.duplicates) <= end;
}

/** Writes everything of a SACK but its gap blocks and duplicates at `at`. */
export function writeSackHeader(bytes: Uint8Array, at: number, header: SackHeader): void {
  bytes[at] = CHUNK_TYPE.sack;
  bytes[at + 1] = 0;
  setU16(bytes, at + 2, SACK_HEADER_BYTES + SACK_ENTRY_BYTES * (header.gapBlocks + header.duplicates));
  setU32(bytes, at + 4, header.cumulativeTsn);
  setU32(bytes, at + 8, header.receiveWindowBytes);
  setU16(bytes, at + 12, header.gapBlocks);
  setU16(bytes, at + 14, header.duplicates);
}
