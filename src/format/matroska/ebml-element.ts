import type { FileWindow } from '../file-window.ts';
import { MAX_CHILD_ELEMENTS } from './matroska-error.ts';

/** An element in memory (RFC 8794 §6). */
export interface EbmlElement {
  /** Marker bit included, as in `ID`. */
  readonly id: number;
  /** Its content: a view. */
  readonly body: Uint8Array;
}

/** An element of a file, of which only the header was read. */
export interface EbmlHeader {
  readonly id: number;
  readonly offset: number;
  readonly bodyOffset: number;
  /** Where the next element begins; infinite for an element that does not tell its size. */
  readonly end: number;
}

/** An identifier takes up to 4 bytes, a size up to 8. */
const MAX_HEADER_BYTES = 12;
const MAX_ID_BYTES = 4;
const MAX_SIZE_BYTES = 8;

/** Bytes a variable-size integer takes by its first byte; 0 when that byte begins none. */
function vintBytes(first: number): number {
  return first === 0 ? 0 : Math.clz32(first) - 23;
}

/** A variable-size integer without its marker bit (RFC 8794 §4); all bits set, which sizes know as unknown, is Infinity. */
export interface Vint {
  readonly value: number;
  readonly bytes: number;
}

/** Reads the variable-size integer at `at`; undefined when there is none or it is cut short. */
export function readVint(bytes: Uint8Array, at: number): Vint | undefined {
  const first = bytes[at] ?? 0;
  const length = vintBytes(first);
  if (length === 0 || at + length > bytes.length) return undefined;
  let value = first & (0xff >>> length);
  let isAllOnes = value === 0xff >>> length;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i]!;
    value = value * 256 + byte;
    isAllOnes &&= byte === 0xff;
  }
  return { value: isAllOnes ? Number.POSITIVE_INFINITY : value, bytes: length };
}

interface ParsedHeader {
  readonly id: number;
  readonly size: number;
  readonly bytes: number;
}

function parseHeader(bytes: Uint8Array, at: number): ParsedHeader | undefined {
  const idBytes = vintBytes(bytes[at] ?? 0);
  if (idBytes === 0 || idBytes > MAX_ID_BYTES || at + idBytes > bytes.length) return undefined;
  let id = 0;
  for (let i = 0; i < idBytes; i++) id = id * 256 + bytes[at + i]!;
  const size = readVint(bytes, at + idBytes);
  if (size === undefined || size.bytes > MAX_SIZE_BYTES) return undefined;
  return { id, size: size.value, bytes: idBytes + size.bytes };
}

/**
 * The elements in `bytes`, at most `MAX_CHILD_ELEMENTS`. What can't be an element ends the list; one that says it is longer
 * than the rest, or does not say how long, is cut there.
 */
export function* childElements(bytes: Uint8Array): Generator<EbmlElement, void, undefined> {
  let at = 0;
  for (let count = 0; count < MAX_CHILD_ELEMENTS && at < bytes.length; count++) {
    const header = parseHeader(bytes, at);
    if (header === undefined) return;
    const start = at + header.bytes;
    at = Math.min(start + header.size, bytes.length);
    yield { id: header.id, body: bytes.subarray(start, at) };
  }
}

/** The header of the element at `offset` of a file; undefined at the end of the file, or where no element can be. */
export async function readEbmlHeader(window: FileWindow, offset: number): Promise<EbmlHeader | undefined> {
  const header = parseHeader(await window.view(offset, MAX_HEADER_BYTES), 0);
  if (header === undefined) return undefined;
  const bodyOffset = offset + header.bytes;
  return { id: header.id, offset, bodyOffset, end: bodyOffset + header.size };
}

/** An unsigned integer of up to 8 bytes, empty for 0 (RFC 8794 §7.2). Longer ones read 0. */
export function toUnsigned(body: Uint8Array): number {
  let value = 0;
  if (body.length <= 8) for (const byte of body) value = value * 256 + byte;
  return value;
}

/** A float of 4 or 8 bytes, empty for 0 (RFC 8794 §7.3). What is no number reads 0. */
export function toFloat(body: Uint8Array): number {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const value = body.length === 4 ? view.getFloat32(0) : body.length === 8 ? view.getFloat64(0) : 0;
  return Number.isFinite(value) ? value : 0;
}

/** A string of ASCII, up to its first zero (RFC 8794 §7.4). */
export function toAscii(body: Uint8Array): string {
  const end = body.indexOf(0);
  return String.fromCharCode(...body.subarray(0, Math.min(end < 0 ? body.length : end, 256)));
}
