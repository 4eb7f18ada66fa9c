import { describe, expect, it } from 'vitest';
import { releaseBytes } from './release-bytes.ts';

describe('releaseBytes', () => {
  it('empties a view of a whole buffer and every other view of it', () => {
    const bytes = new Uint8Array(100).fill(1);
    const part = bytes.subarray(10, 20);
    releaseBytes(bytes);
    expect([bytes.length, part.length, part[0]]).toEqual([0, 0, undefined]);
  });

  it('leaves a buffer alone that others may use', () => {
    const pool = new Uint8Array(100).fill(1);
    releaseBytes(pool.subarray(0, 50));
    releaseBytes(pool.subarray(50));
    expect(pool.length).toBe(100);
  });
});
