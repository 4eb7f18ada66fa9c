import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aacChannels,
  aacOutputSampleRate,
  parseAudioSpecificConfig,
  writeAudioSpecificConfig,
} from './audio-specific-config.ts';
import { AAC_SAMPLE_RATES } from './sampling-frequency.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const rate = fc.oneof(fc.constantFrom(...AAC_SAMPLE_RATES), fc.integer({ min: 1, max: 192_000 }));
const tag = fc.nat(15);
const elements = fc.array(fc.record({ isPair: fc.boolean(), tag }), { maxLength: 15 });
const programConfig = fc.record(
  {
    tag,
    objectType: fc.nat(3),
    samplingFrequencyIndex: tag,
    front: elements,
    side: elements,
    back: elements,
    lfe: fc.array(tag, { maxLength: 3 }),
    data: fc.array(tag, { maxLength: 7 }),
    coupling: fc.array(fc.record({ isIndependentlySwitched: fc.boolean(), tag }), { maxLength: 15 }),
    monoMixdown: tag,
    stereoMixdown: tag,
    matrixMixdown: fc.nat(7),
    comment: fc.uint8Array({ maxLength: 255 }),
  },
  {
    requiredKeys: [
      'tag',
      'objectType',
      'samplingFrequencyIndex',
      'front',
      'side',
      'back',
      'lfe',
      'data',
      'coupling',
      'comment',
    ],
  },
);
const core = {
  objectType: fc.constantFrom(1, 2, 3, 4, 6, 17, 20, 22),
  sampleRate: rate,
  frameLength: fc.constantFrom(1024, 960),
};
const sbr = fc.record({
  signalling: fc.constantFrom('hierarchical' as const, 'backward-compatible' as const),
  sampleRate: rate,
});
const config = fc.oneof(
  fc.record({ ...core, channelConfiguration: fc.integer({ min: 1, max: 15 }), ps: fc.constant(false) }),
  fc.record({ ...core, channelConfiguration: fc.constant(0), ps: fc.constant(false), programConfig }),
  fc.record({ ...core, channelConfiguration: fc.integer({ min: 1, max: 15 }), ps: fc.boolean(), sbr }),
  fc.record({ ...core, channelConfiguration: fc.constant(0), ps: fc.boolean(), sbr, programConfig }),
);

describe('AudioSpecificConfig', () => {
  it.each([
    ['1210', { objectType: 2, sampleRate: 44_100, channelConfiguration: 2, frameLength: 1024, ps: false }],
    ['1214', { frameLength: 960 }],
    ['17800ac44010', { objectType: 2, sampleRate: 5512, channelConfiguration: 8 }],
    ['2b920800', { objectType: 2, sampleRate: 22_050, sbr: { signalling: 'hierarchical', sampleRate: 44_100 } }],
    ['eb8a0800', { ps: true, channelConfiguration: 1, sbr: { signalling: 'hierarchical', sampleRate: 44_100 } }],
    ['139056e5a0', { ps: false, sbr: { signalling: 'backward-compatible', sampleRate: 44_100 } }],
    ['138856e5a54880', { ps: true, sbr: { signalling: 'backward-compatible', sampleRate: 44_100 } }],
    ['138856e5a54800', { ps: false, sbr: { signalling: 'backward-compatible', sampleRate: 44_100 } }],
    ['b98800', { objectType: 23, sampleRate: 48_000, frameLength: 512 }],
    ['b98c00', { frameLength: 480 }],
    ['f8e62000', { objectType: 39, sampleRate: 48_000, channelConfiguration: 1, frameLength: 512 }],
    ['f9464000', { objectType: 42, sampleRate: 48_000, channelConfiguration: 2 }],
  ] as const)('reads %s', (text, expected) => {
    expect(parseAudioSpecificConfig(hex(text))).toMatchObject(expected);
  });

  it.each([
    ['nothing', ''],
    ['one byte', '12'],
    ['a reserved rate', '1690'],
    ['object type 0', '0210'],
    ['a rate of 0 Hz', '17800000001000'],
    ['SBR around SBR', '2b921400'],
    ['a program config that is cut off', '12000504010020000d4c61'],
  ])('refuses %s', (_name, text) => {
    expect(parseAudioSpecificConfig(hex(text))).toBeUndefined();
  });

  it.each([['1210'], ['2b920800'], ['eb8a0800'], ['139056e5a0'], ['138856e5a54880']])('writes %s back', (text) => {
    const parsed = parseAudioSpecificConfig(hex(text));
    expect(parsed && toHex(writeAudioSpecificConfig(parsed))).toBe(text);
  });

  it('is the same after writing and parsing', () => {
    fc.assert(
      fc.property(config, (value) => {
        expect(parseAudioSpecificConfig(writeAudioSpecificConfig(value))).toEqual(value);
      }),
    );
  });

  it.each([
    ['1188', 1],
    ['1190', 2],
    ['11b0', 6],
    ['11b8', 8],
    ['11d8', 7],
    ['11f0', 8],
    ['11c8', 0],
  ])('%s has %d channels', (text, channels) => {
    const parsed = parseAudioSpecificConfig(hex(text));
    expect(parsed && aacChannels(parsed)).toBe(channels);
  });

  it('makes two channels of one by parametric stereo, at the rate after SBR', () => {
    const parsed = parseAudioSpecificConfig(hex('eb8a0800'));
    expect(parsed && aacChannels(parsed)).toBe(2);
    expect(parsed && aacOutputSampleRate(parsed)).toBe(44_100);
  });
});
