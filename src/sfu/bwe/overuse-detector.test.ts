import { describe, expect, it } from 'vitest';
import { INITIAL_THRESHOLD_MS, MAX_THRESHOLD_MS, MIN_THRESHOLD_MS, OveruseDetector } from './overuse-detector.ts';

function usages(trends: readonly number[], sendDeltaMs = 10): string[] {
  const detector = new OveruseDetector();
  return trends.map((trend, i) => detector.update(trend, sendDeltaMs, i * sendDeltaMs));
}

describe('OveruseDetector', () => {
  it.each([
    ['a trend under the threshold is normal', [0, 5, 10], 'normal'],
    ['one group over it is not overuse yet', [30], 'normal'],
    ['a trend that stays over it is', [30, 31, 32], 'overusing'],
    ['a trend that is over it and falls is not', [90, 60, 40], 'normal'],
    ['a trend far below is underuse', [0, -30], 'underusing'],
    ['overuse ends under the threshold', [30, 31, 32, 0], 'normal'],
    ['overuse lasts while the trend is over it', [30, 31, 32, 31, 30], 'overusing'],
  ])('%s', (_, trends, expected) => {
    expect(usages(trends).at(-1)).toBe(expected);
  });

  it('lets the threshold down on a quiet path, to its bound', () => {
    const detector = new OveruseDetector();
    for (let i = 0; i < 1000; i++) detector.update(0, 10, i * 10);
    expect(detector.thresholdMs).toBe(MIN_THRESHOLD_MS);
  });

  it('lets it up on a noisy one, slowly and within its bound', () => {
    const detector = new OveruseDetector();
    let trend = INITIAL_THRESHOLD_MS + 10;
    for (let i = 0; i < 100_000; i++) {
      detector.update(trend, 10, i * 10);
      trend = detector.thresholdMs + 10;
    }
    expect(detector.thresholdMs).toBeLessThanOrEqual(MAX_THRESHOLD_MS);
    expect(detector.thresholdMs).toBeGreaterThan(500);
  });

  it('does not follow a sudden change', () => {
    const detector = new OveruseDetector();
    detector.update(0, 10, 0);
    const before = detector.thresholdMs;
    detector.update(before + 16, 10, 10);
    expect(detector.thresholdMs).toBe(before);
  });

  it('takes a clock that goes back for one that stands', () => {
    const detector = new OveruseDetector();
    detector.update(0, 10, 1000);
    const before = detector.thresholdMs;
    detector.update(0, 10, 0);
    expect(detector.thresholdMs).toBe(before);
  });
});
