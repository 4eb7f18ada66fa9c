import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InterleavedBatch, InterleavedBatches } from './datagram-batch.ts';

function framed(packets: readonly (readonly [channel: number, packet: Uint8Array])[]): Uint8Array {
  return Uint8Array.from(packets.flatMap(([channel, p]) => [0x24, channel, p.length >>> 8, p.length & 0xff, ...p]));
}

describe('InterleavedBatch', () => {
  it('finds every packet of its channel in order and none of another', () => {
    const packet = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 20 }), (packets) => {
        for (let channel = 0; channel < 4; channel++) {
          const batch = new InterleavedBatch(framed(packets), channel);
          const found = batch.offsets.map((at, i) => batch.bytes.slice(at, at + batch.sizes[i]!));
          const expected = packets.filter(([c, p]) => c === channel && p.length > 0).map(([, p]) => p);
          expect(found).toEqual(expected);
          expect(batch.payloadBytes).toBe(expected.reduce((sum, p) => sum + p.length, 0));
        }
      }),
    );
  });

  it('leaves out the beginning of each packet, and packets that have nothing else', () => {
    const bytes = framed([
      [0, Uint8Array.of(1, 2, 3)],
      [0, Uint8Array.of(4, 5)],
      [0, Uint8Array.of(6, 7, 8, 9)],
    ]);
    const batches = new InterleavedBatches();
    const batch = batches.of(bytes, 0, 2);
    expect(batch.offsets.map((at, i) => bytes.slice(at, at + batch.sizes[i]!))).toEqual([
      Uint8Array.of(3),
      Uint8Array.of(8, 9),
    ]);
    expect(batch.payloadBytes).toBe(3);
    expect(batches.of(bytes, 0).payloadBytes).toBe(9);
    expect(batches.of(bytes, 0, 2)).toBe(batch);
  });

  it.each([
    ['a header cut short', [0x24, 0, 0]],
    ['a packet cut short', [0x24, 0, 0, 2, 1]],
    ['no dollar', [0x25, 0, 0, 0]],
    ['something behind the last packet', [0x24, 0, 0, 1, 7, 9]],
  ])('refuses %s', (_, bytes) => {
    expect(() => new InterleavedBatch(Uint8Array.from(bytes), 0)).toThrow(
      expect.objectContaining({ code: 'datagram/bad-batch' }),
    );
  });
});

describe('InterleavedBatches', () => {
  it('cuts the same bytes once for each channel', () => {
    const batches = new InterleavedBatches();
    const bytes = framed([
      [0, Uint8Array.of(1)],
      [2, Uint8Array.of(2)],
    ]);
    const first = batches.of(bytes, 0);
    expect(batches.of(bytes, 2).sizes).toEqual([1]);
    expect(batches.of(bytes, 0)).toBe(first);
    expect(batches.of(bytes.slice(), 0)).not.toBe(first);
    const again = batches.of(bytes, 0);
    batches.clear();
    expect(batches.of(bytes, 0)).not.toBe(again);
  });
});
