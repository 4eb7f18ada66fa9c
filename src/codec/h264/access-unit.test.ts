import { describe, expect, it } from 'vitest';
import { h264SliceType, isH264Idr } from './access-unit.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('h264SliceType', () => {
  // Slices of x264, types as ffprobe shows them.
  it.each([
    ['6588840057d4feb59e372c12', 'I'],
    ['419a216c457fbc79f9f0152a', 'P'],
    ['419a423c2193298457f137c4', 'P'],
    ['019ee66a42dfb4738245fdb0', 'B'],
    ['0688', undefined],
    ['41', undefined],
    ['', undefined],
    ['4100000000000000000000000000', undefined],
  ] as const)('%s: %s', (nalUnit, expected) => {
    expect(h264SliceType(hex(nalUnit))).toBe(expected);
  });
});

describe('isH264Idr', () => {
  it.each([
    [
      'IDR behind delimiter, SEI and parameter sets',
      '0000000209100000000206010000000267420000000268cb000000026588',
      true,
    ],
    ['IDR in Annex B', '0000000109100000016588840102', true],
    ['slice of type 1', '00000002419a', false],
    ['recovery point SEI and a slice of type 1', '00000004060601c400000002419a', false],
    ['data partition', '00000002429a00000002 6588'.replace(' ', ''), false],
    ['parameter sets only', '000000026742', false],
    ['nothing', '', false],
    ['IDR that is cut off', '0000000a6588', false],
  ] as const)('%s: %s', (_name, payload, expected) => {
    expect(isH264Idr(hex(payload), 4)).toBe(expected);
  });
});
