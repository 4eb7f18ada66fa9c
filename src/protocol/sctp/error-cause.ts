import { getU16, getU32 } from '../../wire/big-endian.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { CHUNK_TYPE, FLAG_TAG_REFLECTED } from './chunk-type.ts';
import { CHUNK_HEADER_BYTES, paddedSize } from './packet-builder.ts';
import { MAX_ABORT_REASON_BYTES } from './sctp-limits.ts';

/** Error causes (RFC 9260 §3.3.10) that are sent or looked at here. */
export const ERROR_CAUSE = {
  invalidStream: 1,
  staleCookie: 3,
  outOfResource: 4,
  unrecognizedChunk: 6,
  invalidParameter: 7,
  noUserData: 9,
  userAbort: 12,
  protocolViolation: 13,
} as const;

/** One cause of an ERROR or ABORT chunk. */
export interface ErrorCause {
  readonly code: number;
  readonly value: Uint8Array;
}

/** An ERROR chunk with one cause. */
export function writeError(cause: ErrorCause): Uint8Array {
  return writeCauses(CHUNK_TYPE.error, 0, [cause]);
}

/** An ABORT chunk. With `isTagReflected` the packet carries the receiver's own tag (T flag). */
export function writeAbort(causes: readonly ErrorCause[], isTagReflected = false): Uint8Array {
  return writeCauses(CHUNK_TYPE.abort, isTagReflected ? FLAG_TAG_REFLECTED : 0, causes);
}

function writeCauses(type: number, flags: number, causes: readonly ErrorCause[]): Uint8Array {
  const writer = new ByteWriter(64);
  writer.u8(type).u8(flags).u16(0);
  let end = writer.length;
  for (const { code, value } of causes) {
    while (writer.length % 4 !== 0) writer.u8(0);
    writer
      .u16(code)
      .u16(4 + value.length)
      .raw(value);
    end = writer.length;
  }
  const chunk = writer.finish();
  chunk[2] = end >>> 8;
  chunk[3] = end;
  return chunk;
}

/** The value of an Invalid Stream Identifier cause. */
export function invalidStreamValue(streamId: number): Uint8Array {
  return new ByteWriter(4).u16(streamId).u16(0).finish();
}

/** A cause's value that is one 32-bit number: a TSN, or how stale a cookie is in microseconds. */
export function numberValue(value: number): Uint8Array {
  return new ByteWriter(4).u32(value).finish();
}

/**
 * The causes of the ERROR or ABORT chunk from `at` up to `end`; those before the first malformed one. The values are
 * views into `bytes`.
 */
export function parseCauses(bytes: Uint8Array, at: number, end: number): readonly ErrorCause[] {
  const causes: ErrorCause[] = [];
  for (let next = at + CHUNK_HEADER_BYTES; next + 4 <= end; ) {
    const length = getU16(bytes, next + 2);
    if (length < 4 || next + length > end) break;
    causes.push({ code: getU16(bytes, next), value: bytes.subarray(next + 4, next + length) });
    next += paddedSize(length);
  }
  return causes;
}

/** What an ABORT says, for people: the number of its first cause and the text of one of the user. */
export function describeAbort(causes: readonly ErrorCause[]): string {
  const [cause] = causes;
  if (cause === undefined) return 'without a cause';
  if (cause.code !== ERROR_CAUSE.userAbort) return `for cause ${cause.code}`;
  const text = new TextDecoder().decode(cause.value.subarray(0, MAX_ABORT_REASON_BYTES));
  return `by its user: ${JSON.stringify(text)}`;
}

/** How stale the peer found our cookie, milliseconds; 0 when it does not say. */
export function staleMsOf(cause: ErrorCause): number {
  return cause.value.length < 4 ? 0 : getU32(cause.value, 0) / 1000;
}
