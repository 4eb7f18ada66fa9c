import { describe, expect, it } from 'vitest';
import { BitWriter } from '../bit-writer.ts';
import { parseH264Pps } from './picture-parameter-set.ts';
import { h264CodecString, h264LevelName, h264ProfileName } from './profile-level.ts';
import { h264FrameRate, parseH264Sps } from './sequence-parameter-set.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** Exp-Golomb by hand, to build sets that no encoder writes. */
function ue(bits: BitWriter, value: number): BitWriter {
  const length = 32 - Math.clz32(value + 1);
  return bits.bits(length - 1, 0).bits(length, value + 1);
}

/** A baseline SPS up to pic_order_cnt_type. */
function startOfSps(pocType: number): BitWriter {
  const bits = new BitWriter().bits(32, 0x67_42_00_1e);
  return ue(ue(ue(bits, 0), 0), pocType);
}

/** Size, cropping and no VUI. */
function endOfSps(bits: BitWriter, widthMbs: number, heightMbs: number, crop?: readonly number[]): Uint8Array {
  ue(bits, 1).flag(false);
  ue(ue(bits, widthMbs - 1), heightMbs - 1).bits(2, 3);
  bits.flag(crop !== undefined);
  for (const value of crop ?? []) ue(bits, value);
  return bits.flag(false).flag(true).finish();
}

describe('parseH264Sps', () => {
  it('reads all of a 1080i SPS with HRD and bitstream restriction', () => {
    expect(
      parseH264Sps(hex('67640028acd94078044fde022000000300200000064c080005b8d8000b71bc98601f162d96')),
    ).toMatchObject({
      profileIdc: 100,
      constraintFlags: 0,
      levelIdc: 40,
      id: 0,
      chromaFormatIdc: 1,
      bitDepthLuma: 8,
      pocType: 0,
      frameMbsOnly: false,
      width: 1920,
      height: 1080,
      codedWidth: 1920,
      codedHeight: 1088,
      vui: {
        sampleAspectRatio: [1, 1],
        timing: { numUnitsInTick: 1, timeScale: 50, fixedFrameRate: false },
        hasHrd: true,
        picStructPresent: true,
        bitstreamRestriction: { maxNumReorderFrames: 2, maxDecFrameBuffering: 4 },
      },
    });
  });

  it('reads colours', () => {
    const sps = parseH264Sps(hex('6742c028da01e0089f97016a02020280000003008000001e078c1950'));
    expect(sps?.vui?.colour).toEqual({
      fullRange: false,
      colourPrimaries: 1,
      transferCharacteristics: 1,
      matrixCoefficients: 1,
    });
    expect(sps?.pocType).toBe(2);
  });

  it('takes chroma units for cropping from the chroma format', () => {
    const sps = parseH264Sps(hex('67f4000d919b282a10f08477fe1f5a1f6220000003002000000601e28532c0'));
    expect(sps).toMatchObject({ chromaFormatIdc: 3, codedWidth: 336, width: 321, height: 243 });
  });

  it('reads pic_order_cnt_type 1', () => {
    const bits = startOfSps(1).flag(true);
    for (let i = 0; i < 2; i++) ue(bits, 0);
    ue(bits, 255);
    for (let i = 0; i < 255; i++) ue(bits, i);
    expect(parseH264Sps(endOfSps(bits, 20, 15))).toMatchObject({ pocType: 1, width: 320, height: 240 });
  });

  it('refuses a pic_order_cnt cycle of 256', () => {
    const bits = startOfSps(1).flag(true);
    for (let i = 0; i < 2; i++) ue(bits, 0);
    ue(bits, 256);
    expect(parseH264Sps(endOfSps(bits, 20, 15))).toBeUndefined();
  });

  it.each([
    ['cropped to nothing', 1, 1, [4, 4, 0, 0]],
    ['cropped to less than nothing', 1, 1, [0, 0, 100, 0]],
    ['wider than any level allows', 5000, 1, undefined],
    ['higher than any level allows', 1, 5000, undefined],
  ] as const)('refuses a picture that is %s', (_name, width, height, crop) => {
    expect(parseH264Sps(endOfSps(startOfSps(2), width, height, crop))).toBeUndefined();
  });

  it('crops on all sides', () => {
    const sps = parseH264Sps(endOfSps(startOfSps(2), 2, 2, [1, 2, 3, 4]));
    expect(sps).toMatchObject({ width: 26, height: 18 });
  });

  it('keeps the timing of a VUI that is cut off behind it', () => {
    const whole = '67640028acd94078044fde022000000300200000064c080005b8d8000b71bc98601f162d96';
    const sps = parseH264Sps(hex(whole).subarray(0, 24));
    expect(sps && h264FrameRate(sps)).toBe(25);
    expect(sps?.vui?.hasHrd).toBe(false);
    expect(sps?.vui?.bitstreamRestriction).toBeUndefined();
  });

  it('leaves the VUI out when it is cut off in its timing', () => {
    const sps = parseH264Sps(hex('67640028acd94078044fde02200000'));
    expect(sps?.height).toBe(1080);
    expect(sps?.vui).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['a PPS', '68ebe3cb22c0'],
    ['a header only', '6764001f'],
    ['only zeros', `6764001f${'00'.repeat(60)}`],
    ['zeros for 100 kB', `6764001f${'00'.repeat(100_000)}`],
  ])('refuses %s', (_name, text) => {
    expect(parseH264Sps(hex(text))).toBeUndefined();
  });
});

describe('names of profiles and levels', () => {
  it.each([
    [66, 0xc0, 'Constrained Baseline'],
    [66, 0x80, 'Baseline'],
    [77, 0x40, 'Main'],
    [88, 0, 'Extended'],
    [100, 0, 'High'],
    [100, 0x08, 'Progressive High'],
    [100, 0x0c, 'Constrained High'],
    [110, 0x10, 'High 10 Intra'],
    [122, 0x10, 'High 4:2:2 Intra'],
    [244, 0x10, 'High 4:4:4 Intra'],
    [244, 0, 'High 4:4:4 Predictive'],
    [118, 0, 'Multiview High'],
    [1, 0, 'profile 1'],
  ])('profile %d with flags %d is %s', (profile, flags, expected) => {
    expect(h264ProfileName(profile, flags)).toBe(expected);
  });

  it.each([
    [66, 0, 10, '1.0'],
    [66, 0x10, 11, '1b'],
    [100, 0, 9, '1b'],
    [100, 0x10, 11, '1.1'],
    [100, 0, 52, '5.2'],
  ])('profile %d with flags %d and level_idc %d is level %s', (profile, flags, level, expected) => {
    expect(h264LevelName(profile, flags, level)).toBe(expected);
  });

  it('codec strings have six digits', () => {
    expect(h264CodecString(66, 0, 9)).toBe('avc1.420009');
  });
});

describe('parseH264Pps', () => {
  it.each([
    [
      '68cb83cb20',
      { id: 0, spsId: 0, entropyCodingMode: false, bottomFieldPicOrderInFramePresent: false, sliceGroups: 1 },
    ],
    [
      '68ebe3cb20',
      { id: 0, spsId: 0, entropyCodingMode: true, bottomFieldPicOrderInFramePresent: false, sliceGroups: 1 },
    ],
    ['68', undefined],
    ['6700', undefined],
    ['680000000000', undefined],
  ])('%s', (text, expected) => {
    expect(parseH264Pps(hex(text))).toEqual(expected);
  });
});
