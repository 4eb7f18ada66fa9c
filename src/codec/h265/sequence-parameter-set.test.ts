import { describe, expect, it } from 'vitest';
import { BitReader } from '../../wire/bit-reader.ts';
import { BitWriter } from '../bit-writer.ts';
import { skipH265Hrd } from './hrd-parameters.ts';
import { parseH265Pps } from './picture-parameter-set.ts';
import { h265CodecString, h265LevelName, h265ProfileName } from './profile-tier-level.ts';
import { parseH265Sps } from './sequence-parameter-set.ts';
import { parseH265Vps } from './video-parameter-set.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** Exp-Golomb by hand, to build sets that no encoder writes. */
function ue(bits: BitWriter, ...values: readonly number[]): BitWriter {
  for (const value of values) {
    const length = 32 - Math.clz32(value + 1);
    bits.bits(length - 1, 0).bits(length, value + 1);
  }
  return bits;
}

/** An SPS of Main profile with `subLayers` above the first, up to the flag before its short-term sets. */
function startOfSps(subLayers = 0): BitWriter {
  const bits = new BitWriter().bits(16, 0x4201).bits(4, 0).bits(3, subLayers).flag(true);
  bits.bits(8, 0x01).bits(32, 0x6000_0000).bits(32, 0x9000_0000).bits(16, 0).bits(8, 93);
  // Every sub-layer with profile and level.
  if (subLayers > 0) for (let i = 0; i < 8; i++) bits.bits(2, i < subLayers ? 3 : 0);
  for (let i = 0; i < subLayers * 3; i++) bits.bits(32, 0x1111_1111);
  ue(bits, 0, 1, 640, 368).flag(true);
  ue(bits, 0, 0, 0, 4, 0, 0, 4).flag(true);
  for (let i = 0; i <= subLayers; i++) ue(bits, 4, 2, 0);
  ue(bits, 0, 3, 0, 3, 0, 0);
  return bits.flag(false).bits(2, 0).flag(false);
}

const SPS_TL =
  '42010201600000030090000003000003005a0000a0050201e1659594aca949c2f01680800000030080000019304e4c370007a12000f425c001e848003d0910';
const VPS_TL = '40010c02ffff01600000030090000003000003005a00009594aca048';

describe('parseH265Sps', () => {
  it('reads two temporal layers, scaling lists and HRD', () => {
    expect(parseH265Sps(hex(SPS_TL))).toMatchObject({
      vpsId: 0,
      id: 0,
      temporalLayers: 2,
      temporalIdNesting: false,
      chromaFormatIdc: 1,
      bitDepthLuma: 8,
      log2MaxPicOrderCntLsb: 9 - 1,
      maxNumReorderPics: 2,
      width: 640,
      height: 480,
      vui: { timing: { numUnitsInTick: 1, timeScale: 50 }, fieldSeq: false },
    });
  });

  it('reads HDR10 colours', () => {
    const sps = parseH265Sps(
      hex('420101022000000300900000030000030078a00280802d136595952930bc05a84880482000007d20001d4c01'),
    );
    expect(sps?.vui?.colour).toEqual({
      fullRange: false,
      colourPrimaries: 9,
      transferCharacteristics: 16,
      matrixCoefficients: 9,
    });
    expect(sps?.bitDepthLuma).toBe(10);
  });

  it('steps over short-term and long-term reference pictures to the VUI', () => {
    const bits = startOfSps();
    ue(bits, 2, 1, 1, 0).flag(true);
    ue(bits, 0).flag(true);
    // Predicted from the first: delta -1, of three differences the second is not kept.
    bits.flag(true).flag(true);
    ue(bits, 0).bits(1, 1).bits(2, 0).bits(1, 1);
    bits.flag(true);
    ue(bits, 2).bits(8, 0xab).flag(true).bits(8, 0xcd).flag(false);
    bits.bits(2, 0).flag(true).bits(2, 0).bits(6, 0);
    bits.flag(true).bits(32, 1001).bits(32, 60_000).bits(4, 0).flag(true);
    const sps = parseH265Sps(bits.finish());
    expect(sps).toMatchObject({
      width: 640,
      height: 360,
      vui: { timing: { numUnitsInTick: 1001, timeScale: 60_000 } },
    });
  });

  it.each([1, 6])('steps over %d sub-layers with profile and level', (subLayers) => {
    const bits = ue(startOfSps(subLayers), 0).bits(4, 0).flag(true);
    expect(parseH265Sps(bits.finish())).toMatchObject({ temporalLayers: subLayers + 1, width: 640, height: 360 });
  });

  it.each([
    ['65 short-term sets', ue(startOfSps(), 65)],
    ['17 earlier pictures in a set', ue(startOfSps(), 1, 17, 0)],
    ['4 billion later pictures in a set', ue(startOfSps(), 1, 0).bits(31, 0).bits(32, 0xffff_ffff)],
    ['33 long-term pictures', ue(ue(startOfSps(), 0).flag(true), 33)],
  ])('refuses %s', (_name, bits) => {
    for (let i = 0; i < 20; i++) bits.bits(32, 0xffff_ffff);
    expect(parseH265Sps(bits.finish())).toBeUndefined();
  });

  it('is quick for sets full of zeros and ones', () => {
    const startMs = performance.now();
    for (const fill of [0, 0xff, 0xaa, 0x55]) {
      const bytes = new Uint8Array(1_000_000).fill(fill);
      bytes.set(hex(SPS_TL).subarray(0, 30));
      parseH265Sps(bytes);
    }
    expect(performance.now() - startMs).toBeLessThan(500);
  });

  it.each([
    ['a VPS', VPS_TL],
    ['an SPS of another layer', `4209${SPS_TL.slice(4)}`],
    ['a header', '4201'],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => {
    expect(parseH265Sps(hex(text))).toBeUndefined();
  });
});

describe('skipH265Hrd', () => {
  it('refuses 33 coded picture buffers', () => {
    const bits = new BitWriter().bits(3, 0b100).bits(23, 0).flag(true);
    const reader = new BitReader(ue(bits, 0, 32).bits(32, 0xffff_ffff).finish());
    skipH265Hrd(reader, true, 0);
    expect(reader.overrun).toBe(true);
  });

  it('steps over sub-picture parameters and low delay', () => {
    const bits = new BitWriter().bits(3, 0b111).bits(19, 0).bits(8, 0).bits(4, 0).bits(15, 0);
    bits.bits(3, 0b001); // not fixed, low delay: one buffer for NAL and one for VCL
    for (let i = 0; i < 2; i++) ue(bits, 1, 2, 3, 4).flag(true);
    const end = bits.position;
    const reader = new BitReader(bits.bits(32, 0).finish());
    skipH265Hrd(reader, true, 0);
    expect(reader.position).toBe(end);
  });
});

describe('parseH265Vps', () => {
  it('reads two temporal layers', () => {
    expect(parseH265Vps(hex(VPS_TL))).toMatchObject({
      id: 0,
      layers: 1,
      temporalLayers: 2,
      temporalIdNesting: false,
      profile: { profileIdc: 1, levelIdc: 90 },
    });
  });

  it('reads timing', () => {
    const bits = new BitWriter().bits(32, 0x4001_0c01).bits(16, 0xffff);
    bits.bits(32, 0x0160_0000).bits(32, 0).bits(32, 93).flag(true);
    ue(bits, 4, 2, 0).bits(6, 0);
    ue(bits, 0).flag(true).bits(32, 1).bits(32, 25).bits(3, 0).flag(true);
    expect(parseH265Vps(bits.finish())?.timing).toEqual({ numUnitsInTick: 1, timeScale: 25 });
  });

  it.each([
    ['reserved bits that are not ones', `40010c02fffe${VPS_TL.slice(12)}`],
    ['a cut', VPS_TL.slice(0, 30)],
    ['an SPS', SPS_TL],
  ])('refuses %s', (_name, text) => {
    expect(parseH265Vps(hex(text))).toBeUndefined();
  });
});

describe('parseH265Pps', () => {
  it.each([
    [
      '4401c073c189',
      {
        id: 0,
        spsId: 0,
        dependentSliceSegmentsEnabled: false,
        outputFlagPresent: false,
        extraSliceHeaderBits: 0,
      },
    ],
    ['4401', undefined],
    ['4201c073', undefined],
    ['440100000000', undefined],
  ])('%s', (text, expected) => {
    expect(parseH265Pps(hex(text))).toEqual(expected);
  });
});

describe('names of profiles and levels', () => {
  const profile = (profileIdc: number, constraints = '000000000000') => ({
    profileSpace: 0,
    isHighTier: false,
    profileIdc,
    compatibilityFlags: 0x6000_0000,
    constraintFlags: hex(constraints),
    levelIdc: 93,
  });

  it.each([
    [1, '900000000000', 'Main'],
    [2, '900000000000', 'Main 10'],
    [3, '900000000000', 'Main Still Picture'],
    [4, '998800000000', 'Main 12'],
    [4, '9d0800000000', 'Main 4:2:2 10'],
    [4, '990800000000', 'Main 4:2:2 12'],
    [4, '9c0800000000', 'Main 4:4:4 10'],
    [4, '9e0800000000', 'Main 4:4:4'],
    [4, '9c2800000000', 'Main 4:4:4 10 Intra'],
    [4, '902000000000', 'Main 4:4:4 16 Intra'],
    [4, '9e3000000000', 'Main 4:4:4 Still Picture'],
    [4, '9fc800000000', 'Monochrome'],
    [4, '000000000000', 'Range Extensions'],
    [9, '000000000000', 'Screen-Extended'],
    [31, '000000000000', 'profile 31'],
  ])('profile %d with %s is %s', (profileIdc, constraints, expected) => {
    expect(h265ProfileName(profile(profileIdc, constraints))).toBe(expected);
  });

  it.each([
    [30, '1.0'],
    [63, '2.1'],
    [93, '3.1'],
    [123, '4.1'],
    [186, '6.2'],
  ])('level_idc %d is level %s', (levelIdc, expected) => {
    expect(h265LevelName(levelIdc)).toBe(expected);
  });

  it.each([
    [{}, 'hvc1.1.6.L93'],
    [{ constraintFlags: hex('b00000000000') }, 'hvc1.1.6.L93.B0'],
    [{ constraintFlags: hex('900000000001') }, 'hvc1.1.6.L93.90.0.0.0.0.1'],
    [{ isHighTier: true, levelIdc: 153 }, 'hvc1.1.6.H153'],
    [{ profileSpace: 2 }, 'hvc1.B1.6.L93'],
    [{ compatibilityFlags: 0x2000_0000, profileIdc: 2 }, 'hvc1.2.4.L93'],
    [{ compatibilityFlags: 1 }, 'hvc1.1.80000000.L93'],
  ])('%j makes %s', (change, expected) => {
    expect(h265CodecString({ ...profile(1), ...change })).toBe(expected);
  });
});
