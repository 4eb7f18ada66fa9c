import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinBytes } from '../../wire/join-bytes.ts';
import { type BaselineJpeg, jpegDetails, parseBaselineJpeg, writeBaselineJpeg } from './baseline-jpeg.ts';
import { CHROMINANCE_QUANTIZERS, HUFFMAN_TABLES, LUMINANCE_QUANTIZERS } from './jpeg.tables.ts';

const IMAGE: BaselineJpeg = {
  width: 97,
  height: 63,
  is420: true,
  luminanceQuantizers: LUMINANCE_QUANTIZERS,
  chrominanceQuantizers: CHROMINANCE_QUANTIZERS,
  restartInterval: 0,
  scan: Uint8Array.of(1, 2, 0xff, 0x00, 3, 0xff, 0xd3, 4),
};
const BYTES = writeBaselineJpeg(IMAGE);

/** Where a segment of this marker begins. */
function segmentAt(marker: number): number {
  for (let at = 0; at + 1 < BYTES.length; at++) if (BYTES[at] === 0xff && BYTES[at + 1] === marker) return at;
  throw new RangeError('no such segment');
}

const FRAME_AT = segmentAt(0xc0);
const SCAN_AT = segmentAt(0xda);
const HUFFMAN_AT = segmentAt(0xc4);

const images: fc.Arbitrary<BaselineJpeg> = fc.record({
  width: fc.integer({ min: 1, max: 0xffff }),
  height: fc.integer({ min: 1, max: 0xffff }),
  is420: fc.boolean(),
  luminanceQuantizers: fc.constantFrom(64, 128).chain((n) => fc.uint8Array({ minLength: n, maxLength: n })),
  chrominanceQuantizers: fc.constantFrom(64, 128).chain((n) => fc.uint8Array({ minLength: n, maxLength: n })),
  restartInterval: fc.constantFrom(0, 1, 0xffff),
  scan: fc.uint8Array({ maxLength: 300 }).map((bytes) => bytes.map((byte) => (byte === 0xff ? 0xfe : byte))),
});

describe('baseline JPEG', () => {
  it('is read as it was written', () => {
    expect(parseBaselineJpeg(BYTES)).toEqual(IMAGE);
    fc.assert(
      fc.property(images, (image) => {
        expect(parseBaselineJpeg(writeBaselineJpeg(image))).toEqual(image);
      }),
    );
  });

  it('may lack Huffman tables and the end, and have fill bytes and segments of applications', () => {
    const without = joinBytes([BYTES.subarray(0, HUFFMAN_AT), BYTES.subarray(SCAN_AT, BYTES.length - 2)]);
    expect(parseBaselineJpeg(without)).toEqual(IMAGE);
    const comment = [0xff, 0xff, 0xff, 0xfe, 0, 4, 0x61, 0x62];
    expect(parseBaselineJpeg(Uint8Array.from([0xff, 0xd8, ...comment, ...BYTES.subarray(2)]))).toEqual(IMAGE);
  });

  it.each([
    ['progressive', BYTES.with(FRAME_AT + 1, 0xc2)],
    ['with arithmetic coding', BYTES.with(FRAME_AT + 1, 0xc9)],
    ['of 12 bits', BYTES.with(FRAME_AT + 4, 12)],
    ['without a width', BYTES.with(FRAME_AT + 7, 0).with(FRAME_AT + 8, 0)],
    ['grey', BYTES.with(FRAME_AT + 9, 1)],
    ['of 4:4:4', BYTES.with(FRAME_AT + 11, 0x11)],
    ['with chrominance of more', BYTES.with(FRAME_AT + 14, 0x21)],
    ['with tables of their own for both chrominances', BYTES.with(FRAME_AT + 18, 0)],
    ['with a quantization table that is missing', BYTES.with(FRAME_AT + 12, 3)],
    ['with Huffman tables of its own', BYTES.with(HUFFMAN_AT + 30, 0x55)],
    ['with Huffman tables under other numbers', BYTES.with(SCAN_AT + 6, 0x11)],
    ['in several scans', BYTES.with(SCAN_AT + 4, 1)],
    ['without a frame', BYTES.with(FRAME_AT + 1, 0xfe)],
    ['without a beginning', BYTES.subarray(2)],
    ['cut off in a segment', BYTES.subarray(0, FRAME_AT + 6)],
    ['cut off before the scan', BYTES.subarray(0, SCAN_AT)],
    ['with bytes between segments', BYTES.with(SCAN_AT, 0xfe)],
    ['nothing', new Uint8Array(0)],
  ])('is not %s', (_, bytes) => {
    expect(parseBaselineJpeg(bytes)).toBeUndefined();
    expect(jpegDetails(bytes)).toBeUndefined();
  });

  it('tells size and sampling', () => {
    expect(jpegDetails(BYTES)).toEqual({
      width: 97,
      height: 63,
      profile: 'Baseline 4:2:0',
      level: '',
      codecString: 'jpeg',
    });
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(BYTES.length), (bytes, at) => {
        parseBaselineJpeg(bytes);
        parseBaselineJpeg(Buffer.concat([BYTES.subarray(0, at), bytes]));
      }),
    );
  });
});

describe('usual Huffman tables', () => {
  it('have as many symbols as they say', () => {
    for (const table of HUFFMAN_TABLES.values()) {
      expect(table.length).toBe(16 + table.subarray(0, 16).reduce((sum, count) => sum + count, 0));
    }
    expect([...HUFFMAN_TABLES.keys()]).toEqual([0x00, 0x10, 0x01, 0x11]);
  });
});
