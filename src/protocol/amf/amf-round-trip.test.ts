import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
} from './amf-value.ts';
import { parseAmf0 } from './amf0-reader.ts';
import { writeAmf0Values } from './amf0-writer.ts';
import { parseAmf3 } from './amf3-reader.ts';
import { writeAmf3Values } from './amf3-writer.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => value.isWellFormed());
const name = text.filter((value) => value !== '');
const date = fc.double({ noNaN: true }).map((ms) => new AmfDate(ms));

function valuesWith(nameOf: fc.Arbitrary<string>, leaves: fc.Arbitrary<AmfValue>[]): fc.Arbitrary<AmfValue> {
  return fc.letrec<{ value: AmfValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(
        fc.constant(undefined),
        fc.constant(null),
        fc.boolean(),
        fc.double(),
        fc.integer(),
        text,
        date,
        ...leaves,
      ),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(nameOf, tie('value')), { maxLength: 4 }).map((entries) => new AmfObject(entries)),
      fc
        .array(fc.tuple(nameOf, tie('value')), { minLength: 1, maxLength: 4 })
        .map((entries) => new AmfEcmaArray(entries)),
      fc
        .tuple(name, fc.array(fc.tuple(nameOf, tie('value')), { maxLength: 4 }))
        .map(([className, entries]) => new AmfTypedObject(className, entries)),
    ),
  })).value;
}

const amf3Leaves: fc.Arbitrary<AmfValue>[] = [
  fc.uint8Array({ maxLength: 8 }),
  fc.array(fc.integer(), { maxLength: 4 }).map((items) => new AmfVector('int', items)),
  fc.array(fc.double(), { maxLength: 4 }).map((items) => new AmfVector('double', items, { isFixed: true })),
  fc.array(fc.tuple(text, fc.integer()), { maxLength: 3 }).map((entries) => new AmfDictionary(entries)),
];

/** Any value AMF0 can say. */
const anyAmfValue: fc.Arbitrary<AmfValue> = valuesWith(name, [text.map((t) => new AmfXml(t)), ...amf3Leaves]);

/** Any value AMF3 can say. */
const anyAmf3Value: fc.Arbitrary<AmfValue> = valuesWith(name, [
  fc.tuple(text, fc.boolean()).map(([t, isE4x]) => new AmfXml(t, isE4x)),
  ...amf3Leaves,
]);

describe('AMF0 written and read', () => {
  it('is the same for any value', () => {
    fc.assert(
      fc.property(anyAmfValue, (value) => {
        const { values, error } = parseAmf0(writeAmf0Values([value]));
        expect(error).toBeUndefined();
        expect(values).toEqual([value]);
      }),
    );
  });

  it('survives any damage to real values', () => {
    fc.assert(
      fc.property(anyAmfValue, fc.nat(), fc.nat(255), (value, position, byte) => {
        const bytes = writeAmf0Values([value]);
        bytes[position % bytes.length] = byte;
        parseAmf0(bytes);
        parseAmf0(bytes.subarray(0, position % bytes.length));
      }),
    );
  });
});

describe('AMF3 written and read', () => {
  it('is the same for any value', () => {
    fc.assert(
      fc.property(anyAmf3Value, (value) => {
        const { values, error } = parseAmf3(writeAmf3Values([value, value]));
        expect(error).toBeUndefined();
        expect(values).toEqual([value, value]);
      }),
    );
  });

  it('refuses to grow without end when values are shared in ways it cannot say', () => {
    let value: AmfValue = 'x';
    for (let i = 0; i < 40; i++) value = [value];
    expect(() => writeAmf3Values([value])).toThrow('nests deeper');
  });
});
