import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  avcConfigurationFromNalUnits,
  parseAvcDecoderConfiguration,
  writeAvcDecoderConfiguration,
} from './avc-decoder-configuration.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

const BASELINE = '0142c00affe100166742c00ad902c4ec0440000003004000000783c4899201000568cb83cb20';
const HIGH_422 = '017a001fffe10019677a001fb6cd9405005bb01100000303e90000ea600f18319601000668ebe3cb22c0fefafa00';

const nalUnits = fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { maxLength: 5 });
const record = fc.record({
  profileIdc: fc.constantFrom(100, 110, 122, 244),
  constraintFlags: fc.nat(255),
  levelIdc: fc.nat(255),
  lengthSize: fc.constantFrom(1, 2, 4),
  sequenceParameterSets: nalUnits,
  pictureParameterSets: nalUnits,
  high: fc.record({
    chromaFormatIdc: fc.nat(3),
    bitDepthLuma: fc.integer({ min: 8, max: 15 }),
    bitDepthChroma: fc.integer({ min: 8, max: 15 }),
    spsExtensions: nalUnits,
  }),
});

describe('avcC', () => {
  it.each([BASELINE, HIGH_422])('is written as x264 wrote it: %s', (text) => {
    const parsed = parseAvcDecoderConfiguration(hex(text));
    expect(parsed && writeAvcDecoderConfiguration(parsed)).toEqual(hex(text));
  });

  it('is the same after writing and parsing', () => {
    fc.assert(
      fc.property(record, (value) => {
        expect(parseAvcDecoderConfiguration(writeAvcDecoderConfiguration(value))).toEqual(value);
      }),
    );
  });

  it('has the fields of high profiles', () => {
    expect(parseAvcDecoderConfiguration(hex(HIGH_422))).toMatchObject({
      lengthSize: 4,
      high: { chromaFormatIdc: 2, bitDepthLuma: 10, bitDepthChroma: 10, spsExtensions: [] },
    });
  });

  it.each([4, 3, 2, 1])('does without its last %d bytes in a high profile', (missing) => {
    const parsed = parseAvcDecoderConfiguration(hex(HIGH_422).subarray(0, -missing));
    expect(parsed?.pictureParameterSets).toHaveLength(1);
    expect(parsed?.high).toBeUndefined();
  });

  it('ignores bytes behind it', () => {
    expect(parseAvcDecoderConfiguration(hex(`${BASELINE}aabbccddee`))).toEqual(
      parseAvcDecoderConfiguration(hex(BASELINE)),
    );
  });

  it('is refused when cut anywhere before its end', () => {
    const bytes = hex(BASELINE);
    for (let i = 0; i < bytes.length; i++) expect(parseAvcDecoderConfiguration(bytes.subarray(0, i))).toBeUndefined();
  });

  it('is refused with another version', () => {
    expect(parseAvcDecoderConfiguration(hex(`00${BASELINE.slice(2)}`))).toBeUndefined();
  });

  it.each([BASELINE, HIGH_422])('is made again from its own NAL units: %s', (text) => {
    const parsed = parseAvcDecoderConfiguration(hex(text));
    const units = [...(parsed?.pictureParameterSets ?? []), ...(parsed?.sequenceParameterSets ?? []), hex('6588')];
    expect(avcConfigurationFromNalUnits(units)).toEqual(parsed);
  });

  it('is not made without SPS or PPS', () => {
    expect(avcConfigurationFromNalUnits([hex('68cb83cb20')])).toBeUndefined();
    expect(avcConfigurationFromNalUnits([hex('6742c00ad902c4ec')])).toBeUndefined();
  });
});
