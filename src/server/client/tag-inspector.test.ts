import { describe, expect, it } from 'vitest';
import { FLV_SCRIPT } from '../../format/flv/flv-codecs.tables.ts';
import type { FlvTag } from '../../format/flv/flv-reader.ts';
import { writeMetadata } from '../../format/flv/flv-script-data.ts';
import { TagInspector } from './tag-inspector.ts';

function tag(typeId: FlvTag['typeId'], ...body: readonly number[]): FlvTag {
  return { typeId, timestamp: 0, body: Uint8Array.from(body) };
}

const avcConfig = tag(9, 0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1e, 0xff, 0xe0, 0);
const aacConfig = tag(8, 0xaf, 0, 0x12, 0x10);
const key = tag(9, 0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65);
const inter = tag(9, 0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41);
const audio = tag(8, 0xaf, 1, 0x21);
const endOfSequence = tag(9, 0x17, 2, 0, 0, 0);
const metadata: FlvTag = { typeId: FLV_SCRIPT, timestamp: 0, body: writeMetadata([['width', 640]]) };

function inspectAll(tags: readonly FlvTag[]): string[] {
  const inspector = new TagInspector();
  return tags.map((one) => inspector.inspect(one));
}

describe('tag inspector', () => {
  it('takes key frames for entries and audio for plain frames where there is video', () => {
    const tags = [metadata, avcConfig, aacConfig, key, audio, inter, endOfSequence];
    expect(inspectAll(tags)).toEqual(['other', 'other', 'other', 'entry', 'frame', 'frame', 'other']);
  });

  it('takes every audio frame for an entry where there is no video', () => {
    expect(inspectAll([aacConfig, audio, audio])).toEqual(['other', 'entry', 'entry']);
  });

  it.each([
    ['nothing', tag(9)],
    ['an unknown codec', tag(8, 0xcf, 1)],
    ['a broken script', tag(18, 9, 9)],
    ['a frame before its configuration', key],
  ])('takes %s for nothing', (_name, one) => {
    expect(inspectAll([one])).toEqual(['other']);
  });

  it('keeps the newest metadata and configuration of each track', () => {
    const inspector = new TagInspector();
    const newer = tag(9, 0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xff, 0xe0, 0);
    for (const one of [avcConfig, metadata, aacConfig, key, newer]) inspector.inspect(one);
    expect(inspector.head()).toEqual([metadata, newer, aacConfig]);
  });
});
