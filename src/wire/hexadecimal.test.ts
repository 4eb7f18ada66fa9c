import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHexadecimal, toHexadecimal } from './hexadecimal.ts';

describe('hexadecimal text', () => {
  it('gives bytes back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(toHexadecimal(bytes)).toBe(Buffer.from(bytes).toString('hex'));
        expect(fromHexadecimal(toHexadecimal(bytes))).toEqual(bytes);
      }),
    );
  });

  it('is read in upper case', () => {
    expect(fromHexadecimal('12AfbC')).toEqual(Uint8Array.of(0x12, 0xaf, 0xbc));
  });

  it.each(['1', '123', '0x12', '1g', ' 12', '-1'])('is not %j', (text) => {
    expect(fromHexadecimal(text)).toBeUndefined();
  });
});
