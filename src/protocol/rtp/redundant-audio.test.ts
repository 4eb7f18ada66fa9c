import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REDUNDANT_BLOCKS, parseRedundantAudio, writeRedundantAudio } from './redundant-audio.ts';

describe('RED', () => {
  it('is laid out as RFC 2198 §3 draws it', () => {
    const payload = writeRedundantAudio([
      { payloadType: 111, timestampOffset: 960, data: Uint8Array.of(1, 2) },
      { payloadType: 111, timestampOffset: 0, data: Uint8Array.of(3) },
    ]);
    expect([...payload]).toEqual([0x80 | 111, 0x0f, 0x00, 0x02, 111, 1, 2, 3]);
  });

  it('gives the blocks back that were written', () => {
    const block = fc.record({
      payloadType: fc.nat(127),
      timestampOffset: fc.nat(0x3fff),
      data: fc.uint8Array({ maxLength: 50 }),
    });
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), (list) => {
        const blocks = list.map((one, i) => (i === list.length - 1 ? { ...one, timestampOffset: 0 } : one));
        expect(parseRedundantAudio(writeRedundantAudio(blocks))).toEqual(blocks);
      }),
    );
  });

  it('never throws, and gives no more blocks than the limit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(parseRedundantAudio(bytes)?.length ?? 0).toBeLessThanOrEqual(MAX_REDUNDANT_BLOCKS);
      }),
    );
    expect(parseRedundantAudio(new Uint8Array(400).fill(0x80))).toBeUndefined();
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['a header that is cut', Uint8Array.of(0xef, 0, 0)],
    ['no primary block', Uint8Array.of(0xef, 0, 0, 0)],
    ['a block beyond the end', Uint8Array.of(0xef, 0, 0, 5, 111, 1, 2)],
  ])('refuses %s', (_, bytes) => {
    expect(parseRedundantAudio(bytes)).toBeUndefined();
  });

  it.each([
    ['no blocks', []],
    ['too many', Array.from({ length: 33 }, () => ({ payloadType: 1, timestampOffset: 0, data: new Uint8Array(1) }))],
    [
      'a block too old',
      [16_384, 0].map((timestampOffset) => ({ payloadType: 1, timestampOffset, data: new Uint8Array(1) })),
    ],
    ['a block too long', [1024, 1].map((size) => ({ payloadType: 1, timestampOffset: 0, data: new Uint8Array(size) }))],
  ])('does not write %s', (_, blocks) => {
    expect(() => writeRedundantAudio(blocks)).toThrow(expect.objectContaining({ code: 'rtp/bad-redundancy' }));
  });
});
