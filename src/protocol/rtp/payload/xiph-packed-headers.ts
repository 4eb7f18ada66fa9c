import { ByteReader } from '../../../wire/byte-reader.ts';
import { ByteWriter } from '../../../wire/byte-writer.ts';

/** Most configurations of one `configuration` parameter, and most that a receiver knows at a time. */
export const MAX_XIPH_CONFIGURATIONS = 16;

/** Most headers of one configuration: Vorbis and Theora have three. */
const MAX_HEADERS = 16;
const MAX_LENGTH_BYTES = 4;

/** The headers of one configuration with the number packets name it by. */
export interface PackedHeaders {
  /** 24 bits. */
  readonly ident: number;
  readonly headers: readonly Uint8Array[];
}

/** A length of 7 bits a byte, high ones first, the top bit set on all bytes but the last. */
function readLength(reader: ByteReader): number {
  let value = 0;
  for (let i = 0; i < MAX_LENGTH_BYTES; i++) {
    const byte = reader.u8();
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) break;
  }
  return value;
}

/**
 * Number of headers less one, lengths of all but the last, headers (RFC 5215 §3.1.1): how a configuration comes in band.
 * Views; `undefined` when the lengths do not come out.
 * @param headerBytes bytes of the headers together; those to the end when not given
 */
export function readPackedHeaders(reader: ByteReader, headerBytes?: number): readonly Uint8Array[] | undefined {
  const count = reader.u8() + 1;
  if (count > MAX_HEADERS) return undefined;
  const sizes: number[] = [];
  let rest = headerBytes;
  while (sizes.length < count - 1) sizes.push(readLength(reader));
  rest ??= reader.remaining;
  const last = rest - sizes.reduce((sum, size) => sum + size, 0);
  if (reader.overrun || last < 0) return undefined;
  const headers = [...sizes, last].map((size) => reader.view(size));
  return reader.overrun ? undefined : headers;
}

/**
 * The configurations of a `configuration` parameter, base64 taken off (RFC 5215 §3.2.1). Views; those up to the first that
 * makes no sense.
 *
 *     number(32)   {ident(24)  bytes of all headers(16)  number less one(8)  lengths of all but the last  headers} …
 */
export function parseXiphConfigurations(bytes: Uint8Array): readonly PackedHeaders[] {
  const reader = new ByteReader(bytes);
  const count = Math.min(reader.u32(), MAX_XIPH_CONFIGURATIONS);
  const configurations: PackedHeaders[] = [];
  for (let i = 0; i < count; i++) {
    const ident = reader.u24();
    const headers = readPackedHeaders(reader, reader.u16());
    if (headers === undefined) break;
    configurations.push({ ident, headers });
  }
  return configurations;
}

/** One configuration as the `configuration` parameter has it, to be put into base64; `undefined` above 65,535 bytes of headers. */
export function writeXiphConfiguration({ ident, headers }: PackedHeaders): Uint8Array | undefined {
  const sizeBytes = headers.reduce((sum, header) => sum + header.length, 0);
  if (sizeBytes > 0xffff || headers.length > MAX_HEADERS || headers.length === 0) return undefined;
  const out = new ByteWriter(sizeBytes + 32).u32(1).u24(ident).u16(sizeBytes);
  out.u8(headers.length - 1);
  for (const { length } of headers.slice(0, -1)) {
    if (length >= 0x4000) out.u8(0x80 | (length >>> 14));
    if (length >= 0x80) out.u8(0x80 | (length >>> 7));
    out.u8(length & 0x7f);
  }
  for (const header of headers) out.raw(header);
  return out.finish();
}

/** A number to name headers by: the same for the same ones, and hardly ever for others (FNV-1a, folded to 24 bits). */
export function xiphIdent(headers: readonly Uint8Array[]): number {
  let hash = 0x811c9dc5;
  for (const header of headers) {
    for (const byte of header) hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return ((hash >>> 24) ^ hash) & 0xff_ffff;
}
