import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from './base64.ts';

describe('base64', () => {
  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foobar', 'Zm9vYmFy'],
  ])('writes %j as %j (RFC 4648 §10)', (text, encoded) => {
    expect(toBase64(new TextEncoder().encode(text))).toBe(encoded);
  });

  it.each([
    ['Zg', 'f'],
    [' Zm9v\r\nYmFy ', 'foobar'],
  ])('reads %j', (encoded, text) => {
    expect(new TextDecoder().decode(fromBase64(encoded))).toBe(text);
  });

  it.each(['Z', 'Zg=', 'Zm9v!', 'Zm-_'])('refuses %j', (text) => {
    expect(fromBase64(text)).toBeUndefined();
  });

  it('reads what it wrote, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      }),
    );
    const long = Uint8Array.from({ length: 100_000 }, (_, i) => i);
    expect(fromBase64(toBase64(long))).toEqual(long);
  });
});
