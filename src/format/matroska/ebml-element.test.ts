import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childElements, readVint, toAscii, toFloat, toUnsigned } from './ebml-element.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

describe('readVint', () => {
  it.each([
    ['80', 0, 1],
    ['fe', 126, 1],
    ['ff', Number.POSITIVE_INFINITY, 1],
    ['4000', 0, 2],
    ['407f', 127, 2],
    ['7fff', Number.POSITIVE_INFINITY, 2],
    ['10000001', 1, 4],
    ['01ffffffffffffff', Number.POSITIVE_INFINITY, 8],
    ['0100000000000102', 258, 8],
  ])('%s is %d', (text, value, bytes) => {
    expect(readVint(hex(text), 0)).toEqual({ value, bytes });
  });

  it.each(['', '00', '40', '01ffff'])('%j is none', (text) => {
    expect(readVint(hex(text), 0)).toBeUndefined();
  });
});

describe('childElements', () => {
  it('gives elements in order, the last one cut at the end', () => {
    const found = [...childElements(hex('83 81 01  4286 82 0203  1a45dfa3 85 99'))];
    expect(found.map(({ id, body }) => [id, [...body]])).toEqual([
      [0x83, [1]],
      [0x4286, [2, 3]],
      [0x1a45dfa3, [0x99]],
    ]);
  });

  it('takes an unknown size for the rest', () => {
    expect([...childElements(hex('a3 ff 010203'))].map(({ body }) => body.length)).toEqual([3]);
  });

  it.each(['00 81 01', '08000000 81 01', '83', '83 00'])('ends at %j', (text) => {
    expect([...childElements(hex(text))]).toEqual([]);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        let total = 0;
        for (const { body } of childElements(bytes)) total += body.length;
        expect(total).toBeLessThan(bytes.length + 1);
      }),
    );
  });
});

describe('values', () => {
  it('of integers are big-endian, empty for 0, and too long for 0', () => {
    expect(['', '01', '0100', '0000000000000005', '000000000000000005'].map((text) => toUnsigned(hex(text)))).toEqual([
      0, 1, 256, 5, 0,
    ]);
  });

  it('of floats have 4 or 8 bytes', () => {
    expect(['473b8000', '40e7700000000000', '', '7f800000', '01'].map((text) => toFloat(hex(text)))).toEqual([
      48_000, 48_000, 0, 0, 0,
    ]);
  });

  it('of strings end at a zero', () => {
    expect(toAscii(hex('7765626d0000'))).toBe('webm');
  });
});
