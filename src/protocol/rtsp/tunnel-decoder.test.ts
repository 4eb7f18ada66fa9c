import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinBytes } from '../../wire/join-bytes.ts';
import { TunnelDecoder } from './tunnel-decoder.ts';

const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function decode(pieces: readonly Uint8Array[]): [text: string, code: string | undefined] {
  const decoder = new TunnelDecoder();
  const text = toText(joinBytes(pieces.map((piece) => decoder.decode(piece))));
  return [text, decoder.error?.code];
}

describe('TunnelDecoder', () => {
  it.each([
    ['', ''],
    ['T1BUSU9OUw==', 'OPTIONS'],
    ['YQ==YWI=YWJj', 'aababc'],
    [' Y Q\r\n=\t=\nYg==', 'ab'],
    ['====', ''],
    ['YQ', ''],
    ['+/+/', '\xfb\xff\xbf'],
  ])('decodes %j to %j, cut anywhere', (text, decoded) => {
    const bytes = ascii(text);
    expect(decode([bytes])).toEqual([decoded, undefined]);
    expect(decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual([decoded, undefined]);
  });

  it.each([
    ['YWJj!YWJj', 'abc'],
    ['YWJj\u0000', 'abc'],
    ['YWJjY=', 'abc'],
    ['YWJj-_', 'abc'],
    ['\xff', ''],
  ])('gives up on %j after %j', (text, decoded) => {
    const bytes = ascii(text);
    expect(decode([bytes])).toEqual([decoded, 'rtsp/bad-tunnel-data']);
    expect(decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual([decoded, 'rtsp/bad-tunnel-data']);
  });

  it('gets back what was encoded part by part, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.integer({ min: 1, max: 20 }), (parts, size) => {
        const encoded = ascii(parts.map((part) => `${Buffer.from(part).toString('base64')}\r\n`).join(''));
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < encoded.length; at += size) pieces.push(encoded.subarray(at, at + size));
        expect(decode(pieces)).toEqual([toText(joinBytes([new Uint8Array(), ...parts])), undefined]);
      }),
    );
  });
});
