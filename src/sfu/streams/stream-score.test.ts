import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ntpMiddle, toNtpTime } from '../../wire/ntp-time.ts';
import { MAX_ROUND_TRIP_MS, roundTripMs } from './round-trip.ts';
import { MAX_SCORE, StreamScore, scoreOf } from './stream-score.ts';

describe('scoreOf', () => {
  it.each([
    [{ packets: 100, lost: 0, repaired: 0, retransmitted: 0 }, 10],
    [{ packets: 100, lost: 1, repaired: 0, retransmitted: 0 }, 10],
    [{ packets: 100, lost: 5, repaired: 0, retransmitted: 0 }, 8],
    [{ packets: 100, lost: 10, repaired: 0, retransmitted: 0 }, 7],
    [{ packets: 100, lost: 10, repaired: 10, retransmitted: 10 }, 9],
    [{ packets: 100, lost: 10, repaired: 10, retransmitted: 40 }, 7],
    [{ packets: 100, lost: 50, repaired: 0, retransmitted: 0 }, 1],
    [{ packets: 100, lost: 100, repaired: 0, retransmitted: 0 }, 0],
    [{ packets: 100, lost: 900, repaired: 900, retransmitted: 900 }, 0],
    [{ packets: 100, lost: -9, repaired: 9, retransmitted: 9 }, 10],
    [{ packets: 0, lost: 0, repaired: 0, retransmitted: 0 }, undefined],
  ])('%o is %s', (interval, score) => {
    expect(scoreOf(interval)).toBe(score);
  });

  it('is within its range, and no better with more loss', () => {
    const count = fc.nat(2000);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), count, count, count, (packets, lost, repaired, retransmitted) => {
        const score = scoreOf({ packets, lost, repaired: 0, retransmitted: 0 })!;
        expect(scoreOf({ packets, lost: lost + 1, repaired: 0, retransmitted: 0 })!).toBeLessThanOrEqual(score);
        const any = scoreOf({ packets, lost, repaired, retransmitted })!;
        expect(any).toBeGreaterThanOrEqual(0);
        expect(any).toBeLessThanOrEqual(MAX_SCORE);
      }),
    );
  });
});

describe('StreamScore', () => {
  const good = { packets: 100, lost: 0, repaired: 0, retransmitted: 0 };
  const bad = { packets: 100, lost: 100, repaired: 0, retransmitted: 0 };

  it('leans to the newest intervals', () => {
    const [rising, falling] = [new StreamScore(), new StreamScore()];
    for (const interval of [bad, bad, good, good]) rising.update(interval);
    for (const interval of [good, good, bad, bad]) falling.update(interval);
    expect([rising.value, falling.value]).toEqual([7, 3]);
  });

  it('forgets the oldest', () => {
    const score = new StreamScore();
    score.update(bad);
    expect(score.value).toBe(0);
    for (let i = 0; i < 24; i++) score.update(good);
    expect(score.value).toBe(10);
  });

  it('stays when nothing was sent, and starts anew when it is set', () => {
    const score = new StreamScore(5);
    score.update({ ...bad, packets: 0 });
    expect(score.value).toBe(5);
    score.update(bad);
    score.reset(10);
    expect(score.value).toBe(10);
    score.update(good);
    expect(score.value).toBe(10);
  });
});

describe('roundTripMs', () => {
  const sent = ntpMiddle(toNtpTime(1_700_000_000_000));
  it.each([
    [sent, 0, 100, 100],
    [sent, 32_768, 600, 100],
    [sent, 0, 0, 0],
    [sent, 30, 0, 0],
    [sent, 65_536, 500, undefined],
    [0, 0, 100, undefined],
    [sent, 0, MAX_ROUND_TRIP_MS + 1000, undefined],
  ])('of a report at %i, answered after %i units, at %i ms', (lastReport, delay, nowMs, rttMs) => {
    const measured = roundTripMs(lastReport, delay, toNtpTime(1_700_000_000_000 + nowMs));
    if (rttMs === undefined) expect(measured).toBeUndefined();
    else expect(measured).toBeCloseTo(rttMs, 0);
  });
});
