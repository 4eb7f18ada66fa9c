import { describe, expect, it } from 'vitest';
import { dvDetails, dvSystemOf, isFirstDifBlock } from './dv-system.ts';

describe('DV systems', () => {
  it('are known by their names, whatever the case', () => {
    expect(dvDetails('sd-vcr/625-50')).toEqual({
      width: 720,
      height: 576,
      frameRate: 25,
      profile: 'SD-VCR/625-50',
      level: '',
      codecString: 'dvc',
    });
    expect(dvDetails('SD-VCR/819-25')).toBeUndefined();
  });

  it.each([
    ['314M-50/525-60', 480, '314M-50/525-60'],
    ['DV', 480, 'SD-VCR/525-60'],
    ['DV', 576, 'SD-VCR/625-50'],
    ['DV', 720, undefined],
  ])('are found by profile %s and %i lines', (profile, height, expected) => {
    expect(dvSystemOf({ width: 720, height, profile, level: '', codecString: '' })).toBe(expected);
  });
});

describe('isFirstDifBlock', () => {
  it.each([
    ['a header block', [0x1f, 0x07, 0x00], true],
    ['a header block of the next sequence', [0x1f, 0x17, 0x00], false],
    ['a header block of the second channel', [0x1f, 0x0f, 0x00], false],
    ['a subcode block', [0x3f, 0x07, 0x00], false],
    ['another block', [0x1f, 0x07, 0x01], false],
    ['no block', [0x1f, 0x07], false],
  ])('of %s', (_, block, expected) => {
    expect(isFirstDifBlock(Uint8Array.from(block))).toBe(expected);
  });
});
