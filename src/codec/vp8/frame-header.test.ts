import { describe, expect, it } from 'vitest';
import { parseVp8FrameHeader } from './frame-header.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('parseVp8FrameHeader', () => {
  it.each([
    ['704a009d012ab00090000007', { isKeyFrame: true, version: 0, isShown: true, size: { width: 176, height: 144 } }],
    ['704a009d012ab04090c0', { isKeyFrame: true, version: 0, isShown: true, size: { width: 176, height: 144 } }],
    ['b14a00', { isKeyFrame: false, version: 0, isShown: true }],
    ['a74a00', { isKeyFrame: false, version: 3, isShown: false }],
    ['704a009d012bb0009000', undefined],
    ['704a009d012ab00090', undefined],
    ['704a', undefined],
    ['', undefined],
  ])('%s', (text, expected) => {
    expect(parseVp8FrameHeader(hex(text))).toEqual(expected);
  });
});
