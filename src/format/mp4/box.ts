import type { FileWindow } from '../file-window.ts';
import { MAX_CHILD_BOXES } from './mp4-error.ts';

/** A box in memory (ISO/IEC 14496-12 §4.2; QuickTime calls it an atom). */
export interface Box {
  /** Four characters of Latin-1. */
  readonly type: string;
  /** Everything behind the header: a view. */
  readonly body: Uint8Array;
}

/** A box of a file, of which only the header was read. */
export interface BoxHeader {
  readonly type: string;
  readonly offset: number;
  readonly headerBytes: number;
  /** Where the next box begins; the end of the file for a box that lasts until there. */
  readonly end: number;
}

const HEADER_BYTES = 8;
const LARGE_HEADER_BYTES = 16;
/** Zeros are no box that lasts to the end of the file, but a hole in it. */
const NO_TYPE = '\0\0\0\0';

/**
 *     size(32) type(32) [largesize(64), when size is 1]; size 0: to the end of what the box is in
 */
function readHeader(bytes: Uint8Array, at: number, limit: number): { type: string; headerBytes: number; size: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const type = fourCc(bytes, at + 4);
  const size = view.getUint32(0);
  if (size === 0) return { type, headerBytes: HEADER_BYTES, size: limit };
  if (size !== 1 || bytes.length - at < LARGE_HEADER_BYTES) return { type, headerBytes: HEADER_BYTES, size };
  return {
    type,
    headerBytes: LARGE_HEADER_BYTES,
    size: view.getUint32(8) * 0x1_0000_0000 + view.getUint32(12),
  };
}

/** The four characters at `at`. */
export function fourCc(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
}

/**
 * The boxes in `bytes` from `offset` on, at most `MAX_CHILD_BOXES`. What can't be a box ends the list: QuickTime closes
 * some lists with a zero. A box that says it is longer than the rest is cut there.
 */
export function childBoxes(bytes: Uint8Array, offset = 0): Box[] {
  const boxes: Box[] = [];
  let at = offset;
  while (bytes.length - at >= HEADER_BYTES && boxes.length < MAX_CHILD_BOXES) {
    const { type, headerBytes, size } = readHeader(bytes, at, bytes.length - at);
    if (size < headerBytes) break;
    const end = Math.min(at + size, bytes.length);
    boxes.push({ type, body: bytes.subarray(at + headerBytes, end) });
    at = end;
  }
  return boxes;
}

/** The body of the first box of a type. */
export function findBox(boxes: readonly Box[], type: string): Uint8Array | undefined {
  return boxes.find((box) => box.type === type)?.body;
}

/** The boxes inside the first box of a type; none when there is no such box. */
export function boxesIn(boxes: readonly Box[], type: string): Box[] {
  const body = findBox(boxes, type);
  return body === undefined ? [] : childBoxes(body);
}

/**
 * The header of the box at `offset` of a file; undefined at the end of the file, or where no box can be. A box that says it
 * is longer than the file keeps its `end`, so that one can tell.
 */
export async function readBoxHeader(window: FileWindow, offset: number): Promise<BoxHeader | undefined> {
  const bytes = await window.view(offset, LARGE_HEADER_BYTES);
  if (bytes.length < HEADER_BYTES) return undefined;
  const { type, headerBytes, size } = readHeader(bytes, 0, window.sizeBytes - offset);
  if (size < headerBytes || !Number.isSafeInteger(offset + size) || type === NO_TYPE) return undefined;
  return { type, offset, headerBytes, end: offset + size };
}
