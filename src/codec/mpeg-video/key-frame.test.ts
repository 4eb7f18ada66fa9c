import { describe, expect, it } from 'vitest';
import { isMpegVideoKeyFrame } from './key-frame.ts';

describe('isMpegVideoKeyFrame', () => {
  it.each([
    ['an I picture', '00000100 000ffff8', true],
    ['an I picture behind headers', '000001b3 06004013 ffffe010 000001b8 00080000 00000100 000ffff8', true],
    ['a P picture', '00000100 0057fffb80', false],
    ['a P picture and an I picture', '00000100 0057fffb80 00000100 000ffff8', false],
    ['a picture header cut off', '00000100 00', false],
    ['no picture', '000001b3 06004013', false],
    ['nothing', '', false],
  ])('of %s', (_, hex, expected) => {
    expect(isMpegVideoKeyFrame(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')))).toBe(expected);
  });
});
