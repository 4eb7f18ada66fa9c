import { ProtocolError } from '../../wire/errors.ts';
import type { FlvTypeId } from './flv-codecs.tables.ts';

/** Size of the FLV file header, without the first PreviousTagSize. */
export const FLV_HEADER_SIZE_BYTES = 9;
/** Size of a tag header (FLV v10.1 §E.4.1). */
export const FLV_TAG_HEADER_SIZE_BYTES = 11;
/** Size of the PreviousTagSize field after the header and after each tag. */
export const FLV_PREVIOUS_TAG_SIZE_BYTES = 4;
/** The largest body the 24-bit DataSize field can say. */
export const FLV_MAX_BODY_SIZE_BYTES = 0xff_ffff;

/** Codes of the errors that end the reading of an FLV byte stream. */
export type FlvErrorCode =
  | 'flv/bad-signature'
  | 'flv/bad-version'
  | 'flv/bad-data-offset'
  | 'flv/bad-tag'
  | 'flv/encrypted-tag'
  | 'flv/tag-too-large';

/** A `ProtocolError` with a code of `FlvErrorCode`. */
export function flvError(code: FlvErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}

/**
 * The FLV header with its PreviousTagSize0, 13 bytes (FLV v10.1 §E.2, §E.3). A new buffer, owned by the caller.
 */
export function writeFlvHeader(options: { readonly hasAudio: boolean; readonly hasVideo: boolean }): Uint8Array {
  const flags = (options.hasAudio ? 4 : 0) | (options.hasVideo ? 1 : 0);
  return Uint8Array.of(0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, FLV_HEADER_SIZE_BYTES, 0, 0, 0, 0);
}

/**
 * One tag with its PreviousTagSize in a single new buffer of exactly the size needed (FLV v10.1 §E.3, §E.4.1).
 *
 * ```
 * |  type (1) | DataSize (3) | Timestamp low 24 bits (3) | Timestamp high 8 bits (1) | StreamID = 0 (3) | body | size+11 (4) |
 * ```
 *
 * @param timestampMs milliseconds, taken modulo 2^32
 * @param parts the body in pieces, at most 16,777,215 bytes together: larger ones cannot be expressed and throw
 * @throws ProtocolError `flv/tag-too-large`
 */
export function writeFlvTag(typeId: FlvTypeId, timestampMs: number, parts: readonly Uint8Array[]): Uint8Array {
  let bodySize = 0;
  for (const part of parts) bodySize += part.length;
  if (bodySize > FLV_MAX_BODY_SIZE_BYTES) {
    throw flvError('flv/tag-too-large', `a body of ${bodySize} bytes does not fit into an FLV tag`);
  }
  const tagSize = FLV_TAG_HEADER_SIZE_BYTES + bodySize;
  const tag = new Uint8Array(tagSize + FLV_PREVIOUS_TAG_SIZE_BYTES);
  tag[0] = typeId;
  tag[1] = bodySize >>> 16;
  tag[2] = bodySize >>> 8;
  tag[3] = bodySize;
  const timestamp = timestampMs >>> 0;
  tag[4] = timestamp >>> 16;
  tag[5] = timestamp >>> 8;
  tag[6] = timestamp;
  tag[7] = timestamp >>> 24;
  let at = FLV_TAG_HEADER_SIZE_BYTES;
  for (const part of parts) {
    tag.set(part, at);
    at += part.length;
  }
  tag[at] = tagSize >>> 24;
  tag[at + 1] = tagSize >>> 16;
  tag[at + 2] = tagSize >>> 8;
  tag[at + 3] = tagSize;
  return tag;
}
