import { describe, expect, it } from 'vitest';
import { AmfEcmaArray, AmfObject, type AmfValue } from '../protocol/amf/amf-value.ts';
import { parseAmf0 } from '../protocol/amf/amf0-reader.ts';
import { MAX_METADATA_BYTES, MAX_METADATA_ENTRIES, mergeMetadata, writeOnMetaData } from './metadata.ts';

const map = (entries: Record<string, AmfValue>): Map<string, AmfValue> => new Map(Object.entries(entries));

describe('mergeMetadata', () => {
  it.each([
    [undefined, { width: 640 }, { width: 640 }],
    [
      { width: 640, fps: 25 },
      { width: 320, title: 'x' },
      { width: 320, fps: 25, title: 'x' },
    ],
    [{ width: 640 }, {}, { width: 640 }],
    [undefined, { duration: 9, filesize: 1, keyframes: 2, width: 1 }, { width: 1 }],
  ])('%j and %j give %j', (older, newer, expected) => {
    expect(mergeMetadata(older === undefined ? undefined : map(older), map(newer))).toEqual(map(expected));
  });

  it('changes neither of the two', () => {
    const older = map({ a: 1 });
    const newer = map({ a: 2, b: 3 });
    mergeMetadata(older, newer);
    expect([older, newer]).toEqual([map({ a: 1 }), map({ a: 2, b: 3 })]);
  });

  it('keeps a bounded number of names, and still replaces those it knows', () => {
    const many = new Map(Array.from({ length: MAX_METADATA_ENTRIES + 50 }, (_, i): [string, AmfValue] => [`n${i}`, i]));
    const merged = mergeMetadata(many, map({}));
    const full = mergeMetadata(undefined, many);
    expect(full.size).toBe(MAX_METADATA_ENTRIES);
    expect(mergeMetadata(full, map({ n0: 'new', other: 1 })).get('n0')).toBe('new');
    expect(mergeMetadata(full, map({ other: 1 })).has('other')).toBe(false);
    expect(merged.size).toBe(many.size);
  });
});

describe('writeOnMetaData', () => {
  it('writes the name, then the values and who serves them as an ECMA array', () => {
    const { values, error } = parseAmf0(writeOnMetaData(map({ width: 640, encoder: 'x' }))!);
    expect(error).toBeUndefined();
    expect(values).toEqual(['onMetaData', new AmfEcmaArray(map({ width: 640, encoder: 'x', server: 'Millrace' }))]);
  });

  it('refuses what is too large', () => {
    expect(writeOnMetaData(map({ a: 'x'.repeat(MAX_METADATA_BYTES - 100) }))).toBeDefined();
    expect(writeOnMetaData(map({ a: 'x'.repeat(MAX_METADATA_BYTES) }))).toBeUndefined();
    expect(writeOnMetaData(map({ a: 'x'.repeat(17_000_000), b: 1 }))).toBeUndefined();
  });

  it('refuses what is nested too deep to be written', () => {
    let value: AmfValue = 1;
    for (let i = 0; i < 100; i++) value = new AmfObject([['a', value]]);
    expect(writeOnMetaData(map({ value }))).toBeUndefined();
  });
});
