import { TIMESTAMP_MODULUS_90K } from './ts-packet.ts';

/** stream_id values (ISO/IEC 13818-1 Table 2-22). */
export const STREAM_ID_PRIVATE_1 = 0xbd;
export const STREAM_ID_AUDIO = 0xc0;
export const STREAM_ID_VIDEO = 0xe0;

/** The largest PES_packet_length; a longer (video) packet says 0. */
const MAX_PES_LENGTH = 0xffff;
const FIXED_SIZE = 9;

/** Microseconds as a 90 kHz timestamp modulo 2^33. Whole milliseconds are exact. */
export function toTimestamp90k(timeUs: number): number {
  const ticks = Math.round((timeUs * 9) / 100) % TIMESTAMP_MODULUS_90K;
  return ticks < 0 ? ticks + TIMESTAMP_MODULUS_90K : ticks;
}

/**
 * A PES header with PTS, and with DTS when it differs (ISO/IEC 13818-1 §2.4.3.6). A new buffer.
 *
 * ```
 * | 00 00 01 | stream_id | length (16) | 10 00 0 1 00 (aligned) | PTS, DTS flags | header length | '001x' timestamps … |
 * ```
 *
 * The length is given whenever it fits, so that a reader knows the end of the unit without the start of the next.
 */
export function writePesHeader(streamId: number, pts90k: number, dts90k: number, payloadSizeBytes: number): Uint8Array {
  const hasDts = pts90k !== dts90k;
  const headerData = hasDts ? 10 : 5;
  const header = new Uint8Array(FIXED_SIZE + headerData);
  const length = 3 + headerData + payloadSizeBytes;
  header[2] = 1;
  header[3] = streamId;
  if (length <= MAX_PES_LENGTH) {
    header[4] = length >>> 8;
    header[5] = length;
  }
  header[6] = 0x84;
  header[7] = hasDts ? 0xc0 : 0x80;
  header[8] = headerData;
  writeTimestamp(header, FIXED_SIZE, hasDts ? 3 : 2, pts90k);
  if (hasDts) writeTimestamp(header, FIXED_SIZE + 5, 1, dts90k);
  return header;
}

/** `| prefix (4) | 32…30 | 1 | 29…15 | 1 | 14…0 | 1 |` */
function writeTimestamp(out: Uint8Array, at: number, prefix: number, timestamp90k: number): void {
  const high = Math.floor(timestamp90k / 2 ** 30);
  const low = timestamp90k % 2 ** 30;
  out[at] = (prefix << 4) | (high << 1) | 1;
  out[at + 1] = low >>> 22;
  out[at + 2] = (low >>> 14) | 1;
  out[at + 3] = low >>> 7;
  out[at + 4] = (low << 1) | 1;
}

/** What a PES header tells. */
export interface PesHeader {
  readonly streamId: number;
  /** Bytes of the whole packet, this header included; `undefined` when it does not say (video only). */
  readonly packetSizeBytes: number | undefined;
  /** Where the payload begins. */
  readonly payloadOffset: number;
  /** 33 bits at 90 kHz; `undefined` when not given. */
  readonly pts90k: number | undefined;
  /** Equals `pts90k` when not given on its own. */
  readonly dts90k: number | undefined;
}

/** Whether packets of this stream_id have no header beyond the length (padding, private stream 2, ECM …). */
function isHeaderless(streamId: number): boolean {
  return (
    streamId === 0xbc ||
    streamId === 0xbe ||
    streamId === 0xbf ||
    (streamId >= 0xf0 && streamId <= 0xf2) ||
    streamId === 0xf8 ||
    streamId === 0xff
  );
}

/**
 * Parses a PES header. `undefined` for bytes that are none, are cut off, or belong to a stream_id without timestamps.
 */
export function parsePesHeader(bytes: Uint8Array): PesHeader | undefined {
  if (bytes.length < FIXED_SIZE || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 1) return undefined;
  const streamId = bytes[3]!;
  if (isHeaderless(streamId) || (bytes[6]! & 0xc0) !== 0x80) return undefined;
  const length = (bytes[4]! << 8) | bytes[5]!;
  const payloadOffset = FIXED_SIZE + bytes[8]!;
  if (payloadOffset > bytes.length || (length !== 0 && length + 6 < payloadOffset)) return undefined;
  const flags = bytes[7]! >>> 6;
  let pts90k: number | undefined;
  let dts90k: number | undefined;
  if ((flags & 2) !== 0 && bytes[8]! >= 5) {
    pts90k = readTimestamp(bytes, FIXED_SIZE);
    dts90k = flags === 3 && bytes[8]! >= 10 ? readTimestamp(bytes, FIXED_SIZE + 5) : pts90k;
  }
  return { streamId, packetSizeBytes: length === 0 ? undefined : length + 6, payloadOffset, pts90k, dts90k };
}

/** 33 bits in five bytes with markers between (ISO/IEC 13818-1 §2.4.3.7, the same in ISO/IEC 11172-1). */
export function readTimestamp(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! >>> 1) & 7;
  const middle = ((bytes[at + 1]! << 7) | (bytes[at + 2]! >>> 1)) & 0x7fff;
  const low = ((bytes[at + 3]! << 7) | (bytes[at + 4]! >>> 1)) & 0x7fff;
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}
