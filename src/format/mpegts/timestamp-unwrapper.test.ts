import { describe, expect, it } from 'vitest';
import { TimestampUnwrapper } from './timestamp-unwrapper.ts';

const MODULUS = 2 ** 33;

describe('TimestampUnwrapper', () => {
  it.each([
    [
      'goes on over the wrap',
      [MODULUS - 90, 0, 90],
      [95_443_716_000, 95_443_717_000, 95_443_718_000].map((us) => us + 688.89),
    ],
    ['goes back over the wrap', [90, MODULUS - 90, 90], [1000, 0, 1000]],
    ['leaves jumps below half the range as they are', [0, 90_000 * 3600, 0], [0, 3_600_000_000, 0]],
  ])('%s', (_, input, expected) => {
    const times = new TimestampUnwrapper();
    expect(input.map((ticks) => times.toUs(ticks))).toEqual(expected.map(Math.round));
  });

  it('stays whole milliseconds exact far from the start', () => {
    const times = new TimestampUnwrapper();
    let ms = 0;
    for (; ms < 4_294_967_295; ms += 40_000_000) expect(times.toUs((ms * 90) % MODULUS)).toBe(ms * 1000);
  });
});
