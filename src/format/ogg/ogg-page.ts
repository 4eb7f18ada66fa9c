import type { FileWindow } from '../file-window.ts';

const HEADER_BYTES = 27;
/** Header, 255 lacing values and 255 segments of 255 bytes (RFC 3533 §6). */
export const MAX_PAGE_BYTES = 65_307;

/** A page of an Ogg stream; see RFC 3533 §6. */
export interface OggPage {
  readonly serial: number;
  readonly isContinued: boolean;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Position at the end of the last packet that ends on this page; undefined when none does. */
  readonly granulePosition: number | undefined;
  /** Pieces of packets, in order, in buffers of their own; all but perhaps the last one end their packet. */
  readonly pieces: readonly Uint8Array[];
  /** The last piece goes on in the next page. */
  readonly isOpen: boolean;
  readonly offset: number;
  readonly sizeBytes: number;
}

/**
 * The page at `from` or, where there is none, the next one behind it; undefined at the end of the file.
 *
 *     'OggS' version(8) flags(8) granule_position(64) serial(32) sequence(32) crc(32) segments(8) lacing…  (little-endian)
 */
export async function readOggPage(window: FileWindow, from: number): Promise<OggPage | undefined> {
  let at = from;
  for (;;) {
    const bytes = await window.atLeast(at, MAX_PAGE_BYTES);
    if (bytes.length < HEADER_BYTES) return undefined;
    const page = parsePage(bytes, at);
    if (page !== undefined) return page;
    const next = bytes.indexOf(0x4f, 1);
    at += next < 0 ? bytes.length : next;
  }
}

function parsePage(bytes: Uint8Array, offset: number): OggPage | undefined {
  const isPage = bytes[0] === 0x4f && bytes[1] === 0x67 && bytes[2] === 0x67 && bytes[3] === 0x53 && bytes[4] === 0;
  if (!isPage) return undefined;
  const segments = bytes[26]!;
  const bodyAt = HEADER_BYTES + segments;
  if (bytes.length < bodyAt) return undefined;
  const pieces: Uint8Array[] = [];
  let at = bodyAt;
  let start = at;
  let lacing = 0;
  for (let i = 0; i < segments; i++) {
    lacing = bytes[HEADER_BYTES + i]!;
    at += lacing;
    if (lacing < 255) {
      pieces.push(bytes.slice(start, at));
      start = at;
    }
  }
  if (at > bytes.length) return undefined;
  const isOpen = lacing === 255;
  if (isOpen) pieces.push(bytes.slice(start, at));
  return {
    serial: u32(bytes, 14),
    isContinued: (bytes[5]! & 1) !== 0,
    isFirst: (bytes[5]! & 2) !== 0,
    isLast: (bytes[5]! & 4) !== 0,
    granulePosition: granule(bytes),
    pieces,
    isOpen,
    offset,
    sizeBytes: at,
  };
}

/** All bits set say that no packet ends on the page. */
function granule(bytes: Uint8Array): number | undefined {
  const low = u32(bytes, 6);
  const high = u32(bytes, 10);
  return low === 0xffff_ffff && high === 0xffff_ffff ? undefined : high * 2 ** 32 + low;
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
