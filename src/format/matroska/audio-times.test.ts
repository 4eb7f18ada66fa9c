import { describe, expect, it } from 'vitest';
import { AudioTimes } from './audio-times.ts';

const AAC_US = (1024 * 1_000_000) / 48_000;

describe('AudioTimes', () => {
  it('gives frames of 1024 samples their exact times back', () => {
    const times = new AudioTimes(1000);
    for (let i = 0; i < 1000; i++) {
      const exactUs = i * AAC_US;
      expect(times.next(Math.round(exactUs / 1000) * 1000, AAC_US)).toBe(Math.round(exactUs));
    }
  });

  it('gives frames behind another in a block the time behind it', () => {
    const times = new AudioTimes(1000);
    expect([times.next(5000, AAC_US), times.next(undefined, AAC_US), times.next(undefined, AAC_US)]).toEqual([
      5000, 26_333, 47_667,
    ]);
  });

  it('believes the file where it leaves a gap, and after a reset', () => {
    const times = new AudioTimes(1000);
    times.next(0, AAC_US);
    expect(times.next(500_000, AAC_US)).toBe(500_000);
    times.reset();
    expect(times.next(0, AAC_US)).toBe(0);
  });

  it('believes the file while durations are not known', () => {
    const times = new AudioTimes(1000);
    expect([1000, 1500, 2100].map((us) => times.next(us, 0))).toEqual([1000, 1500, 2100]);
  });
});
