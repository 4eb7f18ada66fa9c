import { describe, expect, it } from 'vitest';
import { type BitrateTaker, distributeBitrate } from './bitrate-distribution.ts';

interface TestTaker extends BitrateTaker {
  taken: number | undefined;
}

function taker(priority: number, bitrates: readonly number[], hasLayers = true): TestTaker {
  const made: TestTaker = {
    priority,
    hasLayers,
    taken: undefined,
    layerBitrates: () => bitrates,
    takeLayer: (index) => {
      made.taken = index;
    },
  };
  return made;
}

const LAYERS = [100, 300, 900];

describe('distributeBitrate', () => {
  it.each<[string, number, readonly [number, number], readonly [number, number]]>([
    ['nothing for anybody', 0, [1, 1], [-1, -1]],
    ['room for one', 100, [1, 1], [0, -1]],
    ['room for one, the other before', 100, [1, 2], [-1, 0]],
    ['the lowest to each before more to anybody', 399, [5, 1], [0, 0]],
    ['a layer more for the first', 400, [1, 1], [1, 0]],
    ['a layer more to who comes before', 400, [1, 2], [0, 1]],
    ['the same to both by turns', 600, [1, 1], [1, 1]],
    ['by turns even when all of it would do for one', 1000, [1, 1], [1, 1]],
    ['two layers at a turn to who has twice the priority', 1000, [1, 2], [0, 2]],
    ['three turns and no more than there is', 5000, [1, 1], [2, 2]],
  ])('gives %s', (_, availableBps, priorities, indexes) => {
    const takers = priorities.map((priority) => taker(priority, LAYERS));
    expect(distributeBitrate(takers, availableBps, 0)).toBe(1800);
    expect(takers.map(({ taken }) => taken)).toEqual(indexes);
  });

  it('goes over a layer that takes more than the one above it', () => {
    const one = taker(1, [100, 500, 300]);
    distributeBitrate([one], 350, 0);
    expect(one.taken).toBe(2);
  });

  it('begins with the layer that takes least', () => {
    const one = taker(1, [400, 100]);
    distributeBitrate([one], 150, 0);
    expect(one.taken).toBe(1);
  });

  it.each([
    [75, 0],
    [74, -1],
  ])('sends a lowest layer of 100 where there is room for %i', (availableBps, index) => {
    const one = taker(1, LAYERS);
    distributeBitrate([one], availableBps, 0);
    expect(one.taken).toBe(index);
  });

  it('leaves to the others what is left by those who have no choice', () => {
    const [fixed, layered] = [taker(1, [700], false), taker(1, LAYERS)];
    distributeBitrate([fixed, layered], 1000, 0);
    expect([fixed.taken, layered.taken]).toEqual([0, 1]);
    distributeBitrate([fixed, layered], 500, 0);
    expect([fixed.taken, layered.taken]).toEqual([0, -1]);
  });

  it('gives nothing to who has nothing to send', () => {
    const one = taker(1, []);
    expect(distributeBitrate([one], 1000, 0)).toBe(0);
    expect(one.taken).toBe(-1);
  });
});
