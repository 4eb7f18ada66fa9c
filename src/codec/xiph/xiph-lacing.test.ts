import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_LACED_PACKETS, parseXiphLacing, writeXiphLacing } from './xiph-lacing.ts';

describe('Xiph lacing', () => {
  it('has sizes of all packets but the last', () => {
    const packets = [new Uint8Array(255), Uint8Array.of(1, 2), Uint8Array.of(3)];
    const bytes = writeXiphLacing(packets);
    expect([...bytes.subarray(0, 4)]).toEqual([2, 255, 0, 2]);
    expect(parseXiphLacing(bytes)).toEqual(packets);
  });

  it('gives packets back', () => {
    const lists = fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: MAX_LACED_PACKETS });
    fc.assert(
      fc.property(lists, (packets) => {
        expect(parseXiphLacing(writeXiphLacing(packets))).toEqual(packets);
      }),
    );
  });

  it.each([
    ['nothing', []],
    ['too many packets', [200]],
    ['a size without an end', [1, 255]],
    ['a packet beyond the end', [1, 5, 0]],
  ])('is not %s', (_, bytes) => {
    expect(parseXiphLacing(Uint8Array.from(bytes))).toBeUndefined();
  });
});
