import { describe, expect, it } from 'vitest';
import { joinBytes } from './join-bytes.ts';

describe('joinBytes', () => {
  it.each([
    [[], []],
    [[[1, 2]], [1, 2]],
    [
      [[1], [], [2, 3]],
      [1, 2, 3],
    ],
  ])('makes of %j %j', (parts, joined) => {
    expect([...joinBytes(parts.map((part) => Uint8Array.from(part)))]).toEqual(joined);
  });

  it('gives a single part back as it is', () => {
    const part = Uint8Array.of(1);
    expect(joinBytes([part])).toBe(part);
  });
});
