import { describe, expect, it } from 'vitest';
import { h264ProfileLevelIdForAnswer, isSameH264Profile } from './h264-profile.ts';

const of = (id: string | undefined, asymmetry?: number | string): Record<string, unknown> => ({
  ...(id === undefined ? {} : { 'profile-level-id': id }),
  ...(asymmetry === undefined ? {} : { 'level-asymmetry-allowed': asymmetry }),
});

describe('isSameH264Profile', () => {
  it.each([
    [undefined, undefined, true],
    [undefined, '42e01f', true],
    [undefined, '42001f', false],
    ['42e01f', '42e034', true],
    ['42e01f', '4d801f', true],
    ['42e01f', '58c01f', true],
    ['42e01f', '42C01F', true],
    ['42001f', '42e01f', false],
    ['4d0032', '4d001f', true],
    ['4d0032', '64001f', false],
    ['64001f', '640c1f', false],
    ['f4001f', 'f40028', true],
    ['CHICKEN', 'CHICKEN', false],
    ['42e0', '42e0', false],
    ['000000', '000000', false],
    ['42e0ff', '42e0ff', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(isSameH264Profile(of(a), of(b))).toBe(expected);
    expect(isSameH264Profile(of(b), of(a))).toBe(expected);
  });
});

describe('h264ProfileLevelIdForAnswer', () => {
  it.each([
    ['neither names one', of(undefined), of(undefined), undefined],
    ['the lower level of the peer', of('42e034'), of('42e01f'), '42e01f'],
    ['the lower level of ours', of('42e015'), of('42e01f'), '42e015'],
    ['our level where both allow asymmetry', of('42e034', 1), of('42e01f', '1'), '42e034'],
    ['the lower level where one does not', of('42e034', 1), of('42e01f', 0), '42e01f'],
    ['our profile as it is written', of('58c01f'), of('42e01f'), '42e01f'],
    ['level 1b above 1', of('42e00a'), of('42f00b'), '42e00a'],
    ['level 1b below 1.1', of('42f00b'), of('42e00b'), '42f00b'],
    ['level 1b of main', of('4d100b'), of('4d0028'), '4d100b'],
    ['what is missing as 3.1', of(undefined), of('42e034'), '42e01f'],
    ['nonsense as nothing', of('CHICKEN'), of('42e034'), undefined],
  ])('answers %s', (_, local, remote, expected) => {
    expect(h264ProfileLevelIdForAnswer(local, remote)).toBe(expected);
  });
});
