import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_NACK_AGE,
  MAX_NACK_LIST,
  MAX_NACK_RETRIES,
  NACK_INITIAL_DELAY_MS,
  NACK_INTERVAL_MS,
  NackGenerator,
} from './nack-generator.ts';

const RETRY_MS = 100;

describe('NackGenerator', () => {
  it.each([0, 1, 32_767, 32_768, 65_534, 65_535])('asks for what is missing behind %i, after a delay', (first) => {
    const nack = new NackGenerator();
    expect(nack.receive(first, 0)).toBe('newest');
    expect(nack.nextTimeoutMs()).toBeUndefined();
    expect(nack.receive((first + 3) & 0xffff, 5)).toBe('newest');
    expect(nack.nextTimeoutMs()).toBe(5 + NACK_INITIAL_DELAY_MS);
    expect(nack.take(14)).toEqual([]);
    expect(nack.take(15)).toEqual([(first + 1) & 0xffff, (first + 2) & 0xffff]);
    expect(nack.take(16)).toEqual([]);
    expect(nack.receive((first + 2) & 0xffff, 20)).toBe('repaired');
    expect(nack.receive((first + 2) & 0xffff, 20)).toBe('unexpected');
    expect(nack.take(15 + RETRY_MS)).toEqual([(first + 1) & 0xffff]);
  });

  it('does not ask for what was only overtaken', () => {
    const nack = new NackGenerator();
    nack.receive(1, 0);
    nack.receive(3, 0);
    expect(nack.receive(2, 4)).toBe('late');
    expect(nack.nextTimeoutMs()).toBeUndefined();
    expect(nack.take(1000)).toEqual([]);
  });

  it.each([
    [5, NACK_INTERVAL_MS],
    [250, 250],
    [Number.NaN, RETRY_MS],
  ])('asks again after the round trip of %d ms, but not sooner than the interval', (rttMs, intervalMs) => {
    const nack = new NackGenerator();
    nack.setRtt(rttMs);
    nack.receive(1, 0);
    nack.receive(3, 0);
    expect(nack.take(10)).toEqual([2]);
    expect(nack.nextTimeoutMs()).toBe(10 + intervalMs);
  });

  it('gives up after so many requests', () => {
    const nack = new NackGenerator();
    nack.receive(1, 0);
    nack.receive(3, 0);
    let asked = 0;
    for (let ms = 0; ms < 10_000; ms += 5) asked += nack.take(ms).length;
    expect(asked).toBe(MAX_NACK_RETRIES);
    expect([nack.length, nack.givenUp, nack.nextTimeoutMs()]).toEqual([0, 1, undefined]);
    expect(nack.receive(2, 10_000)).toBe('unexpected');
  });

  it('wants a key frame when more is missing than it holds', () => {
    const nack = new NackGenerator();
    nack.receive(0, 0);
    nack.receive(MAX_NACK_LIST + 1, 0);
    expect([nack.length, nack.takeKeyFrameWish()]).toEqual([MAX_NACK_LIST, false]);
    nack.receive(MAX_NACK_LIST + 3, 0);
    expect([nack.length, nack.takeKeyFrameWish(), nack.takeKeyFrameWish()]).toEqual([0, true, false]);
    expect(nack.givenUp).toBe(MAX_NACK_LIST + 1);
  });

  it('gives up what is before a key frame first', () => {
    const nack = new NackGenerator();
    nack.receive(0, 0);
    nack.receive(601, 0);
    nack.receive(602, 0, true);
    nack.receive(1103, 0);
    expect([nack.length, nack.givenUp, nack.takeKeyFrameWish()]).toEqual([500, 600, false]);
    expect(nack.take(100)[0]).toBe(603);
  });

  it('gives up what is too far behind', () => {
    const nack = new NackGenerator();
    nack.receive(0, 0);
    nack.receive(2, 0);
    for (let n = 3; n <= MAX_NACK_AGE + 1; n++) nack.receive(n, 0);
    expect(nack.length).toBe(1);
    nack.receive(MAX_NACK_AGE + 2, 0);
    expect(nack.length).toBe(0);
  });

  it('knows nothing of before after a reset', () => {
    const nack = new NackGenerator();
    nack.receive(1, 0);
    nack.receive(5, 0);
    nack.reset();
    expect(nack.length).toBe(0);
    expect(nack.receive(40_000, 1)).toBe('newest');
    expect(nack.take(100)).toEqual([]);
  });

  it('repairs every packet of a lossy, reordering link or gives it up within its bounds', () => {
    const trip = fc.record({
      lost: fc.double({ min: 0, max: 0.4, noNaN: true }),
      answerLost: fc.double({ min: 0, max: 0.6, noNaN: true }),
      first: fc.nat(0xffff),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(trip, ({ lost, answerLost, first, seed }) => {
        const random = randomOf(seed);
        const nack = new NackGenerator();
        const missing = new Set<number>();
        const asked = new Map<number, number>();
        const underWay: { readonly number: number; readonly atMs: number }[] = [];
        for (let ms = 0; ms < 6000; ms++) {
          if (ms < 3000 && ms % 5 === 0) {
            const number = (first + ms / 5) & 0xffff;
            // Both ends arrive, or it is not known that anything was missing.
            const isKept = ms === 0 || ms === 2995 || random() >= lost;
            missing.add(number);
            if (isKept) underWay.push({ number, atMs: ms + (ms === 0 || ms === 2995 ? 0 : Math.floor(random() * 12)) });
          }
          for (const number of nack.take(ms)) {
            expect(missing.has(number)).toBe(true);
            asked.set(number, (asked.get(number) ?? 0) + 1);
            if (random() >= answerLost) underWay.push({ number, atMs: ms + 20 });
          }
          for (const { number, atMs } of underWay) {
            if (atMs !== ms) continue;
            nack.receive(number, ms);
            missing.delete(number);
          }
          expect(nack.length).toBeLessThanOrEqual(MAX_NACK_LIST);
        }
        expect(nack.length).toBe(0);
        for (const count of asked.values()) expect(count).toBeLessThanOrEqual(MAX_NACK_RETRIES);
        for (const number of missing) expect(asked.get(number)).toBe(MAX_NACK_RETRIES);
      }),
      { numRuns: 30 },
    );
  });
});

function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}
