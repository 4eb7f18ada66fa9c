import { describe, expect, it } from 'vitest';
import { LinkCapacity } from './link-capacity.ts';

describe('LinkCapacity', () => {
  it('knows nothing at first and takes any rate', () => {
    const capacity = new LinkCapacity();
    expect(capacity.bitrateBps).toBeUndefined();
    expect(capacity.upperBps).toBe(Number.POSITIVE_INFINITY);
    expect(capacity.lowerBps).toBe(0);
  });

  it('smooths what overuse shows and follows a probe faster', () => {
    const capacity = new LinkCapacity();
    capacity.onOveruse(1e6);
    capacity.onOveruse(1.1e6);
    expect(capacity.bitrateBps).toBeCloseTo(1.005e6, 0);
    capacity.onProbe(2.005e6);
    expect(capacity.bitrateBps).toBeCloseTo(1.505e6, 0);
  });

  it('holds bounds around it, never below 0', () => {
    const capacity = new LinkCapacity();
    capacity.onOveruse(1e6);
    expect(capacity.upperBps).toBeGreaterThan(1e6);
    expect(capacity.lowerBps).toBeLessThan(1e6);
    const tiny = new LinkCapacity();
    tiny.onOveruse(1);
    expect(tiny.lowerBps).toBe(0);
    tiny.reset();
    expect(tiny.bitrateBps).toBeUndefined();
  });
});
