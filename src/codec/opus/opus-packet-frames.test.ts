import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitOpusFrames } from './opus-packet-frames.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const frames = (packet: string): string[] | undefined =>
  splitOpusFrames(bytes(packet))?.map((frame) => Buffer.from(frame).toString('hex'));

describe('splitOpusFrames', () => {
  it.each([
    ['one frame', '78 aabb', ['aabb']],
    ['one frame of nothing', '78', ['']],
    ['two of one size', '79 aabb ccdd', ['aabb', 'ccdd']],
    ['two of any size', '7a 01 aa bbccdd', ['aa', 'bbccdd']],
    ['several of one size', '7b 03 aabbcc', ['aa', 'bb', 'cc']],
    ['several of any size', '7b 83 01 02 aa bbbb cccccc', ['aa', 'bbbb', 'cccccc']],
    ['several before padding', '7b 42 02 aabb 0000', ['aa', 'bb']],
    ['several of any size before padding', '7b c2 01 01 aa bbbb 00', ['aa', 'bbbb']],
  ])('finds %s', (_, packet, expected) => {
    expect(frames(packet)).toEqual(expected);
  });

  it('reads lengths of two bytes', () => {
    expect(splitOpusFrames(bytes(`7a fc 01 ${'aa'.repeat(256)} bb`))?.map((frame) => frame.length)).toEqual([256, 1]);
  });

  it.each([
    ['nothing', ''],
    ['halves that are not equal', '79 aabbcc'],
    ['a length beyond the end', '7a 05 aa'],
    ['half a length', '7a fc'],
    ['no length', '7a'],
    ['no number of frames', '7b'],
    ['no frames', '7b 00'],
    ['too many frames', '7b 31'],
    ['sizes that do not come out even', '7b 02 aabbcc'],
    ['lengths beyond the end', '7b 82 09 aa'],
    ['more padding than bytes', '7b 41 09 aa'],
    ['a frame that is too long', `78 ${'00'.repeat(1276)}`],
  ])('refuses %s', (_, packet) => {
    expect(frames(packet)).toBeUndefined();
  });

  it('never throws, and gives no more bytes than there are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (packet) => {
        const size = splitOpusFrames(packet)?.reduce((sum, frame) => sum + frame.length, 0) ?? 0;
        expect(size).toBeLessThanOrEqual(packet.length);
      }),
    );
  });
});
