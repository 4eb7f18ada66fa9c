import { describe, expect, it } from 'vitest';
import {
  formatBitrate,
  formatChannels,
  formatCount,
  formatCounted,
  formatFrameRate,
  formatResolution,
  formatSampleRate,
  formatSeconds,
  formatUptime,
  sumKnown,
} from './format-quantity.ts';

/** No-break spaces are right on the page and unreadable in a table of expectations. */
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('quantities for people', () => {
  it.each([
    [null, '–'],
    [0, '0 b/s'],
    [999.4, '999 b/s'],
    [999.6, '1 kb/s'],
    [300_400, '300 kb/s'],
    [999_499, '999 kb/s'],
    [999_500, '1.0 Mb/s'],
    [1_250_000, '1.3 Mb/s'],
    [9_940_000, '9.9 Mb/s'],
    [9_950_000, '10 Mb/s'],
    [25_000_000, '25 Mb/s'],
  ])('shows a bitrate of %s as %s', (bitrateBps, text) => {
    expect(plain(formatBitrate(bitrateBps))).toBe(text);
  });

  it.each([
    [null, '–'],
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min 00 s'],
    [185, '3 min 05 s'],
    [3599, '59 min 59 s'],
    [3720, '1 h 02 min'],
    [86_399, '23 h 59 min'],
    [273_600, '3 d 4 h'],
  ])('shows an uptime of %s seconds as %s', (seconds, text) => {
    expect(plain(formatUptime(seconds))).toBe(text);
  });

  it.each([
    [formatSeconds(2), '2.0 s'],
    [formatSeconds(0.836, 2), '0.84 s'],
    [formatFrameRate(25), '25 fps'],
    [formatFrameRate(30_000 / 1001), '29.97 fps'],
    [formatResolution(1920, 1080), '1920 × 1080'],
    [formatResolution(1920, null), '–'],
    [formatSampleRate(44_100), '44.1 kHz'],
    [formatSampleRate(11_025), '11.025 kHz'],
    [formatChannels(1), 'mono'],
    [formatChannels(2), 'stereo'],
    [formatChannels(6), '5.1'],
    [formatChannels(3), '3 channels'],
    [formatCount(12_345), '12,345'],
    [formatCounted(1, 'viewer'), '1 viewer'],
    [formatCounted(0, 'viewer'), '0 viewers'],
    [formatCounted(null, 'viewer'), '– viewers'],
  ])('shows %s', (shown, text) => {
    expect(plain(shown)).toBe(text);
  });

  it('shows a dash for everything unknown', () => {
    const unknown = [formatSeconds, formatFrameRate, formatSampleRate, formatChannels, formatCount];
    expect(unknown.map((format) => format(null))).toEqual(unknown.map(() => '–'));
  });

  it('adds up what is known', () => {
    expect(sumKnown(1, null, undefined, 2)).toBe(3);
    expect(sumKnown(null, undefined)).toBeNull();
  });
});
