import { getU16, getU32, setU16, setU32 } from '../../wire/big-endian.ts';
import { CHUNK_TYPE, DATA_FLAG } from './chunk-type.ts';

/** Bytes of a DATA chunk before its payload (RFC 9260 §3.3.1). */
export const DATA_HEADER_BYTES = 16;

/** Bytes of an I-DATA chunk before its payload (RFC 8260 §2.1). */
export const I_DATA_HEADER_BYTES = 20;

/** The fields of a DATA or I-DATA chunk. One object is filled again for each chunk read. */
export interface DataHeader {
  tsn: number;
  streamId: number;
  /** SSN of DATA (16 bits), MID of I-DATA (32 bits). */
  sequence: number;
  /** 0 in later fragments of I-DATA, which do not carry it. */
  ppid: number;
  /** Fragment sequence number of I-DATA, 0 in the first fragment; 0 for DATA. */
  fsn: number;
  flags: number;
  payloadStart: number;
  payloadEnd: number;
}

/** An empty header to fill. */
export function dataHeader(): DataHeader {
  return { tsn: 0, streamId: 0, sequence: 0, ppid: 0, fsn: 0, flags: 0, payloadStart: 0, payloadEnd: 0 };
}

/**
 * Reads the DATA chunk at `at` into `header`; `end` is where its length says it ends, inside `bytes`. False when it is
 * shorter than its fields. The payload may be empty, which the receiver must not take (RFC 9260 §6.2).
 *
 * ```
 * |   Type = 0    |  Res  |I|U|B|E|            Length             |
 * |                              TSN                              |
 * |      Stream Identifier        |   Stream Sequence Number      |
 * |                  Payload Protocol Identifier                  |
 * ```
 */
export function readData(bytes: Uint8Array, at: number, end: number, header: DataHeader): boolean {
  if (end - at < DATA_HEADER_BYTES) return false;
  header.flags = bytes[at + 1]!;
  header.tsn = getU32(bytes, at + 4);
  header.streamId = getU16(bytes, at + 8);
  header.sequence = getU16(bytes, at + 10);
  header.ppid = getU32(bytes, at + 12);
  header.fsn = 0;
  header.payloadStart = at + DATA_HEADER_BYTES;
  header.payloadEnd = end;
  return true;
}

/**
 * As `readData`, for I-DATA.
 *
 * ```
 * |   Type = 64   |  Res  |I|U|B|E|            Length             |
 * |                              TSN                              |
 * |        Stream Identifier      |           Reserved            |
 * |                      Message Identifier                       |
 * |    Payload Protocol Identifier (B) / Fragment Sequence Number |
 * ```
 */
export function readInterleavedData(bytes: Uint8Array, at: number, end: number, header: DataHeader): boolean {
  if (end - at < I_DATA_HEADER_BYTES) return false;
  const flags = bytes[at + 1]!;
  const last = getU32(bytes, at + 16);
  const isFirst = (flags & DATA_FLAG.begin) !== 0;
  header.flags = flags;
  header.tsn = getU32(bytes, at + 4);
  header.streamId = getU16(bytes, at + 8);
  header.sequence = getU32(bytes, at + 12);
  header.ppid = isFirst ? last : 0;
  header.fsn = isFirst ? 0 : last;
  header.payloadStart = at + I_DATA_HEADER_BYTES;
  header.payloadEnd = end;
  return true;
}

/** Writes the header of a DATA chunk at `at`; the payload of `payloadBytes` goes `DATA_HEADER_BYTES` further. */
export function writeDataHeader(bytes: Uint8Array, at: number, header: DataHeader, payloadBytes: number): void {
  bytes[at] = CHUNK_TYPE.data;
  bytes[at + 1] = header.flags;
  setU16(bytes, at + 2, DATA_HEADER_BYTES + payloadBytes);
  setU32(bytes, at + 4, header.tsn);
  setU16(bytes, at + 8, header.streamId);
  setU16(bytes, at + 10, header.sequence);
  setU32(bytes, at + 12, header.ppid);
}

/** As `writeDataHeader`, for I-DATA, whose payload goes `I_DATA_HEADER_BYTES` further. */
export function writeInterleavedHeader(bytes: Uint8Array, at: number, header: DataHeader, payloadBytes: number): void {
  bytes[at] = CHUNK_TYPE.iData;
  bytes[at + 1] = header.flags;
  setU16(bytes, at + 2, I_DATA_HEADER_BYTES + payloadBytes);
  setU32(bytes, at + 4, header.tsn);
  setU16(bytes, at + 8, header.streamId);
  setU16(bytes, at + 10, 0);
  setU32(bytes, at + 12, header.sequence);
  setU32(bytes, at + 16, (header.flags & DATA_FLAG.begin) !== 0 ? header.ppid : header.fsn);
}
