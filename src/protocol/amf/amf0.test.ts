import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AMF_MAX_DEPTH, AMF_MAX_STRING_BYTES } from './amf-limits.ts';
import {
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  AmfTypedObject,
  AmfUnsupported,
  type AmfValue,
  AmfVector,
  AmfXml,
  toAmfObject,
} from './amf-value.ts';
import { parseAmf0 } from './amf0-reader.ts';
import { writeAmf0Values } from './amf0-writer.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));
const read = (text: string): AmfValue[] => {
  const { values, error } = parseAmf0(hex(text));
  expect(error).toBeUndefined();
  return values;
};

describe('AMF0 values', () => {
  it.each<[string, string, AmfValue]>([
    ['number', '00 3ff0000000000000', 1],
    ['negative zero', '00 8000000000000000', -0],
    ['not a number', '00 7ff8000000000000', Number.NaN],
    ['boolean true', '01 01', true],
    ['boolean false', '01 00', false],
    ['string', '02 0003 666f6f', 'foo'],
    ['empty string', '02 0000', ''],
    ['string that starts with a byte order mark', '02 0004 efbbbf61', '\ufeffa'],
    ['object', '03 0001 61 05 0000 09', new AmfObject([['a', null]])],
    ['empty object', '03 0000 09', new AmfObject()],
    ['null', '05', null],
    ['undefined', '06', undefined],
    ['ECMA array', '08 00000001 0001 61 01 01 0000 09', new AmfEcmaArray([['a', true]])],
    ['strict array', '0a 00000002 05 06', [null, undefined]],
    ['date', '0b 0000000000000000 0000', new AmfDate(0)],
    ['date with a time zone', '0b 0000000000000000 ffc4', new AmfDate(0, -60)],
    ['unsupported', '0d', new AmfUnsupported()],
    ['XML document', '0f 00000004 3c612f3e', new AmfXml('<a/>')],
    ['typed object', '10 0001 43 0001 61 05 0000 09', new AmfTypedObject('C', [['a', null]])],
    ['AMF3 byte array behind the avm+ marker', '11 0c 05 0102', Uint8Array.of(1, 2)],
  ])('%s is read, and written the same', (_name, text, value) => {
    expect(read(text)).toEqual([value]);
    expect(writeAmf0Values([value])).toEqual(hex(text));
  });

  it('reads long strings and writes what is over 65,535 bytes as one', () => {
    expect(read('0c 00000003 666f6f')).toEqual(['foo']);
    for (const size of [65_535, 65_536]) {
      const bytes = writeAmf0Values(['x'.repeat(size)]);
      expect(bytes[0]).toBe(size > 65_535 ? 0x0c : 0x02);
      expect(parseAmf0(bytes).values).toEqual(['x'.repeat(size)]);
    }
  });

  it('takes movie clip and record set for values without a meaning', () => {
    expect(read('04 0e 05')).toEqual([new AmfUnsupported(), new AmfUnsupported(), null]);
  });

  it('keeps the order of properties, numbers as names included', () => {
    const names = ['b', '2', 'a', '1', '0'];
    const bytes = writeAmf0Values([new AmfObject(names.map((name) => [name, null]))]);
    expect([...(parseAmf0(bytes).values[0] as AmfObject).properties.keys()]).toEqual(names);
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString'])('takes the name %s for a name', (name) => {
    const bytes = writeAmf0Values([new AmfObject([[name, toAmfObject({ polluted: true })]])]);
    const object = parseAmf0(bytes).values[0] as AmfObject;
    expect([...object.properties.keys()]).toEqual([name]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(new AmfObject().get(name)).toBeUndefined();
  });

  it('resolves references, to the object being read too', () => {
    const [object] = read('03 0004 73656c66 07 0000 0000 09') as [AmfObject];
    expect(object.get('self')).toBe(object);
    const [, again] = read('0a 00000001 05 07 0000');
    expect(again).toEqual([null]);
  });

  it('writes shared and circular values as references', () => {
    const shared = toAmfObject({ a: 1 });
    const circle = new AmfObject();
    circle.properties.set('self', circle);
    const { values, error } = parseAmf0(writeAmf0Values([[shared, shared], circle]));
    expect(error).toBeUndefined();
    const [pair, same] = values as [readonly AmfValue[], AmfObject];
    expect(pair[0]).toBe(pair[1]);
    expect(same.get('self')).toBe(same);
  });

  it('writes vectors and dictionaries in AMF3', () => {
    const values = [new AmfVector('int', [1, -1]), new AmfDictionary([['k', 1]])];
    expect(parseAmf0(writeAmf0Values(values)).values).toEqual(values);
  });
});

describe('AMF0 containers as real senders write them', () => {
  const entry = '0001 61 05';
  it.each<[string, string, AmfValue[]]>([
    ['ECMA array that says 0 entries', `08 00000000 ${entry} 0000 09`, [new AmfEcmaArray([['a', null]])]],
    ['ECMA array that says too many', `08 00000009 ${entry} 0000 09`, [new AmfEcmaArray([['a', null]])]],
    ['ECMA array without end marker at the end', `08 00000001 ${entry}`, [new AmfEcmaArray([['a', null]])]],
    [
      'ECMA array without end marker, number behind',
      `08 00000001 ${entry} 00 3ff0000000000000`,
      [new AmfEcmaArray([['a', null]]), 1],
    ],
    [
      'ECMA array without end marker, string behind',
      `08 00000001 ${entry} 02 0001 62`,
      [new AmfEcmaArray([['a', null]]), 'b'],
    ],
    ['ECMA array without end marker, null behind', `08 00000001 ${entry} 05`, [new AmfEcmaArray([['a', null]]), null]],
    ['empty ECMA array without end marker', '08 00000000', [new AmfEcmaArray()]],
    ['object without end marker at the end', `03 ${entry}`, [new AmfObject([['a', null]])]],
    [
      'nested objects without end markers',
      `03 0001 6f 03 ${entry}`,
      [new AmfObject([['o', new AmfObject([['a', null]])]])],
    ],
    ['empty body', '', []],
  ])('%s', (_name, text, values) => {
    expect(read(text)).toEqual(values);
  });

  it('keeps the values in front of damage', () => {
    const { values, error } = parseAmf0(hex('02 0001 61 05 00 3ff0'));
    expect(values).toEqual(['a', null]);
    expect(error?.code).toBe('amf/truncated');
  });
});

describe('AMF0 from an attacker', () => {
  it.each<[string, Uint8Array, string]>([
    [
      'nesting',
      new Uint8Array(100_000).fill(0x0a).map((_, i) => (i % 5 === 0 ? 0x0a : i % 5 === 4 ? 1 : 0)),
      'amf/too-deep',
    ],
    ['a strict array of 4 G elements', hex('0a ffffffff 05'), 'amf/truncated'],
    ['a long string of 4 GB', hex('0c ffffffff 61'), 'amf/string-too-long'],
    ['a reference to nothing', hex('07 0000'), 'amf/bad-reference'],
    ['an object end as a value', hex('09'), 'amf/bad-marker'],
    ['a marker that does not exist', hex('12'), 'amf/bad-marker'],
    ['an XML document beyond the limit', hex('0f 7fffffff'), 'amf/string-too-long'],
  ])('refuses %s', (_name, bytes, code) => {
    expect(parseAmf0(bytes).error?.code).toBe(code);
  });

  it('refuses more values than the limit', () => {
    const bytes = new Uint8Array(2000).fill(5);
    bytes.set([0x0a, 0, 0, 0x04, 0x00]);
    expect(parseAmf0(bytes, 0, { maxValues: 1000 }).error?.code).toBe('amf/too-many-values');
  });

  it('takes strings and depth up to the limit', () => {
    expect(parseAmf0(writeAmf0Values(['x'.repeat(AMF_MAX_STRING_BYTES)])).error).toBeUndefined();
    let value: AmfValue = 1;
    for (let i = 0; i < AMF_MAX_DEPTH; i++) value = [value];
    expect(parseAmf0(writeAmf0Values([value])).values).toEqual([value]);
    expect(() => writeAmf0Values([[value]])).toThrow('nests deeper');
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const { values } = parseAmf0(bytes);
        expect(values.length).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
