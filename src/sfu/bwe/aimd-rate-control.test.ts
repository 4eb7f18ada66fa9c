import { describe, expect, it } from 'vitest';
import { AimdRateControl, DECREASE_FACTOR } from './aimd-rate-control.ts';

function control(startBps = 1e6): AimdRateControl {
  return new AimdRateControl({ startBps, minBps: 30e3, maxBps: 20e6 });
}

describe('AimdRateControl', () => {
  it('grows by 8 % a second while the capacity is unknown', () => {
    const rate = control();
    for (let us = 0; us <= 1_000_000; us += 50_000) rate.update({ usage: 'normal', throughputBps: 1e6 }, us);
    expect(rate.targetBps / 1e6).toBeCloseTo(1.08, 2);
  });

  it('grows by about a packet a round trip near the capacity', () => {
    const rate = control();
    rate.setRtt(100_000);
    rate.update({ usage: 'overusing', throughputBps: 1e6 }, 0);
    const before = rate.targetBps;
    for (let us = 50_000; us <= 1_050_000; us += 50_000) rate.update({ usage: 'normal', throughputBps: 0.99e6 }, us);
    expect(rate.targetBps - before).toBeGreaterThan(40e3);
    expect(rate.targetBps - before).toBeLessThan(60e3);
  });

  it('does not grow past one and a half of what arrives, and stays where it is above that', () => {
    const rate = control();
    for (let us = 0; us <= 60_000_000; us += 100_000) rate.update({ usage: 'normal', throughputBps: 1e6 }, us);
    expect(rate.targetBps).toBe(1.51e6);
    for (let us = 60_000_000; us <= 70_000_000; us += 100_000) rate.update({ usage: 'normal', throughputBps: 2e5 }, us);
    expect(rate.targetBps).toBe(1.51e6);
  });

  it.each([
    ['to a part of the throughput', 800e3, 800e3 * DECREASE_FACTOR],
    ['to half when the throughput is unknown', undefined, 500e3],
    ['never up', 5e6, 900e3],
    ['never under the minimum', 10, 30e3],
  ])('falls %s on overuse', (_, throughputBps, expected) => {
    const rate = control();
    rate.update({ usage: 'overusing', throughputBps }, 0);
    expect(rate.targetBps).toBe(expected);
  });

  it('falls once a round trip, unless it has to by half', () => {
    const rate = control();
    rate.setRtt(150_000);
    rate.update({ usage: 'overusing', throughputBps: 900e3 }, 0);
    rate.update({ usage: 'overusing', throughputBps: 700e3 }, 100_000);
    expect(rate.targetBps).toBe(810e3);
    rate.update({ usage: 'overusing', throughputBps: 300e3 }, 110_000);
    expect(rate.targetBps).toBe(270e3);
    rate.update({ usage: 'overusing', throughputBps: 250e3 }, 300_000);
    expect(rate.targetBps).toBe(225e3);
  });

  it.each([
    ['underuse', { usage: 'underusing', throughputBps: 1e6 } as const],
    ['a queue that stands', { usage: 'normal', throughputBps: 1e6, mustHold: true } as const],
  ])('holds on %s', (_, input) => {
    const rate = control();
    for (let us = 0; us < 5_000_000; us += 100_000) rate.update(input, us);
    expect(rate.targetBps).toBe(1e6);
  });

  it('makes good at most a second, and nothing for a clock that goes back', () => {
    const rate = control();
    rate.update({ usage: 'normal', throughputBps: 2e6 }, 0);
    rate.update({ usage: 'normal', throughputBps: 2e6 }, 3_600_000_000);
    expect(rate.targetBps).toBeCloseTo(1.08e6, 0);
    rate.update({ usage: 'normal', throughputBps: 2e6 }, 0);
    expect(rate.targetBps).toBeCloseTo(1.08e6, 0);
  });

  it('keeps to its bounds', () => {
    const rate = control();
    rate.setEstimate(1e9, 0);
    expect(rate.targetBps).toBe(20e6);
    rate.setBounds(30e3, 500e3);
    expect(rate.targetBps).toBe(500e3);
    rate.setBounds(600e3, 700e3);
    expect(rate.targetBps).toBe(600e3);
    rate.reduce(1, 0);
    expect(rate.targetBps).toBe(600e3);
  });
});
