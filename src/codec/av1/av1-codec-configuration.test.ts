import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  av1ConfigurationFromTemporalUnit,
  parseAv1CodecConfiguration,
  writeAv1CodecConfiguration,
} from './av1-codec-configuration.ts';
import { av1LevelName, av1ProfileName, parseAv1SequenceHeader } from './sequence-header.ts';
import { isAv1KeyFrame } from './temporal-unit.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

const RECORDS = [
  ['8 bit', '81080c000a0b00000042abbfc3700be001'],
  ['10 bit', '81014c000a0b0000000cc5036936be5010'],
  ['4:4:4', '812000000a0a200000043d03c8daf902'],
  ['monochrome', '81001c000a0a000000043cffbcdaf92a'],
  ['4:2:2 12 bit', '814068000a0e400000043cffbcdaf96848804a20'],
] as const;

describe('av1C', () => {
  it.each(RECORDS)('is written as FFmpeg wrote it: %s', (_name, text) => {
    const parsed = parseAv1CodecConfiguration(hex(text));
    expect(parsed && writeAv1CodecConfiguration(parsed)).toEqual(hex(text));
  });

  it.each(RECORDS)('is made again from its own sequence header: %s', (_name, text) => {
    const temporalUnit = hex(`1200${text.slice(8)}320110`);
    expect(av1ConfigurationFromTemporalUnit(temporalUnit)).toEqual(parseAv1CodecConfiguration(hex(text)));
  });

  it('is not made without a sequence header', () => {
    expect(av1ConfigurationFromTemporalUnit(hex('1200320110'))).toBeUndefined();
  });

  it('is the same after writing and parsing', () => {
    const base = {
      profile: fc.nat(7),
      levelIdx: fc.nat(31),
      tier: fc.nat(1),
      bitDepth: fc.constantFrom(8 as const, 10 as const, 12 as const),
      monochrome: fc.boolean(),
      subsamplingX: fc.boolean(),
      subsamplingY: fc.boolean(),
      chromaSamplePosition: fc.nat(3),
      configObus: fc.uint8Array({ maxLength: 30 }),
    };
    const withDelay = fc.record({ ...base, initialPresentationDelay: fc.integer({ min: 1, max: 16 }) });
    fc.assert(
      fc.property(fc.oneof(fc.record(base), withDelay), (value) => {
        expect(parseAv1CodecConfiguration(writeAv1CodecConfiguration(value))).toEqual(value);
      }),
    );
  });

  it.each([
    ['a cut', '81080c'],
    ['version 2', '82080c00'],
    ['no marker', '01080c00'],
  ])('with %s is refused', (_name, text) => {
    expect(parseAv1CodecConfiguration(hex(text))).toBeUndefined();
  });
});

describe('parseAv1SequenceHeader', () => {
  it('reads colours', () => {
    expect(parseAv1SequenceHeader(hex('400000043cffbcdaf96848804a20'))).toMatchObject({
      profile: 2,
      color: {
        bitDepth: 12,
        description: { colorPrimaries: 9, transferCharacteristics: 16, matrixCoefficients: 9 },
        fullRange: false,
        subsamplingX: true,
        subsamplingY: false,
      },
      filmGrainParamsPresent: false,
    });
  });

  it('reads timing and a decoder model', () => {
    // Main, timing info 1001/60000 with equal intervals of two ticks, decoder model, one operating point at 4.0 high tier.
    const bits = [
      '000 0 0 1',
      (1001).toString(2).padStart(32, '0'),
      (60_000).toString(2).padStart(32, '0'),
      '1 010',
      `1 00011 ${'0'.repeat(32)} 00000 00000`,
      '1 00000 000000000000 01000 1',
      '1 0000 0000 0',
      '1 0110',
      '0111 0111 11111111 11111111',
      '0 000 0000 0 1 1 000',
      '0 0 0 0 00 0',
      '0',
    ].join('');
    const packed = bits.replaceAll(' ', '').padEnd(400, '0').match(/.{8}/g) ?? [];
    expect(parseAv1SequenceHeader(Uint8Array.from(packed, (byte) => Number.parseInt(byte, 2)))).toMatchObject({
      levelIdx: 8,
      tier: 1,
      width: 256,
      height: 256,
      frameRate: 60_000 / 2002,
    });
  });

  it('is refused when cut anywhere', () => {
    const bytes = hex('00000042abbfc3700be001');
    for (let i = 0; i < 9; i++) expect(parseAv1SequenceHeader(bytes.subarray(0, i))).toBeUndefined();
  });

  it.each([
    [0, '2.0'],
    [8, '4.0'],
    [13, '5.1'],
    [31, 'maximum'],
  ])('level index %d is %s', (index, expected) => {
    expect(av1LevelName(index)).toBe(expected);
  });

  it('names profiles', () => {
    expect([0, 1, 2, 3].map(av1ProfileName)).toEqual(['Main', 'High', 'Professional', 'profile 3']);
  });
});

describe('isAv1KeyFrame', () => {
  it.each([
    ['shown key frame behind delimiter and sequence header', '12000a0b00000042abbfc3700be001320110', true],
    ['shown key frame without a sequence header', '320110', true],
    ['shown key frame in a frame header OBU', '1a0110', true],
    ['key frame that is kept back', '320100', false],
    ['inter frame', '320130', false],
    ['intra-only frame', '320150', false],
    ['earlier frame shown again', '1a01b8', false],
    ['sequence header only', '0a0b00000042abbfc3700be001', false],
    ['empty frame', '3200', false],
    ['nothing', '', false],
  ])('%s: %s', (_name, text, expected) => {
    expect(isAv1KeyFrame(hex(text))).toBe(expected);
  });

  it('is true for the picture of a reduced still-picture sequence, which has no frame type', () => {
    // still_picture and reduced header, level 2.0, 16 by 16, no tools, 4:2:0, no film grain.
    const header = hex('1800330f00000000');
    const found = parseAv1SequenceHeader(header);
    expect(found?.reducedStillPictureHeader).toBe(true);
    expect(isAv1KeyFrame(hex('0a081800330f00000000320100'))).toBe(true);
  });
});
