import { getU16, getU32, setU16, setU32 } from '../../wire/big-endian.ts';
import { CHUNK_TYPE } from './chunk-type.ts';

/** What a stream has to skip. */
export interface SkippedStream {
  readonly streamId: number;
  readonly isUnordered: boolean;
  /** Last SSN (FORWARD-TSN) or MID (I-FORWARD-TSN) that is given up. */
  readonly sequence: number;
}

/** A FORWARD-TSN (RFC 3758 §3.2) or I-FORWARD-TSN (RFC 8260 §2.3.1) chunk. */
export interface ForwardTsn {
  readonly newCumulativeTsn: number;
  readonly skipped: readonly SkippedStream[];
}

/** Bytes before the streams. */
export const FORWARD_TSN_HEADER_BYTES = 8;

/** Bytes a stream takes in a FORWARD-TSN and in an I-FORWARD-TSN. */
export const SKIPPED_STREAM_BYTES = { forwardTsn: 4, iForwardTsn: 8 } as const;

/**
 * Reads the chunk from `at` up to `end`; undefined when it is shorter than its fields.
 *
 * ```
 * |   Type = 192  |  Flags = 0x00 |        Length = Variable      |
 * |                      New Cumulative TSN                       |
 * |         Stream-1              |       Stream Sequence-1       |
 *
 * |   Type = 194  |  Flags = 0x00 |        Length = Variable      |
 * |                      New Cumulative TSN                       |
 * |       Stream Identifier       |          Reserved           |U|
 * |                       Message Identifier                      |
 * ```
 */
export function parseForwardTsn(bytes: Uint8Array, at: number, end: number): ForwardTsn | undefined {
  if (end - at < FORWARD_TSN_HEADER_BYTES) return undefined;
  const isInterleaved = bytes[at] === CHUNK_TYPE.iForwardTsn;
  const sizeBytes = SKIPPED_STREAM_BYTES[isInterleaved ? 'iForwardTsn' : 'forwardTsn'];
  const skipped: SkippedStream[] = [];
  for (let next = at + FORWARD_TSN_HEADER_BYTES; next + sizeBytes <= end; next += sizeBytes) {
    skipped.push({
      streamId: getU16(bytes, next),
      isUnordered: isInterleaved && (bytes[next + 3]! & 1) !== 0,
      sequence: isInterleaved ? getU32(bytes, next + 4) : getU16(bytes, next + 2),
    });
  }
  return { newCumulativeTsn: getU32(bytes, at + 4), skipped };
}

/** The chunk that says `forward`; a plain FORWARD-TSN names ordered streams only. */
export function writeForwardTsn(kind: 'forwardTsn' | 'iForwardTsn', forward: ForwardTsn): Uint8Array {
  const sizeBytes = SKIPPED_STREAM_BYTES[kind];
  const chunk = new Uint8Array(FORWARD_TSN_HEADER_BYTES + sizeBytes * forward.skipped.length);
  chunk[0] = CHUNK_TYPE[kind];
  setU16(chunk, 2, chunk.length);
  setU32(chunk, 4, forward.newCumulativeTsn);
  let at = FORWARD_TSN_HEADER_BYTES;
  for (const { streamId, isUnordered, sequence } of forward.skipped) {
    setU16(chunk, at, streamId);
    if (kind === 'forwardTsn') setU16(chunk, at + 2, sequence);
    else {
      chunk[at + 3] = isUnordered ? 1 : 0;
      setU32(chunk, at + 4, sequence);
    }
    at += sizeBytes;
  }
  return chunk;
}
