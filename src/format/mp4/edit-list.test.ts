import { describe, expect, it } from 'vitest';
import { parseEditList } from './edit-list.ts';

function elst(version: 0 | 1, ...edits: readonly (readonly [duration: number, mediaTime: number])[]): Uint8Array {
  const size = version === 0 ? 12 : 20;
  const bytes = new Uint8Array(8 + edits.length * size);
  const view = new DataView(bytes.buffer);
  bytes[0] = version;
  view.setUint32(4, edits.length);
  edits.forEach(([duration, mediaTime], i) => {
    const at = 8 + i * size;
    if (version === 0) {
      view.setUint32(at, duration);
      view.setInt32(at + 4, mediaTime);
    } else {
      view.setBigUint64(at, BigInt(duration));
      view.setBigInt64(at + 8, BigInt(mediaTime));
    }
  });
  return bytes;
}

describe('parseEditList', () => {
  it.each([
    ['the priming of AAC', elst(0, [3000, 1024]), { delay: 0, mediaStart: 1024, length: 3000 }],
    ['a late start', elst(0, [500, -1], [3000, 0]), { delay: 500, mediaStart: 0, length: 3000 }],
    [
      '64-bit times',
      elst(1, [2 ** 33, -1], [2 ** 34, 2 ** 35]),
      { delay: 2 ** 33, mediaStart: 2 ** 35, length: 2 ** 34 },
    ],
    ['an unknown length', elst(0, [0, 7]), { delay: 0, mediaStart: 7, length: undefined }],
    ['several stretches', elst(0, [10, 5], [10, 50]), { delay: 0, mediaStart: 5, length: undefined }],
    ['an empty edit at the end', elst(0, [10, 5], [9, -1]), { delay: 0, mediaStart: 5, length: 10 }],
    ['only empty edits', elst(0, [10, -1]), { delay: 10, mediaStart: 0, length: undefined }],
    ['no edits', elst(0), { delay: 0, mediaStart: 0, length: undefined }],
    ['a cut', elst(0, [10, 5]).subarray(0, 12), { delay: 0, mediaStart: 0, length: undefined }],
    ['nothing', new Uint8Array(0), { delay: 0, mediaStart: 0, length: undefined }],
  ])('reads %s', (_name, bytes, expected) => {
    expect(parseEditList(bytes)).toEqual(expected);
  });

  it('reads no more edits than there are bytes for', () => {
    const bytes = elst(0, [10, 5]);
    new DataView(bytes.buffer).setUint32(4, 0xffff_ffff);
    expect(parseEditList(bytes)).toEqual({ delay: 0, mediaStart: 5, length: 10 });
  });
});
