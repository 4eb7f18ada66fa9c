import { describe, expect, it } from 'vitest';
import { RetryCount } from './retry-count.ts';

describe('retries', () => {
  it.each([
    ['none', 0, [0], [false]],
    ['two in a row', 2, [0, 0, 0], [true, true, false]],
    ['anew after progress', 1, [0, 100, 200, 200], [true, true, true, false]],
    ['not anew without any since', 1, [100, 100], [true, false]],
  ])('%s', (_, retries, bytes, expected) => {
    const count = new RetryCount(retries);
    expect(bytes.map((sent) => count.mayRetry(sent))).toEqual(expected);
  });
});
