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
import { parseAmf3 } from './amf3-reader.ts';
import { writeAmf3Values } from './amf3-writer.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));
const read = (text: string): AmfValue[] => {
  const { values, error } = parseAmf3(hex(text));
  expect(error).toBeUndefined();
  return values;
};

describe('AMF3 values', () => {
  it.each<[string, string, AmfValue]>([
    ['undefined', '00', undefined],
    ['null', '01', null],
    ['false', '02', false],
    ['true', '03', true],
    ['integer 0', '04 00', 0],
    ['largest one-byte integer', '04 7f', 127],
    ['smallest two-byte integer', '04 8100', 128],
    ['largest two-byte integer', '04 ff7f', 16_383],
    ['smallest three-byte integer', '04 818000', 16_384],
    ['largest three-byte integer', '04 ffff7f', 2_097_151],
    ['smallest four-byte integer', '04 80c08000', 2_097_152],
    ['largest integer', '04 bfffffff', 268_435_455],
    ['smallest integer', '04 c0808000', -268_435_456],
    ['minus one', '04 ffffffff', -1],
    ['number beyond the integers', '05 41b0000000000000', 268_435_456],
    ['negative zero', '05 8000000000000000', -0],
    ['string', '06 07 666f6f', 'foo'],
    ['empty string', '06 01', ''],
    ['XML document', '07 09 3c612f3e', new AmfXml('<a/>')],
    ['date', '08 01 0000000000000000', new AmfDate(0)],
    ['dense array', '09 05 01 0401 0402', [1, 2]],
    ['array with names', '09 01 03 61 01 01', new AmfEcmaArray([['a', null]])],
    ['dynamic object', '0a 0b 01 03 61 01 01', new AmfObject([['a', null]])],
    ['object of a class', '0a 0b 03 43 03 61 01 01', new AmfTypedObject('C', [['a', null]])],
    ['E4X', '0b 09 3c612f3e', new AmfXml('<a/>', true)],
    ['byte array', '0c 05 0102', Uint8Array.of(1, 2)],
    ['vector of int', '0d 05 00 ffffffff 00000001', new AmfVector('int', [-1, 1])],
    ['vector of uint', '0e 03 01 ffffffff', new AmfVector('uint', [0xffffffff], { isFixed: true })],
    ['vector of double', '0f 03 00 3ff0000000000000', new AmfVector('double', [1])],
    ['vector of objects', '10 03 00 03 43 01', new AmfVector('object', [null], { typeName: 'C' })],
    ['dictionary', '11 03 00 06 03 61 0401', new AmfDictionary([['a', 1]])],
  ])('%s is read, and written the same', (_name, text, value) => {
    expect(read(text)).toEqual([value]);
    expect(writeAmf3Values([value])).toEqual(hex(text));
  });

  it('reads sealed properties and reuses traits', () => {
    // Traits: class C, sealed names a and b; a second object refers to them.
    const values = read('0a 23 03 43 03 61 03 62 0401 0402  0a 01 0403 0404');
    expect(values).toEqual([
      new AmfTypedObject('C', [
        ['a', 1],
        ['b', 2],
      ]),
      new AmfTypedObject('C', [
        ['a', 3],
        ['b', 4],
      ]),
    ]);
  });

  it('reads dense elements behind named ones under their index', () => {
    expect(read('09 03 03 61 01 01 0405')).toEqual([
      new AmfEcmaArray([
        ['a', null],
        ['0', 5],
      ]),
    ]);
  });

  it('resolves references to strings and to whole values', () => {
    expect(read('06 07 666f6f 06 00')).toEqual(['foo', 'foo']);
    const [object, again] = read('0a 0b 01 01 0a 00');
    expect(again).toBe(object);
    const [bytes, same] = read('0c 03 ff 0c 00');
    expect(same).toBe(bytes);
  });

  it('copies byte arrays out of the input, a Buffer too', () => {
    const input = Buffer.from(hex('0c 05 0102'));
    const { values } = parseAmf3(input);
    input.fill(0);
    expect(values).toEqual([Uint8Array.of(1, 2)]);
  });

  it('reads the externalizable collections of Flex', () => {
    const name = Buffer.from('flex.messaging.io.ArrayCollection').toString('hex');
    const [collection] = read(`0a 07 43 ${name} 09 03 01 0401`) as [AmfTypedObject];
    expect(collection.className).toBe('flex.messaging.io.ArrayCollection');
    expect(collection.get('source')).toEqual([1]);
  });

  it('is reached from AMF0 through avm+, with tables of its own each time', () => {
    const { values, error } = parseAmf0(hex('11 06 07 666f6f 11 06 00'));
    expect(values).toEqual(['foo']);
    expect(error?.code).toBe('amf/bad-reference');
  });
});

describe('AMF3 from an attacker', () => {
  it.each<[string, string, string]>([
    ['a byte array of 256 MB', '0c ffffffff', 'amf/truncated'],
    ['an array of 256 M elements', '09 ffffffff 01', 'amf/truncated'],
    ['a vector of 256 M doubles', '0f ffffffff 00', 'amf/truncated'],
    ['a dictionary of 256 M entries', '11 ffffffff 00', 'amf/truncated'],
    ['traits of 32 M names', '0a fffffff3 01', 'amf/truncated'],
    ['a string beyond the limit', '06 ffffffff', 'amf/string-too-long'],
    ['a string reference to nothing', '06 00', 'amf/bad-reference'],
    ['an object reference to nothing', '0a 00', 'amf/bad-reference'],
    ['a trait reference to nothing', '0a 01', 'amf/bad-reference'],
    ['a class that reads itself', '0a 07 03 43', 'amf/unsupported-externalizable'],
    ['a marker that does not exist', '12', 'amf/bad-marker'],
    ['an integer cut short', '04 80', 'amf/truncated'],
    ['endless names', '0a 0b 01 03 61', 'amf/truncated'],
    ['nesting', '09 03 01'.repeat(1000), 'amf/too-deep'],
  ])('refuses %s', (_name, text, code) => {
    expect(parseAmf3(hex(text)).error?.code).toBe(code);
  });

  it('counts sealed names as values: traits by reference do not multiply them', () => {
    // One class of 100 names of one value each, then objects of that class as long as the limit lasts.
    const names = '03 61'.repeat(100);
    const object = `0a 01 ${'01'.repeat(100)}`;
    const text = `0a 8c43 01 ${names} ${'01'.repeat(100)} ${object.repeat(20)}`;
    expect(parseAmf3(hex(text), 0, { maxValues: 1000 }).error?.code).toBe('amf/too-many-values');
  });

  it('survives any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseAmf3(bytes)));
  });
});
