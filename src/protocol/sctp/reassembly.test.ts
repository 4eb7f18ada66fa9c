import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DATA_FLAG } from './chunk-type.ts';
import { type DataHeader, dataHeader } from './data-chunk.ts';
import { DataReassembly, InterleavedReassembly, type Reassembly } from './reassembly.ts';

/** A chunk with one or more bytes of payload. */
interface Chunk {
  readonly header: DataHeader;
  readonly payload: Uint8Array;
}

/** Messages cut into chunks with TSNs in a row; the text tells stream and number. */
function chunksOf(
  isInterleaved: boolean,
  messages: readonly { readonly streamId: number; readonly ordered: boolean; readonly fragments: number }[],
): readonly Chunk[] {
  const next = new Map<string, number>();
  let tsn = 0;
  return messages.flatMap(({ streamId, ordered, fragments }) => {
    const key = `${streamId}${ordered}`;
    const number = next.get(key) ?? 0;
    next.set(key, number + 1);
    const sequence = ordered || isInterleaved ? number : 0;
    return Array.from({ length: fragments }, (_, i) => ({
      header: {
        ...dataHeader(),
        tsn: tsn++,
        streamId,
        sequence,
        ppid: i === 0 || !isInterleaved ? 51 : 0,
        fsn: isInterleaved ? i : 0,
        flags:
          (i === 0 ? DATA_FLAG.begin : 0) |
          (i === fragments - 1 ? DATA_FLAG.end : 0) |
          (ordered ? 0 : DATA_FLAG.unordered),
      },
      payload: Uint8Array.of(streamId, ordered ? 1 : 0, number, i),
    }));
  });
}

function give(reassembly: Reassembly, { header, payload }: Chunk): boolean {
  return reassembly.add(header.tsn, { ...header, payloadStart: 0, payloadEnd: payload.length }, payload);
}

const kinds = [
  ['DATA', false],
  ['I-DATA', true],
] as const;

describe.each(kinds)('reassembly of %s', (_, isInterleaved) => {
  const make = (maxMessageBytes = 1000): Reassembly =>
    isInterleaved ? new InterleavedReassembly(maxMessageBytes) : new DataReassembly(maxMessageBytes);
  const messages = fc.array(
    fc.record({ streamId: fc.nat(2), ordered: fc.boolean(), fragments: fc.integer({ min: 1, max: 5 }) }),
    { minLength: 1, maxLength: 12 },
  );

  it('gives every message whole and once, ordered ones in order, however the chunks come', () => {
    fc.assert(
      fc.property(
        messages.chain((list) => {
          const chunks = chunksOf(isInterleaved, list);
          return fc.tuple(
            fc.constant(list),
            fc.shuffledSubarray([...chunks], { minLength: chunks.length, maxLength: chunks.length }),
          );
        }),
        ([list, shuffled]) => {
          const reassembly = make();
          for (const chunk of shuffled) expect(give(reassembly, chunk)).toBe(true);
          expect(reassembly.heldBytes).toBe(0);
          expect(reassembly.ready).toHaveLength(list.length);
          for (const message of reassembly.ready) {
            expect(message.ppid).toBe(51);
            expect(message.bytes.length / 4).toBe(message.fragments);
            for (let i = 0; i < message.fragments; i++) expect(message.bytes[4 * i + 3]).toBe(i);
          }
          for (const streamId of [0, 1, 2]) {
            const numbers = reassembly.ready
              .filter((message) => message.streamId === streamId && !message.isUnordered)
              .map(({ bytes }) => bytes[2]);
            expect(numbers).toEqual(numbers.map((__, i) => i));
          }
        },
      ),
    );
  });

  it('holds nothing of messages given up, whichever of their chunks have come', () => {
    const arrivals = fc.tuple(
      fc.integer({ min: 2, max: 6 }),
      fc.array(fc.nat(5), { maxLength: 6 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 6 }),
    );
    fc.assert(
      fc.property(arrivals, ([fragments, came, ordered, forwardTo]) => {
        const chunks = chunksOf(isInterleaved, [
          { streamId: 1, ordered, fragments },
          { streamId: 1, ordered, fragments: 1 },
        ]);
        const first = chunks.slice(0, fragments);
        const reassembly = make();
        const seen = new Set<number>();
        for (const index of came) {
          // One fragment is always missing.
          if (index >= fragments || seen.has(index) || seen.size === fragments - 1) continue;
          seen.add(index);
          give(reassembly, first[index]!);
        }
        let cumulative = -1;
        while (seen.has(cumulative + 1)) cumulative++;
        // The peer goes on to the first missing one at least; what came after it counts as received.
        let to = Math.min(fragments - 1, Math.max(cumulative + 1, forwardTo - 1));
        const skipped = [{ streamId: 1, isUnordered: !ordered, sequence: 0 }];
        reassembly.forward(cumulative, to, isInterleaved || ordered ? skipped : []);
        while (seen.has(to + 1)) to++;
        if (!isInterleaved) {
          // Fragments under way arrive late.
          for (let index = to + 1; index < fragments; index++) if (!seen.has(index)) give(reassembly, first[index]!);
        }
        expect(reassembly.heldBytes).toBe(0);
        give(reassembly, chunks[fragments]!);
        expect(reassembly.ready.map(({ bytes }) => bytes[2])).toEqual([1]);
      }),
    );
  });

  it('starts streams again after a reset', () => {
    const reassembly = make();
    const [first, second] = chunksOf(isInterleaved, [
      { streamId: 1, ordered: true, fragments: 1 },
      { streamId: 1, ordered: true, fragments: 1 },
    ]);
    give(reassembly, second!);
    expect(reassembly.heldBytes).toBeGreaterThan(0);
    reassembly.reset([1]);
    expect(reassembly.heldBytes).toBe(0);
    give(reassembly, first!);
    reassembly.reset([]);
    give(reassembly, first!);
    expect(reassembly.ready).toHaveLength(2);
  });

  it('says when a message is too large', () => {
    const reassembly = make(10);
    const chunks = chunksOf(isInterleaved, [{ streamId: 1, ordered: true, fragments: 4 }]);
    expect(give(reassembly, chunks[0]!)).toBe(true);
    expect(give(reassembly, chunks[1]!)).toBe(true);
    expect(give(reassembly, chunks[2]!)).toBe(false);
  });

  it('goes over the wrap of sequence numbers', () => {
    const reassembly = make();
    const last = isInterleaved ? 0xffff_ffff : 0xffff;
    reassembly.forward(-1, -1, [{ streamId: 1, isUnordered: false, sequence: last >>> 1 }]);
    reassembly.forward(-1, -1, [{ streamId: 1, isUnordered: false, sequence: last - 1 }]);
    const single = (tsn: number, sequence: number): Chunk => ({
      header: { ...dataHeader(), tsn, streamId: 1, sequence, flags: DATA_FLAG.begin | DATA_FLAG.end },
      payload: Uint8Array.of(tsn),
    });
    give(reassembly, single(2, 0));
    give(reassembly, single(1, last));
    give(reassembly, single(3, 1));
    give(reassembly, single(4, last));
    expect(reassembly.ready.map(({ bytes }) => bytes[0])).toEqual([1, 2, 3]);
    expect(reassembly.heldBytes).toBe(0);
  });
});
