import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32 } from './crc32.ts';

it.each([
  ['', 0],
  ['123456789', 0xcbf4_3926],
  ['a', 0xe8b7_be43],
])('crc32 of %j is %i', (text, expected) => {
  expect(crc32(new TextEncoder().encode(text))).toBe(expected);
});

it('crc32 agrees with zlib on any part of any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(), fc.nat(), (bytes, a, b) => {
      const start = a % (bytes.length + 1);
      const end = start + (b % (bytes.length - start + 1));
      expect(crc32(bytes, start, end)).toBe(zlibCrc32(bytes.subarray(start, end)));
    }),
  );
});
