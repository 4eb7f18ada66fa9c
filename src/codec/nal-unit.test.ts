import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isMisplacedAnnexB,
  joinAnnexB,
  joinLengthPrefixed,
  MAX_NAL_UNITS,
  removeEmulationPrevention,
  splitAnnexB,
  splitLengthPrefixed,
  splitNalUnits,
  toAnnexB,
  toLengthPrefixed,
} from './nal-unit.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Bytes without start codes or a zero at the end, as NAL units are. */
const nalUnit = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) =>
    bytes.map((byte, i) => (i === 0 ? (byte & 0x7f) | 1 : i === bytes.length - 1 || byte < 4 ? 7 : byte)),
  );
const nalUnits = fc.array(nalUnit, { maxLength: 8 });

describe('length-prefixed NAL units', () => {
  it.each([
    [1, '01aa02bbcc', ['aa', 'bbcc']],
    [2, '0001aa0002bbcc', ['aa', 'bbcc']],
    [4, '00000001aa00000002bbcc', ['aa', 'bbcc']],
    [4, '00000000000000010900000000', ['09']],
    [4, '00000001aa00000003bbcc', ['aa']],
    [4, '00000001aa0000', ['aa']],
    [4, 'ffffffffaabbcc', []],
    [4, '', []],
  ] as const)('splits with %d bytes of length: %s', (lengthSize, payload, expected) => {
    expect(splitLengthPrefixed(hex(payload), lengthSize).map(toHex)).toEqual(expected);
  });

  it('gives views, not copies', () => {
    const payload = hex('00000002aabb');
    expect(splitLengthPrefixed(payload, 4)[0]?.buffer).toBe(payload.buffer);
  });

  it('stops at the limit', () => {
    const payload = new Uint8Array(4 * MAX_NAL_UNITS).fill(1);
    expect(splitLengthPrefixed(payload, 1)).toHaveLength(MAX_NAL_UNITS);
  });

  it('leaves out what a short length cannot tell', () => {
    expect(joinLengthPrefixed([new Uint8Array(256), hex('aa')], 1)).toEqual(hex('01aa'));
  });

  it.each([1, 2, 3, 4])('come back as they were joined, with %d bytes of length', (lengthSize) => {
    fc.assert(
      fc.property(nalUnits, (units) => {
        const joined = joinLengthPrefixed(units, lengthSize);
        expect(joined.length).toBe(joined.buffer.byteLength);
        expect(splitLengthPrefixed(joined, lengthSize)).toEqual(units);
      }),
    );
  });
});

describe('Annex B', () => {
  it.each([
    ['000001aa', ['aa']],
    ['00000001aa', ['aa']],
    ['00000001aa000001bb', ['aa', 'bb']],
    ['00000001aa00000001bbcc', ['aa', 'bbcc']],
    ['00000001aa000000000001bb0000', ['aa', 'bb']],
    ['ffff000001aabb', ['aabb']],
    ['000001aa0100000101', ['aa01', '01']],
    ['000001000001aa', ['aa']],
    ['000001', []],
    ['aabbcc', []],
    ['', []],
    ['000001aabb', ['aabb']],
    ['000001aabbcc', ['aabbcc']],
    ['000001aabbccdd', ['aabbccdd']],
  ] as const)('splits %s', (stream, expected) => {
    expect(splitAnnexB(hex(stream)).map(toHex)).toEqual(expected);
  });

  it('comes back as it was joined', () => {
    fc.assert(
      fc.property(nalUnits, (units) => {
        const joined = joinAnnexB(units);
        expect(joined.length).toBe(joined.buffer.byteLength);
        expect(splitAnnexB(joined)).toEqual(units);
      }),
    );
  });

  it('goes to length-prefixed and back', () => {
    fc.assert(
      fc.property(nalUnits, (units) => {
        const stream = joinAnnexB(units);
        expect(toAnnexB(toLengthPrefixed(stream, 4), 4)).toEqual(stream);
      }),
    );
  });

  it('finds every start code a plain search finds', () => {
    const sparse = fc
      .array(fc.constantFrom(0, 0, 0, 1, 2, 0xff), { maxLength: 60 })
      .map((list) => Uint8Array.from(list));
    fc.assert(
      fc.property(sparse, (bytes) => {
        const parts = toHex(bytes).match(/../g)?.join(' ').split('00 00 01').slice(1) ?? [];
        const expected = parts.map((part) => part.replaceAll(' ', '').replace(/(00)+$/, '')).map(trimZeros);
        expect(splitAnnexB(bytes).map(toHex)).toEqual(expected.filter((part) => part !== ''));
      }),
    );
  });
});

function trimZeros(text: string): string {
  let end = text.length;
  while (end > 0 && text.slice(end - 2, end) === '00') end -= 2;
  return text.slice(0, end);
}

describe('isMisplacedAnnexB', () => {
  it.each([
    ['Annex B with 4-byte start codes', '00000001674200000000016588', 4, true],
    ['Annex B with 3-byte start codes', '0000016742c01e0000016588', 4, true],
    ['Annex B where lengths of 2 bytes are told', '00000001674200000000016588', 2, true],
    ['a NAL unit of one byte', '000000010a', 4, false],
    ['a NAL unit of 256 bytes', `00000100${'41'.repeat(256)}`, 4, false],
    ['a NAL unit of 256 bytes that is cut off', `00000100${'41'.repeat(255)}`, 4, true],
    ['a start code before a forbidden header', '000001e74200', 4, false],
    ['plain length-prefixed', '0000000265880000', 4, false],
    ['too short', '000001', 4, false],
  ] as const)('%s', (_name, payload, lengthSize, expected) => {
    expect(isMisplacedAnnexB(hex(payload), lengthSize)).toBe(expected);
  });

  it('is never true for what joinLengthPrefixed wrote', () => {
    fc.assert(
      fc.property(nalUnits, fc.constantFrom(1, 2, 4), (units, lengthSize) => {
        expect(splitNalUnits(joinLengthPrefixed(units, lengthSize), lengthSize)).toEqual(units);
      }),
    );
  });
});

describe('removeEmulationPrevention', () => {
  it.each([
    ['67000003016700', '670000016700'],
    ['0000030000030000', '000000000000'],
    ['00000300000303', '0000000003'],
    ['000003', '0000'],
    ['00000003', '000000'],
    ['0003000300', '0003000300'],
    ['', ''],
  ])('%s becomes %s', (nalUnit, expected) => {
    expect(toHex(removeEmulationPrevention(hex(nalUnit)))).toBe(expected);
  });

  it('is a view when there is nothing to take out', () => {
    const bytes = hex('670102');
    expect(removeEmulationPrevention(bytes).buffer).toBe(bytes.buffer);
  });

  it('looks no further than it is told', () => {
    expect(removeEmulationPrevention(new Uint8Array(100_000)).length).toBe(16_384);
    expect(removeEmulationPrevention(hex('00000301ff'), 4)).toEqual(hex('000001'));
  });
});
