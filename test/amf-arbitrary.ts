/** Random AMF values for property tests. */
import fc from 'fast-check';
import {
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
} from '../src/protocol/amf/amf-value.ts';

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
export const anyAmfValue: fc.Arbitrary<AmfValue> = valuesWith(name, [text.map((t) => new AmfXml(t)), ...amf3Leaves]);

/** Any value AMF3 can say. */
export const anyAmf3Value: fc.Arbitrary<AmfValue> = valuesWith(name, [
  fc.tuple(text, fc.boolean()).map(([t, isE4x]) => new AmfXml(t, isE4x)),
  ...amf3Leaves,
]);
