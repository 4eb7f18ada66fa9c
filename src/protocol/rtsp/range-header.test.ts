import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRange, type RtspRange, type SmpteTime, type SmpteType, smpteToUs, writeRange } from './range-header.ts';

const at = (iso: string): number => Date.parse(iso) * 1000;
const smpte = (hours: number, minutes: number, seconds: number, frames = 0, subframes = 0): SmpteTime => ({
  hours,
  minutes,
  seconds,
  frames,
  subframes,
});

describe('parseRange', () => {
  it.each<[string, RtspRange]>([
    ['npt=123.45-125', { type: 'npt', startUs: 123_450_000, endUs: 125_000_000 }],
    ['npt=12:05:35.3-', { type: 'npt', startUs: 43_535_300_000, endUs: undefined }],
    ['npt=now-', { type: 'npt', startUs: 'now', endUs: undefined }],
    ['npt=now-7', { type: 'npt', startUs: 'now', endUs: 7_000_000 }],
    ['npt=-20', { type: 'npt', startUs: undefined, endUs: 20_000_000 }],
    ['NPT = 30 - 10', { type: 'npt', startUs: 30_000_000, endUs: 10_000_000 }],
    ['npt=0.-0:0:01.', { type: 'npt', startUs: 0, endUs: 1_000_000 }],
    ['npt=0.1234567-', { type: 'npt', startUs: 123_456, endUs: undefined }],
    [
      'clock=19961108T142300Z-19961108T143520.25Z',
      { type: 'clock', startUs: at('1996-11-08T14:23:00Z'), endUs: at('1996-11-08T14:35:20Z') + 250_000 },
    ],
    ['clock=20240229T000000z-', { type: 'clock', startUs: at('2024-02-29T00:00:00Z'), endUs: undefined }],
    ['clock=-19700101T000001Z', { type: 'clock', startUs: undefined, endUs: 1_000_000 }],
    ['smpte=10:07:33:05.01-10:07:33', { type: 'smpte', start: smpte(10, 7, 33, 5, 1), end: smpte(10, 7, 33) }],
    ['smpte-25=10:07:33:24-', { type: 'smpte-25', start: smpte(10, 7, 33, 24), end: undefined }],
    ['smpte-30-drop=0:00:01-', { type: 'smpte-30-drop', start: smpte(0, 0, 1), end: undefined }],
    [
      'npt=5-;time=19970123T143720Z',
      { type: 'npt', startUs: 5_000_000, endUs: undefined, timeUs: at('1997-01-23T14:37:20Z') },
    ],
    ['npt=5-; other=1', { type: 'npt', startUs: 5_000_000, endUs: undefined }],
  ])('reads %j', (text, expected) => {
    expect(parseRange(text)).toEqual(expected);
  });

  it.each([
    '',
    'npt',
    'npt=',
    'npt=-',
    'npt=5',
    'npt=x-',
    'npt=-x',
    'npt=-5-',
    'npt=1:60:00-',
    'npt=1:2-',
    'npt=1e3-',
    'npt=12345678901-',
    'smpte=1:00:00:30-',
    'smpte-25=1:00:00:25-',
    'smpte=1:00-',
    'smtpe=1:00:00-',
    'clock=19961308T142300Z-',
    'clock=20230229T000000Z-',
    'clock=19961108T142300-',
    'clock=19961108T242300Z-',
    'clock=23000101T000000Z-',
    'npt=5-;time=now',
    'bytes=0-1',
  ])('refuses %j', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });
});

describe('writeRange', () => {
  it.each([
    'npt=0.000-',
    'npt=28.023-30.500',
    'npt=1.234567-',
    'npt=now-',
    'npt=-3.000',
    'clock=19961108T142300Z-19961108T143520.25Z',
    'smpte=10:07:33:05.01-',
    'smpte-25=10:07:00-10:07:33:05',
    'npt=0.000-;time=19970123T143720Z',
  ])('writes %j as it was read', (text) => {
    expect(writeRange(parseRange(text)!)).toBe(text);
  });

  it('is read again as what was written', () => {
    const us = fc.integer({ min: 0, max: 10 ** 15 - 1 });
    const optional = fc.option(us, { nil: undefined });
    const utc = fc.option(fc.integer({ min: -9e15, max: 9e15 }), {
      nil: undefined,
    });
    const time = fc.record({
      hours: fc.nat(99),
      minutes: fc.nat(59),
      seconds: fc.nat(59),
      frames: fc.nat(24),
      subframes: fc.nat(99),
    });
    const range = fc.oneof(
      fc.record({
        type: fc.constant('npt' as const),
        startUs: fc.oneof(fc.constant('now' as const), optional),
        endUs: optional,
      }),
      fc.record({ type: fc.constant('clock' as const), startUs: utc, endUs: utc }),
      fc.record({
        type: fc.constantFrom<SmpteType>('smpte', 'smpte-25', 'smpte-30-drop'),
        start: fc.option(time, { nil: undefined }),
        end: fc.option(time, { nil: undefined }),
      }),
    );
    fc.assert(
      fc.property(range, (value) => {
        const isEmpty = Object.values(value).filter((part) => part !== undefined).length === 1;
        expect(parseRange(writeRange(value))).toEqual(isEmpty ? undefined : value);
      }),
    );
  });
});

describe('smpteToUs', () => {
  it.each<[SmpteType, SmpteTime, number]>([
    ['smpte-25', smpte(1, 0, 0, 5, 50), 3_600_220_000],
    ['smpte', smpte(0, 0, 1), 1_001_000],
    // 17,982 frames of 1001/30000 s: ten minutes of drop frames are 600 s but for 0.6 ms.
    ['smpte-30-drop', smpte(0, 10, 0), 599_999_400],
    ['smpte-30-drop', smpte(0, 1, 0, 2), 60_060_000],
  ])('takes %s', (type, time, us) => {
    expect(smpteToUs(type, time)).toBe(us);
  });
});
