import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseVp9FrameHeader } from './frame-header.ts';
import { vp9CodecString, vp9ConfigurationFromKeyFrame, vp9LevelForSize } from './profile-level.ts';
import { parseVpCodecConfiguration, writeVpCodecConfiguration } from './vp-codec-configuration.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('parseVp9FrameHeader', () => {
  it.each([
    [
      '824983420077f043760638241c184a18',
      { profile: 0, isKeyFrame: true, isShown: true, keyFrame: { width: 1920, height: 1080, bitDepth: 8 } },
    ],
    [
      'b124c1a14200a08078b031c120e0c2e0',
      {
        profile: 3,
        isKeyFrame: true,
        keyFrame: { width: 322, height: 242, bitDepth: 12, subsamplingX: true, subsamplingY: false },
      },
    ],
    ['86004092f1214006', { profile: 0, isKeyFrame: false, isShown: true, showExistingFrame: false }],
    ['88', { profile: 0, isKeyFrame: false, showExistingFrame: true }],
  ])('reads %s', (text, expected) => {
    expect(parseVp9FrameHeader(hex(text))).toMatchObject(expected);
  });

  it.each([
    ['another frame marker', '024983420077f0437606'],
    ['a reserved profile', 'b8'],
    ['another sync code', '824983430077f043760638241c184a18'],
    ['a cut in the size', '824983420077f0'],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => {
    expect(parseVp9FrameHeader(hex(text))).toBeUndefined();
  });

  it('reads RGB without subsampling', () => {
    // Profile 1, key frame, color_space 7, reserved bit, 16 by 16.
    const bits = `10 1 0 0 0 1 0 ${'010010011000001101000010'} 111 0 0000000000001111 0000000000001111`;
    const bytes = (bits.replaceAll(' ', '').padEnd(104, '0').match(/.{8}/g) ?? []).map((byte) =>
      Number.parseInt(byte, 2),
    );
    const header = parseVp9FrameHeader(Uint8Array.from(bytes));
    expect(header?.keyFrame).toMatchObject({ width: 16, height: 16, subsamplingX: false, fullRange: true });
    const record = header?.keyFrame && vp9ConfigurationFromKeyFrame(header.profile, header.keyFrame);
    expect(record && vp9CodecString(record)).toBe('vp09.01.10.08.03.01.13.00.01');
  });
});

describe('vpcC', () => {
  it('is the same after writing and parsing, with a FullBox header in front too', () => {
    const record = fc.record({
      profile: fc.nat(3),
      level: fc.constantFrom(0, 10, 41, 62),
      bitDepth: fc.constantFrom(8, 10, 12),
      chromaSubsampling: fc.nat(3),
      fullRange: fc.boolean(),
      colourPrimaries: fc.nat(255),
      transferCharacteristics: fc.nat(255),
      matrixCoefficients: fc.nat(255),
    });
    fc.assert(
      fc.property(record, (value) => {
        const written = writeVpCodecConfiguration(value);
        expect(parseVpCodecConfiguration(written)).toEqual(value);
        expect(parseVpCodecConfiguration(Uint8Array.of(1, 0, 0, 0, ...written))).toEqual(value);
      }),
    );
  });

  it.each([['00298201010100'], ['0029020101010000'], ['']])('is refused: %s', (text) => {
    expect(parseVpCodecConfiguration(hex(text))).toBeUndefined();
  });
});

describe('vp9LevelForSize', () => {
  it.each([
    [256, 144, 10],
    [640, 360, 21],
    [1280, 720, 31],
    [1920, 1080, 40],
    [3840, 2160, 50],
    [16_000, 100, 60],
    [65_535, 65_535, 62],
  ])('%d by %d: %d', (width, height, expected) => {
    expect(vp9LevelForSize(width, height)).toBe(expected);
  });
});
