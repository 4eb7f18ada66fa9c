import { describe, expect, it } from 'vitest';
import { type SampleOrder, toNetworkOrder } from './sample-order.ts';

describe('toNetworkOrder', () => {
  it.each<[SampleOrder, number[], number[]]>([
    ['network', [1, 2, 3], [1, 2, 3]],
    ['little-16', [1, 2, 3, 4, 5], [2, 1, 4, 3, 5]],
    ['little-24', [1, 2, 3, 4, 5, 6, 7], [3, 2, 1, 6, 5, 4, 7]],
    ['signed-8', [0, 127, 128, 255], [128, 255, 0, 127]],
  ])('%s: %j is %j', (order, from, to) => {
    const samples = Uint8Array.from(from);
    toNetworkOrder(samples, order);
    expect([...samples]).toEqual(to);
  });
});
