import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findHevcNalUnit,
  hevcConfigurationFromNalUnits,
  parseHevcDecoderConfiguration,
  writeHevcDecoderConfiguration,
} from './hevc-decoder-configuration.ts';
import { H265_NAL } from './nal-unit-type.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

const MAIN_1080P =
  '01016000000090000000000078f000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030000030078959409a10001002b420101016000000300900000030000030078a003c0801107cb965654a4c2f0168080000003008000000f04a2000100064401c073c189';

const record = fc.record({
  profile: fc.record({
    profileSpace: fc.nat(3),
    isHighTier: fc.boolean(),
    profileIdc: fc.nat(31),
    compatibilityFlags: fc.nat(0xffff_ffff),
    constraintFlags: fc.uint8Array({ minLength: 6, maxLength: 6 }),
    levelIdc: fc.nat(255),
  }),
  minSpatialSegmentationIdc: fc.nat(4095),
  parallelismType: fc.nat(3),
  chromaFormatIdc: fc.nat(3),
  bitDepthLuma: fc.integer({ min: 8, max: 15 }),
  bitDepthChroma: fc.integer({ min: 8, max: 15 }),
  avgFrameRate: fc.nat(65_535),
  constantFrameRate: fc.nat(3),
  numTemporalLayers: fc.nat(7),
  temporalIdNested: fc.boolean(),
  lengthSize: fc.constantFrom(1, 2, 4),
  arrays: fc.array(
    fc.record({
      isComplete: fc.boolean(),
      nalType: fc.nat(63),
      nalUnits: fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 3 }),
    }),
    { maxLength: 5 },
  ),
});

describe('hvcC', () => {
  it('is written as FFmpeg wrote it', () => {
    const parsed = parseHevcDecoderConfiguration(hex(MAIN_1080P));
    expect(parsed && writeHevcDecoderConfiguration(parsed)).toEqual(hex(MAIN_1080P));
  });

  it('is the same after writing and parsing', () => {
    fc.assert(
      fc.property(record, (value) => {
        expect(parseHevcDecoderConfiguration(writeHevcDecoderConfiguration(value))).toEqual(value);
      }),
    );
  });

  it('is made again from its own NAL units', () => {
    const parsed = parseHevcDecoderConfiguration(hex(MAIN_1080P));
    const units = parsed?.arrays.flatMap((array) => array.nalUnits) ?? [];
    const made = hevcConfigurationFromNalUnits([hex('2801ac'), ...units.toReversed()]);
    // FFmpeg marks its arrays as not complete; here the sets are all there are.
    const arrays = parsed?.arrays.map((array) => ({ ...array, isComplete: true }));
    expect(made).toEqual({ ...parsed, arrays });
  });

  it('is not made without one of the three kinds', () => {
    const parsed = parseHevcDecoderConfiguration(hex(MAIN_1080P));
    const units = parsed?.arrays.flatMap((array) => array.nalUnits) ?? [];
    for (let i = 0; i < units.length; i++) {
      expect(hevcConfigurationFromNalUnits(units.filter((_unit, j) => j !== i))).toBeUndefined();
    }
  });

  it('finds a NAL unit whatever its array says', () => {
    const bytes = hex(MAIN_1080P);
    bytes[23] = 0x3f;
    const parsed = parseHevcDecoderConfiguration(bytes);
    expect(parsed && findHevcNalUnit(parsed, H265_NAL.vps)?.length).toBe(24);
    expect(parsed && findHevcNalUnit(parsed, H265_NAL.prefixSei)).toBeUndefined();
  });

  it('is refused when cut anywhere before its end', () => {
    const bytes = hex(MAIN_1080P);
    for (let i = 0; i < bytes.length; i++) expect(parseHevcDecoderConfiguration(bytes.subarray(0, i))).toBeUndefined();
  });

  it.each([
    ['version 2', `02${MAIN_1080P.slice(2)}`, false],
    ['version 0 with a profile', `00${MAIN_1080P.slice(2)}`, true],
    ['an Annex B start code', `00000001${MAIN_1080P.slice(8)}`, false],
  ])('with %s is taken: %s', (_name, text, isTaken) => {
    expect(parseHevcDecoderConfiguration(hex(text)) !== undefined).toBe(isTaken);
  });
});
