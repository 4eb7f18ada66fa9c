import { describe, expect, it } from 'vitest';
import { formatBitrate, formatProgress, formatTime, type Progress } from './progress-line.ts';

describe('progress line', () => {
  it('tells time, and rates since the sample before', () => {
    const before: Progress = { timeMs: 0, bytes: 0, frames: 0, pictures: 0 };
    const now: Progress = { timeMs: 2_040, bytes: 75_000, frames: 140, pictures: 50 };
    expect(formatProgress(now, before, 2_000)).toBe('time 0:00:02.0  bitrate 300 kb/s  frames 140  fps 25.0');
    expect(formatProgress({ ...now, bufferedBytes: 1 }, before, 2_000)).toMatch(/ {2}send buffer 1 kB$/);
    expect(formatProgress(now, now, 0)).toBe('time 0:00:02.0  bitrate 0 kb/s  frames 140  fps 0.0');
    expect(formatProgress({ ...now, note: 'connecting …' }, before, 2_000)).toBe('connecting …');
  });

  it.each([
    [0, '0:00:00.0'],
    [59_999, '0:00:59.9'],
    [3_600_000, '1:00:00.0'],
    [360_061_100, '100:01:01.1'],
  ])('%d ms is %s', (timeMs, text) => {
    expect(formatTime(timeMs)).toBe(text);
  });

  it.each([
    [0, '0 kb/s'],
    [999_400, '999 kb/s'],
    [4_500_000, '4.50 Mb/s'],
  ])('%d bits a second are %s', (bitrateBps, text) => {
    expect(formatBitrate(bitrateBps)).toBe(text);
  });
});
