import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../../wire/base64.ts';
import {
  emptyVorbisComment,
  isLongVorbisBlock,
  isVorbisHeaders,
  parseVorbisIdentification,
  parseVorbisModes,
} from './vorbis-headers.ts';

const sdp = readFileSync('test/fixtures/rtp/vorbis-gstreamer.sdp', 'utf8');
/** Behind twelve bytes of numbers and sizes. */
const packed = fromBase64(/configuration=(\S+)/.exec(sdp)![1]!)!.subarray(12);
const identification = packed.subarray(0, 30);
const comment = packed.subarray(30, 78);
const setup = packed.subarray(78);

describe('Vorbis headers of libvorbis', () => {
  it('tell rate, channels and block sizes', () => {
    expect(parseVorbisIdentification(identification)).toEqual({
      channels: 2,
      sampleRate: 48_000,
      blockSizes: [256, 2048],
    });
  });

  it('tell a mode of short blocks and one of long ones', () => {
    expect(parseVorbisModes(setup)).toEqual([false, true]);
    expect(parseVorbisModes(new Uint8Array([...setup, 0, 0]))).toEqual([false, true]);
  });

  it('are three', () => {
    expect(isVorbisHeaders([identification, comment, setup])).toBe(true);
    expect(isVorbisHeaders([identification, emptyVorbisComment(), setup])).toBe(true);
    expect(isVorbisHeaders([identification, setup])).toBe(false);
    expect(isVorbisHeaders([setup, comment, identification])).toBe(false);
  });
});

describe('isLongVorbisBlock', () => {
  it.each([
    [0b000, [false, true], false],
    [0b010, [false, true], true],
    [0b110, [false, true, true], undefined],
    [0b100, [false, true, true], true],
    [0b110, [true], true],
    [0b001, [true], undefined],
  ])('reads the mode in %i', (first, modes, isLong) => {
    expect(isLongVorbisBlock(Uint8Array.of(first), modes)).toBe(isLong);
  });

  it('knows nothing of an empty packet', () => {
    expect(isLongVorbisBlock(new Uint8Array(0), [true])).toBeUndefined();
  });
});

describe('broken Vorbis headers', () => {
  it.each([
    ['another version', 7, 1],
    ['no channels', 11, 0],
    ['a block of 32 samples', 28, 0x55],
    ['short blocks that are longer', 28, 0x68],
  ])('with %s are none', (_, at, value) => {
    expect(parseVorbisIdentification(identification.slice().fill(value, at, at + 1))).toBeUndefined();
  });

  it('never make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(4000), (noise, at) => {
        parseVorbisModes(noise);
        parseVorbisIdentification(noise);
        parseVorbisModes(setup.subarray(0, at));
      }),
    );
  });
});
