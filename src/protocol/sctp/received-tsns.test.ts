import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReceivedTsns } from './received-tsns.ts';
import { MAX_DUPLICATES_REPORTED, MAX_GAP_RANGES, MAX_TSN_AHEAD } from './sctp-limits.ts';

function blocksOf(tsns: ReceivedTsns): readonly (readonly [number, number])[] {
  const bytes = new Uint8Array(4 * tsns.gapRanges);
  tsns.writeGapBlocks(bytes, 0, tsns.gapRanges);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: tsns.gapRanges }, (_, i) => [view.getUint16(4 * i), view.getUint16(4 * i + 2)]);
}

describe('ReceivedTsns', () => {
  it.each([0, 1, 0xffff_fff0, 0xffff_ffff, 0x8000_0000])(
    'keeps what a set would keep, from TSN %d on',
    (initialTsn) => {
      fc.assert(
        fc.property(fc.array(fc.nat(60), { maxLength: 100 }), fc.option(fc.nat(40)), (indices, skip) => {
          const tsns = new ReceivedTsns(initialTsn);
          const model = new Set<number>();
          for (const [i, index] of indices.entries()) {
            const found = tsns.indexOf((initialTsn + index) >>> 0);
            expect(found).toBe(index);
            expect(tsns.look(found)).toBe(model.has(index) ? 'duplicate' : 'new');
            if (!model.has(index)) tsns.add(index);
            model.add(index);
            if (skip !== null && i === 20) {
              tsns.skipTo(skip);
              for (let n = 0; n <= skip; n++) model.add(n);
            }
          }
          let cumulative = -1;
          while (model.has(cumulative + 1)) cumulative++;
          expect(tsns.cumulative).toBe(cumulative);
          expect(tsns.cumulativeTsn).toBe((initialTsn + cumulative) >>> 0);
          const beyond = blocksOf(tsns).flatMap(([first, last]) =>
            Array.from({ length: last - first + 1 }, (_, n) => cumulative + first + n),
          );
          expect(beyond).toEqual([...model].filter((index) => index > cumulative).sort((a, b) => a - b));
          expect(tsns.hasGaps).toBe(beyond.length > 0);
        }),
      );
    },
  );

  it('takes nothing too far ahead, and no more ranges than it may', () => {
    const tsns = new ReceivedTsns(0);
    expect(tsns.look(MAX_TSN_AHEAD - 1)).toBe('new');
    expect(tsns.look(MAX_TSN_AHEAD)).toBe('out-of-range');
    for (let i = 0; i < MAX_GAP_RANGES; i++) tsns.add(2 * i + 1);
    expect(tsns.gapRanges).toBe(MAX_GAP_RANGES);
    expect(tsns.look(2 * MAX_GAP_RANGES + 1)).toBe('out-of-range');
    // What joins ranges, or continues one, still goes.
    expect(tsns.look(2)).toBe('new');
    expect(tsns.look(2 * MAX_GAP_RANGES)).toBe('new');
    expect(tsns.look(0)).toBe('new');
  });

  it('reports a bounded number of duplicates', () => {
    const tsns = new ReceivedTsns(0);
    for (let i = 0; i < 100; i++) tsns.addDuplicate(i);
    expect(tsns.duplicates).toBe(MAX_DUPLICATES_REPORTED);
    const bytes = new Uint8Array(8);
    tsns.writeDuplicates(bytes, 0, 2);
    expect(bytes).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1));
    expect(tsns.duplicates).toBe(0);
  });
});
