import { StateError } from '../../wire/errors.ts';
import type { RtpErrorCode } from './rtp-error.ts';

/** Most blocks of one packet that are read, the primary one included. */
export const MAX_REDUNDANT_BLOCKS = 32;
/** What a block's header has room for. */
const MAX_BLOCK_BYTES = 0x3ff;
const MAX_TIMESTAMP_OFFSET = 0x3fff;
const FOLLOWS_FLAG = 0x80;
const REDUNDANT_HEADER_BYTES = 4;

/** One coded unit of a RED payload. */
export interface RedundantBlock {
  /** Of the coding inside, 7 bits. */
  readonly payloadType: number;
  /** By how much it is earlier than the packet, RTP clock units, 14 bits; 0 for the primary block. */
  readonly timestampOffset: number;
  /** When read, a view of the payload. */
  readonly data: Uint8Array;
}

/**
 * The blocks of a RED payload (RFC 2198 §3), the newest, which is the packet's own, last; `undefined` when a length does
 * not fit. Never throws.
 *
 *     F=1 PT(7) timestamp offset(14) length(10)   for each older block
 *     F=0 PT(7)                                   for the primary one
 *     data of the blocks in the same order
 */
export function parseRedundantAudio(payload: Uint8Array): RedundantBlock[] | undefined {
  const headers: { payloadType: number; timestampOffset: number; sizeBytes: number }[] = [];
  let at = 0;
  for (;;) {
    const first = payload[at];
    if (first === undefined || headers.length === MAX_REDUNDANT_BLOCKS) return undefined;
    if ((first & FOLLOWS_FLAG) === 0) {
      headers.push({ payloadType: first, timestampOffset: 0, sizeBytes: -1 });
      at++;
      break;
    }
    if (at + REDUNDANT_HEADER_BYTES > payload.length) return undefined;
    const rest = (payload[at + 1]! << 16) | (payload[at + 2]! << 8) | payload[at + 3]!;
    headers.push({ payloadType: first & 0x7f, timestampOffset: rest >>> 10, sizeBytes: rest & MAX_BLOCK_BYTES });
    at += REDUNDANT_HEADER_BYTES;
  }
  const blocks: RedundantBlock[] = [];
  for (const { payloadType, timestampOffset, sizeBytes } of headers) {
    const end = sizeBytes < 0 ? payload.length : at + sizeBytes;
    if (end > payload.length) return undefined;
    blocks.push({ payloadType, timestampOffset, data: payload.subarray(at, end) });
    at = end;
  }
  return blocks;
}

/**
 * A RED payload of these blocks, the primary one last.
 * @throws StateError `rtp/bad-redundancy` for no or too many blocks, or one older or longer than its header can say
 */
export function writeRedundantAudio(blocks: readonly RedundantBlock[]): Uint8Array {
  const primary = blocks[blocks.length - 1];
  if (primary === undefined || blocks.length > MAX_REDUNDANT_BLOCKS) throw refusal(`${blocks.length} blocks`);
  const older = blocks.slice(0, -1);
  let sizeBytes = REDUNDANT_HEADER_BYTES * older.length + 1;
  for (const { data } of blocks) sizeBytes += data.length;
  const payload = new Uint8Array(sizeBytes);
  let at = 0;
  for (const { payloadType, timestampOffset, data } of older) {
    if (data.length > MAX_BLOCK_BYTES || timestampOffset > MAX_TIMESTAMP_OFFSET) {
      throw refusal(`a block of ${data.length} bytes, ${timestampOffset} units old`);
    }
    const rest = (timestampOffset << 10) | data.length;
    payload.set([FOLLOWS_FLAG | payloadType, rest >>> 16, (rest >>> 8) & 0xff, rest & 0xff], at);
    at += REDUNDANT_HEADER_BYTES;
  }
  payload[at++] = primary.payloadType & 0x7f;
  for (const { data } of blocks) {
    payload.set(data, at);
    at += data.length;
  }
  return payload;
}

function refusal(message: string): StateError {
  return new StateError('rtp/bad-redundancy' satisfies RtpErrorCode, message);
}
