import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { equalBytes } from '../../wire/equal-bytes.ts';
import type { VideoDetails } from '../track.ts';
import { HUFFMAN_TABLES } from './jpeg.tables.ts';

/** Markers of JPEG (ITU-T T.81 Table B.1), the second bytes. */
const MARKER = {
  baselineFrame: 0xc0,
  huffmanTables: 0xc4,
  firstRestart: 0xd0,
  lastRestart: 0xd7,
  imageStart: 0xd8,
  imageEnd: 0xd9,
  scanStart: 0xda,
  quantizationTables: 0xdb,
  restartInterval: 0xdd,
  application0: 0xe0,
} as const;

const QUANTIZERS = 64;
const MAX_SEGMENTS = 256;

/** Sampling of the luminance beside chrominance of 1x1, as a frame header has it. */
const SAMPLING_422 = 0x21;
const SAMPLING_420 = 0x22;

/** A picture of the kind RTP carries (RFC 2435 §3.1.3): baseline, YCbCr of 4:2:2 or 4:2:0 in one scan, usual Huffman tables. */
export interface BaselineJpeg {
  readonly width: number;
  readonly height: number;
  /** False for 4:2:2. */
  readonly is420: boolean;
  /** Quantization table of luminance, zigzag order: 64 values of 8 bits, or big-endian of 16. A view. */
  readonly luminanceQuantizers: Uint8Array;
  /** That of both chrominances. */
  readonly chrominanceQuantizers: Uint8Array;
  /** MCUs between restart markers; 0 without. */
  readonly restartInterval: number;
  /** Entropy-coded data with its restart markers, without the end of image. A view. */
  readonly scan: Uint8Array;
}

interface FrameHeader {
  readonly width: number;
  readonly height: number;
  readonly is420: boolean;
  readonly luminanceTable: number;
  readonly chrominanceTable: number;
  readonly componentIds: readonly number[];
}

/** `length precision(8) height(16) width(16) components(8) {id(8) sampling(8) table(8)}` (§B.2.2). */
function readFrameHeader(reader: ByteReader): FrameHeader | undefined {
  const precision = reader.u8();
  const height = reader.u16();
  const width = reader.u16();
  if (reader.u8() !== 3 || precision !== 8 || width === 0 || height === 0) return undefined;
  const components = [0, 1, 2].map(() => ({ id: reader.u8(), sampling: reader.u8(), table: reader.u8() }));
  const [y, cb, cr] = components;
  if (reader.overrun || cb!.sampling !== 0x11 || cr!.sampling !== 0x11 || cb!.table !== cr!.table) return undefined;
  if (y!.sampling !== SAMPLING_420 && y!.sampling !== SAMPLING_422) return undefined;
  return {
    width,
    height,
    is420: y!.sampling === SAMPLING_420,
    luminanceTable: y!.table,
    chrominanceTable: cb!.table,
    componentIds: components.map(({ id }) => id),
  };
}

/** Tables of a DQT segment into `tables` by number; false when cut off. */
function readQuantizers(reader: ByteReader, tables: Map<number, Uint8Array>): boolean {
  while (reader.remaining > 0) {
    const head = reader.u8();
    tables.set(head & 15, reader.view(head >>> 4 === 0 ? QUANTIZERS : 2 * QUANTIZERS));
  }
  return !reader.overrun;
}

/** Whether all tables of a DHT segment are the usual ones. */
function hasUsualHuffmanTables(reader: ByteReader): boolean {
  while (reader.remaining > 0) {
    const usual = HUFFMAN_TABLES.get(reader.u8());
    if (usual === undefined || !equalBytes(reader.view(usual.length), usual)) return false;
  }
  return !reader.overrun;
}

/** Whether the scan has all components in their order, with tables 0 for luminance and 1 for chrominance. */
function isUsualScan(reader: ByteReader, componentIds: readonly number[]): boolean {
  if (reader.u8() !== componentIds.length) return false;
  for (const [i, id] of componentIds.entries()) {
    if (reader.u8() !== id || reader.u8() !== (i === 0 ? 0x00 : 0x11)) return false;
  }
  return !reader.overrun;
}

/** Where entropy-coded data ends: at the first marker that is no restart. */
function scanEnd(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(0xff, start); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1]!;
    const isData = next === 0 || next === 0xff || (next >= MARKER.firstRestart && next <= MARKER.lastRestart);
    if (!isData) return at;
  }
  return bytes.length;
}

/**
 * Takes an image apart (ITU-T T.81 annex B); `undefined` when it is cut off or not of the kind `BaselineJpeg` tells.
 * Huffman tables may be missing, as in files of Motion JPEG. Never throws.
 */
export function parseBaselineJpeg(bytes: Uint8Array): BaselineJpeg | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== MARKER.imageStart) return undefined;
  const quantizers = new Map<number, Uint8Array>();
  let frame: FrameHeader | undefined;
  let restartInterval = 0;
  let at = 2;
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    if (bytes[at] !== 0xff) return undefined;
    while (bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1];
    const end = at + 2 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
    if (marker === undefined || end > bytes.length || end < at + 4) return undefined;
    const reader = new ByteReader(bytes, at + 4, end);
    if (marker === MARKER.scanStart) {
      if (frame === undefined || !isUsualScan(reader, frame.componentIds)) return undefined;
      const luminanceQuantizers = quantizers.get(frame.luminanceTable);
      const chrominanceQuantizers = quantizers.get(frame.chrominanceTable);
      if (luminanceQuantizers === undefined || chrominanceQuantizers === undefined) return undefined;
      const { width, height, is420 } = frame;
      const scan = bytes.subarray(end, scanEnd(bytes, end));
      return { width, height, is420, luminanceQuantizers, chrominanceQuantizers, restartInterval, scan };
    }
    if (marker === MARKER.baselineFrame) {
      if (frame !== undefined) return undefined;
      frame = readFrameHeader(reader);
      if (frame === undefined) return undefined;
    } else if (marker === MARKER.quantizationTables) {
      if (!readQuantizers(reader, quantizers)) return undefined;
    } else if (marker === MARKER.huffmanTables) {
      if (!hasUsualHuffmanTables(reader)) return undefined;
    } else if (marker === MARKER.restartInterval) {
      restartInterval = reader.u16();
    } else if (marker > MARKER.baselineFrame && marker < MARKER.imageStart) {
      return undefined; // other kinds of frames, arithmetic coding
    }
    at = end;
  }
  return undefined;
}

/** An image with all its headers, JFIF and Huffman tables included, in a new buffer. */
export function writeBaselineJpeg(image: BaselineJpeg): Uint8Array {
  const { width, height, luminanceQuantizers, chrominanceQuantizers, restartInterval, scan } = image;
  const out = new ByteWriter(scan.length + 1024);
  out.u16(0xff00 | MARKER.imageStart);
  // "JFIF", version 1.1, no density, square pixels, no thumbnail.
  out
    .u16(0xff00 | MARKER.application0)
    .u16(16)
    .utf8('JFIF\0')
    .u16(0x0101)
    .u8(0)
    .u16(1)
    .u16(1)
    .u16(0);
  for (const [i, table] of [luminanceQuantizers, chrominanceQuantizers].entries()) {
    out.u16(0xff00 | MARKER.quantizationTables).u16(3 + table.length);
    out.u8((table.length > QUANTIZERS ? 0x10 : 0) | i).raw(table);
  }
  out
    .u16(0xff00 | MARKER.baselineFrame)
    .u16(17)
    .u8(8)
    .u16(height)
    .u16(width)
    .u8(3);
  out
    .u8(1)
    .u8(image.is420 ? SAMPLING_420 : SAMPLING_422)
    .u8(0);
  out.u8(2).u8(0x11).u8(1).u8(3).u8(0x11).u8(1);
  for (const [name, table] of HUFFMAN_TABLES) {
    out
      .u16(0xff00 | MARKER.huffmanTables)
      .u16(3 + table.length)
      .u8(name)
      .raw(table);
  }
  if (restartInterval > 0)
    out
      .u16(0xff00 | MARKER.restartInterval)
      .u16(4)
      .u16(restartInterval);
  out
    .u16(0xff00 | MARKER.scanStart)
    .u16(12)
    .u8(3)
    .u16(0x0100)
    .u16(0x0211)
    .u16(0x0311)
    .u8(0)
    .u8(63)
    .u8(0);
  return out
    .raw(scan)
    .u16(0xff00 | MARKER.imageEnd)
    .finish()
    .slice();
}

/** What an image tells about itself; `undefined` when `parseBaselineJpeg` does not read it. */
export function jpegDetails(image: Uint8Array): VideoDetails | undefined {
  const parsed = parseBaselineJpeg(image);
  if (parsed === undefined) return undefined;
  const { width, height, is420 } = parsed;
  return { width, height, profile: is420 ? 'Baseline 4:2:0' : 'Baseline 4:2:2', level: '', codecString: 'jpeg' };
}
