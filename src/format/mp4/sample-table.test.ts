import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Box } from './box.ts';
import { SampleCursor, SampleTable } from './sample-table.ts';

function u32s(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value >>> 0);
  return bytes;
}

/** A full box with an entry count and 32-bit fields. */
function table(type: string, entryFields: number, fields: readonly number[]): Box {
  return { type, body: u32s(0, fields.length / entryFields, ...fields) };
}

interface Layout {
  readonly sizes: readonly number[];
  readonly durations: readonly number[];
  readonly offsets: readonly number[];
  /** Samples of each chunk. */
  readonly chunks: readonly number[];
  readonly syncs: readonly number[];
}

/** The boxes of a layout, runs of equal values together, chunks 1000 bytes apart. */
function boxesOf(layout: Layout): Box[] {
  const runs = (values: readonly number[]): number[] => values.flatMap((value) => [1, value]);
  const chunkRuns = layout.chunks.flatMap((count, i) =>
    i > 0 && layout.chunks[i - 1] === count ? [] : [i + 1, count, 1],
  );
  return [
    { type: 'stsz', body: u32s(0, 0, layout.sizes.length, ...layout.sizes) },
    table('stts', 2, runs(layout.durations)),
    table('ctts', 2, runs(layout.offsets)),
    table('stsc', 3, chunkRuns),
    table(
      'stco',
      1,
      layout.chunks.map((_, i) => i * 1000),
    ),
    table(
      'stss',
      1,
      layout.syncs.map((sample) => sample + 1),
    ),
  ];
}

const layouts: fc.Arbitrary<Layout> = fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }).chain((chunks) => {
  const count = chunks.reduce((sum, one) => sum + one, 0);
  const perSample = (most: number): fc.Arbitrary<number[]> =>
    fc.array(fc.nat(most), { minLength: count, maxLength: count });
  return fc.record({
    chunks: fc.constant(chunks),
    sizes: perSample(20),
    durations: perSample(9),
    offsets: perSample(9),
    syncs: fc.subarray(Array.from({ length: count }, (_, i) => i)),
  });
});

interface Told {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly dts: number;
  readonly compositionOffset: number;
  readonly duration: number;
  readonly isSync: boolean;
}

/** What a layout means, the slow way. */
function samplesOf(layout: Layout): Told[] {
  const samples: Told[] = [];
  let dts = 0;
  layout.chunks.forEach((count, chunk) => {
    let offset = chunk * 1000;
    for (let i = 0; i < count; i++) {
      const index = samples.length;
      const sizeBytes = layout.sizes[index]!;
      const duration = layout.durations[index]!;
      const compositionOffset = layout.offsets[index]!;
      samples.push({ offset, sizeBytes, dts, compositionOffset, duration, isSync: layout.syncs.includes(index) });
      offset += sizeBytes;
      dts += duration;
    }
  });
  return samples;
}

function readAll(cursor: SampleCursor): Told[] {
  const samples: Told[] = [];
  while (cursor.advance()) {
    const { offset, sizeBytes, dts, compositionOffset, duration, isSync } = cursor;
    samples.push({ offset, sizeBytes, dts, compositionOffset, duration, isSync });
  }
  return samples;
}

describe('SampleCursor', () => {
  it('gives the samples the tables describe, from any of them on', () => {
    fc.assert(
      fc.property(layouts, fc.nat(40), (layout, from) => {
        const expected = samplesOf(layout);
        const sampleTable = new SampleTable(boxesOf(layout), undefined, false);
        const cursor = new SampleCursor(sampleTable);
        expect(readAll(cursor)).toEqual(expected);
        const start = Math.min(from, expected.length);
        cursor.seek(start);
        expect(readAll(cursor)).toEqual(expected.slice(start));
      }),
    );
  });

  it('puts plain audio together chunk by chunk, without small rests', () => {
    const boxes = [
      { type: 'stsz', body: u32s(0, 1, 105) },
      table('stts', 2, [105, 1]),
      table('stsc', 3, [1, 52, 1, 3, 1, 1]),
      table('stco', 1, [0, 1000, 2000]),
    ];
    const cursor = new SampleCursor(new SampleTable(boxes, { blockBytes: 4, samples: 20 }, true));
    const sizes = readAll(cursor).map(({ offset, sizeBytes, dts, duration }) => [offset, sizeBytes / 4, dts, duration]);
    expect(sizes).toEqual([
      [0, 20, 0, 20],
      [80, 20, 20, 20],
      [160, 12, 40, 12],
      [1000, 20, 52, 20],
      [1080, 20, 72, 20],
      [1160, 12, 92, 12],
      [2000, 1, 104, 1],
    ]);
    cursor.seek(53);
    expect(cursor.advance()).toBe(true);
    expect([cursor.offset, cursor.sizeBytes, cursor.dts]).toEqual([1004, 80, 53]);
  });
});

describe('SampleTable', () => {
  it.each([
    [4, Uint8Array.of(0x12, 0x30), [1, 2, 3]],
    [8, Uint8Array.of(1, 2, 3), [1, 2, 3]],
    [16, Uint8Array.of(0, 1, 1, 0, 0, 3), [1, 256, 3]],
    [7, Uint8Array.of(1, 2, 3), []],
  ])('reads compact sizes of %d bits', (bits, fields, sizes) => {
    const body = new Uint8Array([...u32s(0, bits, 3), ...fields]);
    const boxes = [{ type: 'stz2', body }, table('stsc', 3, [1, 3, 1]), table('stco', 1, [0])];
    expect(readAll(new SampleCursor(new SampleTable(boxes, undefined, true))).map((one) => one.sizeBytes)).toEqual(
      sizes,
    );
  });

  it('reads 64-bit chunk offsets', () => {
    const boxes = [
      { type: 'stsz', body: u32s(0, 5, 1) },
      table('stsc', 3, [1, 1, 1]),
      { type: 'co64', body: u32s(0, 1, 2, 3) },
    ];
    expect(readAll(new SampleCursor(new SampleTable(boxes, undefined, true)))[0]?.offset).toBe(2 * 2 ** 32 + 3);
  });

  it('takes offsets without sign for signed ones, and moves decode times by the lowest', () => {
    const boxes = [...boxesOf({ sizes: [1, 1], durations: [10, 10], offsets: [0, -10], chunks: [2], syncs: [0] })];
    const sampleTable = new SampleTable(boxes, undefined, false);
    expect(sampleTable.dtsShift).toBe(10);
    expect(readAll(new SampleCursor(sampleTable))[1]?.compositionOffset).toBe(-10);
  });

  it('finds samples by decode time', () => {
    const boxes = boxesOf({ sizes: [1, 1, 1], durations: [10, 0, 10], offsets: [0, 0, 0], chunks: [3], syncs: [] });
    const sampleTable = new SampleTable(boxes, undefined, true);
    expect([-1, 0, 9, 10, 19, 20, 1000].map((dts) => sampleTable.sampleAtDecodeTime(dts))).toEqual([
      0, 0, 0, 2, 2, 2, 2,
    ]);
  });

  it('finds sync samples by presentation time', () => {
    const layout = {
      sizes: [1, 1, 1, 1],
      durations: [10, 10, 10, 10],
      offsets: [5, 5, 5, 5],
      chunks: [4],
      syncs: [0, 2],
    };
    const sampleTable = new SampleTable(boxesOf(layout), undefined, false);
    expect([4, 5, 24, 25, 999].map((pts) => sampleTable.syncSampleAtOrBefore(pts)?.index)).toEqual([
      undefined,
      0,
      0,
      2,
      2,
    ]);
    expect([4, 6, 25, 26].map((pts) => sampleTable.syncSampleAtOrAfter(pts)?.index)).toEqual([0, 2, 2, undefined]);
  });

  it('believes no count that nothing bears out', () => {
    const huge = 0xffff_ffff;
    const boxes = ['stsz', 'stts', 'ctts', 'stsc', 'stco', 'stss'].map((type) => {
      return { type, body: type === 'stsz' ? u32s(0, 0, huge, 7) : u32s(0, huge, huge, huge) };
    });
    const sampleTable = new SampleTable(boxes, undefined, false);
    expect(sampleTable.sampleCount).toBeLessThanOrEqual(1);
    expect(readAll(new SampleCursor(sampleTable)).length).toBeLessThanOrEqual(1);
  });

  it('survives any bytes in its boxes', () => {
    const types = ['stsz', 'stz2', 'stts', 'ctts', 'stsc', 'stco', 'co64', 'stss'];
    const boxes = fc.array(fc.record({ type: fc.constantFrom(...types), body: fc.uint8Array({ maxLength: 60 }) }));
    fc.assert(
      fc.property(boxes, fc.nat(), (any, at) => {
        const sampleTable = new SampleTable(any, { blockBytes: 2, samples: 10 }, false);
        const cursor = new SampleCursor(sampleTable);
        for (let i = 0; i < 100 && cursor.advance(); i++) expect(cursor.sizeBytes).toBeGreaterThanOrEqual(0);
        sampleTable.syncSampleAtOrBefore(at);
        sampleTable.syncSampleAtOrAfter(at);
        if (sampleTable.sampleCount > 0) cursor.seek(at % sampleTable.sampleCount);
        cursor.advance();
      }),
    );
  });
});
