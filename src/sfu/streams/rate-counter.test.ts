import { describe, expect, it } from 'vitest';
import { LayeredRateCounter } from './layered-rate-counter.ts';
import { LAYERED_RATE_WINDOW_MS, RATE_WINDOW_MS, RateCounter } from './rate-counter.ts';

describe('RateCounter', () => {
  it.each([
    [1000, 125, 10],
    [1_200_000, 1200, 8],
    [64_000, 160, 20],
  ])('measures %i bit/s of packets of %i bytes each %i ms', (bitrateBps, sizeBytes, everyMs) => {
    const counter = new RateCounter();
    const perPacketMs = (sizeBytes * 8000) / bitrateBps;
    expect(perPacketMs).toBeGreaterThanOrEqual(everyMs);
    for (let ms = 5000; ms <= 8000; ms += perPacketMs) counter.add(sizeBytes, ms);
    const measuredBps = counter.bitrateBps(8000);
    expect(Math.abs(measuredBps - bitrateBps)).toBeLessThanOrEqual(sizeBytes * 8 + bitrateBps * 0.02);
  });

  it('is 0 before anything came and one window after the last packet', () => {
    const counter = new RateCounter();
    expect(counter.bitrateBps(0)).toBe(0);
    counter.add(1000, 50);
    expect(counter.bitrateBps(50)).toBe(8000);
    expect(counter.bitrateBps(50 + RATE_WINDOW_MS - 20)).toBe(8000);
    expect(counter.bitrateBps(50 + RATE_WINDOW_MS)).toBe(0);
    expect([counter.packets, counter.bytes]).toEqual([1, 1000]);
  });

  it('counts in the newest bucket what its clock takes back', () => {
    const counter = new RateCounter();
    counter.add(100, 10_000);
    counter.add(100, 9_000);
    expect(counter.bitrateBps(10_000)).toBe(1600);
    expect(counter.bitrateBps(10_000 + RATE_WINDOW_MS)).toBe(0);
  });
});

describe('LayeredRateCounter', () => {
  const perSecond = LAYERED_RATE_WINDOW_MS / 1000;

  it('adds up what a layer depends on', () => {
    const counter = new LayeredRateCounter(2, 2);
    for (const [s, t, bytes] of [
      [0, 0, 100],
      [0, 1, 200],
      [1, 0, 1000],
      [1, 1, 2000],
    ] as const) {
      counter.add(bytes * perSecond, 100, s, t);
    }
    expect(counter.byLayer(100)).toEqual({ '0.0': 800, '0.1': 2400, '1.0': 8800, '1.1': 26_400 });
    expect(counter.requiredBps(100, 1, 1, 'independent')).toBe(24_000);
    expect(counter.layerBps(100, 1, 0)).toBe(8000);
    expect(counter.bitrateBps(100)).toBe(26_400);
  });

  it('requires nothing for a layer that is not sent', () => {
    const counter = new LayeredRateCounter(3, 1);
    counter.add(1000, 0, 0, 0);
    counter.add(1000, 0, 2, 0);
    expect(counter.requiredBps(0, 1, 0)).toBe(0);
    expect(counter.requiredBps(0, 2, 0)).toBeGreaterThan(0);
  });

  it('counts a layer beyond the announced ones in the highest', () => {
    const counter = new LayeredRateCounter(1, 2);
    counter.add(1000, 0, 5, 7);
    expect(counter.layerBps(0, 0, 1)).toBe(8000 / perSecond);
  });

  it('has no layers to tell of when there is one', () => {
    const counter = new LayeredRateCounter(1, 1);
    counter.add(1000, 0, 0, 0);
    expect(counter.byLayer(0)).toEqual({});
    expect(counter.requiredBps(0, 0, 0)).toBe(8000);
  });
});
