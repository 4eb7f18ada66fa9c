import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitLaces } from './block-lacing.ts';

/** The payload of a block with these frames, as a writer makes it. */
function lace(frames: readonly Uint8Array[], lacing: number): Uint8Array {
  if (lacing === 0) return frames[0]!;
  const head: number[] = [frames.length - 1];
  const sizes = frames.slice(0, -1).map((frame) => frame.length);
  if (lacing === 1) {
    for (const size of sizes) head.push(...Array.from({ length: Math.floor(size / 255) }, () => 255), size % 255);
  } else if (lacing === 3) {
    // Two bytes for every size and difference are enough here.
    for (const [i, size] of sizes.entries()) {
      const value = i === 0 ? size : size - sizes[i - 1]! + 8191;
      head.push(0x40 | (value >>> 8), value & 0xff);
    }
  }
  return new Uint8Array([...head, ...frames.flatMap((frame) => [...frame])]);
}

const frame: fc.Arbitrary<Uint8Array> = fc.uint8Array({ minLength: 1, maxLength: 600 });
const laces: fc.Arbitrary<Uint8Array[]> = fc.array(frame, { minLength: 1, maxLength: 8 });

describe('splitLaces', () => {
  it.each([1, 3])('undoes lacing %d', (lacing) => {
    fc.assert(
      fc.property(laces, (frames) => {
        expect(splitLaces(lace(frames, lacing), lacing)).toEqual(frames);
      }),
    );
  });

  it('undoes fixed lacing', () => {
    fc.assert(
      fc.property(frame, fc.integer({ min: 1, max: 8 }), (one, count) => {
        const frames = Array.from({ length: count }, () => one);
        expect(splitLaces(lace(frames, 2), 2)).toEqual(frames);
      }),
    );
  });

  it('takes a block without lacing as it is, and an empty one as no frame', () => {
    expect(splitLaces(Uint8Array.of(1, 2), 0)).toEqual([Uint8Array.of(1, 2)]);
    expect(splitLaces(new Uint8Array(0), 0)).toEqual([]);
  });

  it.each([
    ['nothing', 1, []],
    ['Xiph sizes that go on for ever', 1, [1, 255, 255]],
    ['Xiph sizes beyond the block', 1, [1, 10, 1, 2]],
    ['uneven fixed frames', 2, [1, 1, 2, 3]],
    ['EBML sizes beyond the block', 3, [1, 0x8a, 1]],
    ['EBML sizes below zero', 3, [2, 0x82, 0x80, 1, 1, 1]],
    ['no EBML size', 3, [1, 0]],
    ['an unknown EBML size', 3, [1, 0xff, 1]],
  ])('refuses %s', (_name, lacing, bytes) => {
    expect(splitLaces(Uint8Array.from(bytes), lacing)).toBeUndefined();
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(3), (bytes, lacing) => {
        const frames = splitLaces(bytes, lacing) ?? [];
        expect(frames.reduce((sum, one) => sum + one.length, 0)).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
