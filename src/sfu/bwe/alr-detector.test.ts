import { describe, expect, it } from 'vitest';
import { AlrDetector } from './alr-detector.ts';

function feed(detector: AlrDetector, fromMs: number, untilMs: number, bps: number): void {
  for (let ms = fromMs; ms < untilMs; ms += 10) detector.onSent(bps / 800, ms * 1000);
}

describe('AlrDetector', () => {
  it.each([
    [0.1, true],
    [0.4, true],
    [0.9, false],
    [1, false],
    [2, false],
  ])('a source that sends %f of the target is limited: %s', (part, expected) => {
    const detector = new AlrDetector(1e6);
    feed(detector, 0, 5000, part * 1e6);
    expect(detector.isLimited).toBe(expected);
  });

  it('ends soon after the source sends more, and says since when it was', () => {
    const detector = new AlrDetector(1e6);
    feed(detector, 0, 3000, 1e5);
    expect(detector.sinceUs).toBeGreaterThan(300_000);
    expect(detector.sinceUs).toBeLessThan(1_000_000);
    feed(detector, 3000, 3700, 1e6);
    expect(detector.sinceUs).toBeUndefined();
  });

  it('notices silence when asked', () => {
    const detector = new AlrDetector(1e6);
    feed(detector, 0, 1000, 1e6);
    for (let ms = 1000; ms < 3000; ms += 100) detector.onSent(0, ms * 1000);
    expect(detector.isLimited).toBe(true);
  });

  it('survives a target of nothing and a clock that goes back', () => {
    const detector = new AlrDetector(0);
    feed(detector, 0, 1000, 1e6);
    expect(detector.isLimited).toBe(false);
    detector.setTarget(1e6);
    detector.onSent(10, 0);
    expect(detector.isLimited).toBe(false);
  });
});
