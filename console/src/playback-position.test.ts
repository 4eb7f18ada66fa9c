import { describe, expect, it } from 'vitest';
import { findJumpTarget, latencyToLiveEdge } from './playback-position.ts';

const RANGES = [
  { start: 10, end: 20 },
  { start: 25, end: 30 },
];

describe('the place in the buffer', () => {
  it('is behind the newest data by the latency', () => {
    expect(latencyToLiveEdge(RANGES, 28.5)).toBe(1.5);
    expect(latencyToLiveEdge(RANGES, 31)).toBe(0);
    expect(latencyToLiveEdge([], 3)).toBeNull();
  });

  it.each([
    ['before the first data', 0, 10],
    ['inside a stretch', 15, undefined],
    ['at the end of a stretch', 19.9, 25],
    ['in a hole', 22, 25],
    ['at the live edge', 30, undefined],
  ])('%s', (_, currentTime, target) => {
    expect(findJumpTarget(RANGES, currentTime)).toBe(target);
  });

  it('has nowhere to jump without data', () => {
    expect(findJumpTarget([], 0)).toBeUndefined();
  });
});
