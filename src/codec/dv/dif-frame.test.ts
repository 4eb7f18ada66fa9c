import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinBytes } from '../../wire/join-bytes.ts';
import { wholeDifFrame } from './dif-frame.ts';

const AUDIO = 3;

/** The blocks of a frame in their order, each with its name in front and a byte of its own behind. */
function blocksOf(is625: boolean, channels: number): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  const add = (section: number, second: number, number: number): void => {
    const block = new Uint8Array(80).fill(blocks.length & 0xff);
    block.set([(section << 5) | 0x1f, second, number, is625 ? 0xbf : 0x3f]);
    blocks.push(block);
  };
  for (let channel = 0; channel < channels; channel++) {
    for (let sequence = 0; sequence < (is625 ? 12 : 10); sequence++) {
      const second = (sequence << 4) | (channel << 3) | 7;
      add(0, second, 0);
      for (let i = 0; i < 2; i++) add(1, second, i);
      for (let i = 0; i < 3; i++) add(2, second, i);
      for (let i = 0; i < 9; i++) {
        add(AUDIO, second, i);
        for (let j = 0; j < 15; j++) add(4, second, i * 15 + j);
      }
    }
  }
  return blocks;
}

const isAudio = (block: Uint8Array): boolean => block[0]! >>> 5 === AUDIO;

describe('wholeDifFrame', () => {
  it.each([
    [false, 1, 120_000],
    [true, 1, 144_000],
    [false, 2, 240_000],
    [true, 2, 288_000],
    [false, 4, 480_000],
  ])('gives whole frames as they are (625 lines: %j, %i channels)', (is625, channels, size) => {
    const frame = joinBytes(blocksOf(is625, channels));
    expect(frame.length).toBe(size);
    expect(wholeDifFrame(frame)).toBe(frame);
  });

  it.each([
    [false, 1],
    [true, 1],
    [false, 2],
    [true, 2],
  ])('puts in blocks of no sound for those left out (625 lines: %j, %i channels)', (is625, channels) => {
    const blocks = blocksOf(is625, channels);
    const expected = blocks.map((block) => {
      const silent = new Uint8Array(80).fill(0xff);
      silent.set([0x7f, block[1]!, block[2]!]);
      return isAudio(block) ? silent : block;
    });
    expect(wholeDifFrame(joinBytes(blocks.filter((block) => !isAudio(block))))).toEqual(joinBytes(expected));
  });

  it('keeps the sound there is', () => {
    const blocks = blocksOf(false, 1);
    const lost = blocks.findIndex(isAudio);
    const whole = wholeDifFrame(joinBytes(blocks.filter((_, i) => i !== lost)))!;
    const other = blocks.findLastIndex(isAudio);
    expect(whole.subarray(other * 80, other * 80 + 80)).toEqual(blocks[other]);
    expect(whole[lost * 80 + 5]).toBe(0xff);
  });

  it('is none that lacks anything else, has what no frame has, or begins elsewhere', () => {
    const blocks = blocksOf(false, 1).filter((block) => !isAudio(block));
    const silent = joinBytes(blocks);
    expect(wholeDifFrame(silent.subarray(80))).toBeUndefined();
    expect(wholeDifFrame(silent.subarray(0, -80))).toBeUndefined();
    expect(wholeDifFrame(silent.subarray(0, -1))).toBeUndefined();
    expect(wholeDifFrame(joinBytes([...blocks.slice(0, -1), blocks[1]!]))).toBeUndefined();
    for (const [at, value] of [
      [80, 0xff],
      [81, 0xa7],
      [81, 0x0f],
      [82, 2],
    ] as const) {
      expect(wholeDifFrame(silent.with(at, value))).toBeUndefined();
    }
    expect(wholeDifFrame(new Uint8Array(0))).toBeUndefined();
  });

  it('takes any bytes', () => {
    const silent = joinBytes(blocksOf(true, 1).filter((block) => !isAudio(block)));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(silent.length - 1), fc.nat(255)), { maxLength: 20 }), (changes) => {
        const bytes = silent.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const whole = wholeDifFrame(bytes);
        if (whole !== undefined) expect(whole.length % 80).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});
