import { describe, expect, it } from 'vitest';
import { rtpPayloadStart } from './srtp-packet.ts';

function packet(head: readonly number[], sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  bytes.set(head);
  return bytes;
}

describe('rtpPayloadStart', () => {
  it.each([
    ['a bare header', packet([0x80], 12), 12],
    ['two CSRCs', packet([0x82], 30), 20],
    ['two CSRCs cut short', packet([0x82], 19), 0],
    ['an extension of three words', packet([0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 3], 40), 28],
    ['an empty extension at the end', packet([0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 0], 16), 16],
    ['an extension header cut short', packet([0x90], 15), 0],
    ['an extension cut short', packet([0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 3], 27), 0],
    ['a header cut short', packet([0x80], 11), 0],
    ['version 1', packet([0x40], 20), 0],
    ['nothing', new Uint8Array(), 0],
  ] as const)('finds the payload behind %s', (_, bytes, expected) => {
    expect(rtpPayloadStart(bytes, 0, bytes.length)).toBe(expected);
    const shifted = new Uint8Array(bytes.length + 8);
    shifted.set(bytes, 5);
    expect(rtpPayloadStart(shifted, 5, 5 + bytes.length)).toBe(expected === 0 ? 0 : expected + 5);
  });
});
