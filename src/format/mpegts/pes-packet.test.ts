import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePesHeader, toTimestamp90k, writePesHeader } from './pes-packet.ts';

const MAX = 2 ** 33 - 1;

describe('PES header', () => {
  it.each([
    [0, 0],
    [1, 0],
    [32_767, 32_768],
    [2 ** 30, 2 ** 30 - 1],
    [MAX, 0],
    [0, MAX],
    [MAX, MAX],
  ])('carries pts %i and dts %i', (pts90k, dts90k) => {
    expect(parsePesHeader(writePesHeader(0xe0, pts90k, dts90k, 10))).toMatchObject({ pts90k, dts90k, streamId: 0xe0 });
  });

  it('is read back as written', () => {
    fc.assert(
      fc.property(fc.nat(MAX), fc.nat(MAX), fc.integer({ min: 1, max: 70_000 }), (pts90k, dts90k, size) => {
        const written = writePesHeader(0xc0, pts90k, dts90k, size);
        const total = written.length + size;
        expect(parsePesHeader(written)).toEqual({
          streamId: 0xc0,
          packetSizeBytes: total - 6 > 0xffff ? undefined : total,
          payloadOffset: written.length,
          pts90k,
          dts90k,
        });
      }),
    );
  });

  it('is 14 bytes with one timestamp and 19 with two', () => {
    expect(Buffer.from(writePesHeader(0xe0, 90_000, 90_000, 1)).toString('hex')).toBe('000001e00009848005210005bf21');
    expect(writePesHeader(0xe0, 90_001, 90_000, 1)).toHaveLength(19);
  });

  it.each([
    ['no start code', '000002e00000808005210005bf21'],
    ['a padding stream', '000001be0000808005210005bf21'],
    ['MPEG-1 syntax', '000001e00000008005210005bf21'],
    ['a header longer than the packet', '000001e00000808006210005bf21'],
    ['a length that ends within the header', '000001e00004808005210005bf21'],
    ['too few bytes', '000001e000'],
  ])('refuses %s', (_, hex) => {
    expect(parsePesHeader(Uint8Array.from(Buffer.from(hex, 'hex')))).toBeUndefined();
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (tail) => {
        const header = parsePesHeader(Uint8Array.of(0, 0, 1, ...tail));
        expect(header === undefined || header.payloadOffset <= tail.length + 3).toBe(true);
      }),
    );
  });
});

describe('toTimestamp90k', () => {
  it.each([
    [0, 0],
    [1000, 90],
    [33_333, 3000],
    [40_000, 3600],
    [-1000, 2 ** 33 - 90],
    [(2 ** 33 * 100) / 9, 0],
    [4_294_967_295_000, (4_294_967_295 * 90) % 2 ** 33],
  ])('makes %i µs %i ticks', (timeUs, ticks) => {
    expect(toTimestamp90k(Math.round(timeUs))).toBe(ticks);
  });
});
