import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OBU_TYPE, readLeb128, splitObus, stripTemporalDelimiters, writeLeb128, writeObu } from './obu.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('leb128', () => {
  it.each([
    ['00', 0, 1],
    ['7f', 127, 1],
    ['8001', 128, 2],
    ['e58e26', 624_485, 3],
    ['ffffffff0f', 0xffff_ffff, 5],
    ['8180808080808000', 1, 8],
  ])('%s is %d in %d bytes', (text, value, sizeBytes) => {
    expect(readLeb128(hex(text), 0)).toEqual({ value, sizeBytes });
  });

  it.each([
    ['cut off', '80'],
    ['above 2^32 - 1', 'ffffffff1f'],
    ['longer than 8 bytes', '808080808080808000'],
    ['nothing', ''],
  ])('is refused when %s', (_name, text) => {
    expect(readLeb128(hex(text), 0)).toBeUndefined();
  });

  it('is the same after writing and reading', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (value) => {
        const bytes = writeLeb128(value);
        expect(readLeb128(bytes, 0)).toEqual({ value, sizeBytes: bytes.length });
      }),
    );
  });
});

describe('splitObus', () => {
  it('reads sizes and extensions', () => {
    expect(splitObus(hex('12000a02aabb36280110'))).toMatchObject([
      { type: OBU_TYPE.temporalDelimiter, temporalId: 0, spatialId: 0 },
      { type: OBU_TYPE.sequenceHeader, payload: hex('aabb') },
      { type: OBU_TYPE.frame, temporalId: 1, spatialId: 1, payload: hex('10') },
    ]);
  });

  it('lets an OBU without a size reach to the end', () => {
    expect(splitObus(hex('120030aabbcc')).map((obu) => toHex(obu.payload))).toEqual(['', 'aabbcc']);
  });

  it.each([
    ['a size beyond the end', '12000a05aa'],
    ['the forbidden bit', '12009200'],
    ['an extension that is cut off', '120036'],
  ])('stops at %s', (_name, text) => {
    expect(splitObus(hex(text))).toHaveLength(1);
  });
});

describe('stripTemporalDelimiters', () => {
  it.each([
    ['in front', '12000a01aa320110', '0a01aa320110'],
    ['between', '12000a01aa1200320110', '0a01aa320110'],
    ['at the end', '0a01aa1200', '0a01aa'],
    ['with an extension', '1600000a01aa', '0a01aa'],
    ['alone', '12001200', ''],
    ['nowhere', '0a01aa', '0a01aa'],
    ['before a broken OBU', '1200 0a01aa 1200 0a7fbb'.replaceAll(' ', ''), '0a01aa0a7fbb'],
  ])('takes out those %s', (_name, text, expected) => {
    expect(toHex(stripTemporalDelimiters(hex(text)))).toBe(expected);
  });

  it('copies nothing when they stand in front only', () => {
    const bytes = hex('12000a01aa320110');
    expect(stripTemporalDelimiters(bytes).buffer).toBe(bytes.buffer);
  });

  it('leaves all other OBUs as they are', () => {
    const obu = fc.record({ type: fc.constantFrom(1, 2, 3, 6, 15), payload: fc.uint8Array({ maxLength: 200 }) });
    fc.assert(
      fc.property(fc.array(obu), (obus) => {
        const join = (list: typeof obus): Uint8Array =>
          new Uint8Array(Buffer.concat(list.map(({ type, payload }) => writeObu(type, payload))));
        const others = obus.filter(({ type }) => type !== OBU_TYPE.temporalDelimiter);
        expect(stripTemporalDelimiters(join(obus))).toEqual(join(others));
      }),
    );
  });
});
