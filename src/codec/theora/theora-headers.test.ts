import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeXiphLacing } from '../xiph/xiph-lacing.ts';
import {
  emptyTheoraComment,
  isTheoraHeaders,
  isTheoraKeyFrame,
  parseTheoraIdentification,
  theoraDetails,
} from './theora-headers.ts';

/** As libtheora wrote it for 96x64 pictures, 25 a second. */
const IDENTIFICATION = Uint8Array.from(
  Buffer.from('807468656f72610302010006000400006000004000000000001900000001000001000001000186a000c0', 'hex'),
);
const SETUP = Uint8Array.from(Buffer.from('827468656f726100', 'hex'));

describe('Theora headers', () => {
  it('tell size, frame rate and sampling', () => {
    expect(parseTheoraIdentification(IDENTIFICATION)).toEqual({
      width: 96,
      height: 64,
      frameRateNumerator: 25,
      frameRateDenominator: 1,
      pixelFormat: 0,
    });
    expect(theoraDetails(writeXiphLacing([IDENTIFICATION, emptyTheoraComment(), SETUP]))).toEqual({
      width: 96,
      height: 64,
      frameRate: 25,
      profile: 'Theora',
      level: '',
      codecString: 'theora',
    });
  });

  it.each([
    ['another type', IDENTIFICATION.with(0, 0x81)],
    ['another codec', IDENTIFICATION.with(1, 0x76)],
    ['another version', IDENTIFICATION.with(7, 4)],
    ['no width', IDENTIFICATION.with(16, 0)],
    ['no frame rate', IDENTIFICATION.with(25, 0)],
    ['a reserved pixel format', IDENTIFICATION.with(41, 0xc8)],
    ['an end too early', IDENTIFICATION.subarray(0, 41)],
    ['nothing', new Uint8Array(0)],
  ])('are not read with %s', (_, packet) => {
    expect(parseTheoraIdentification(packet)).toBeUndefined();
  });

  it('are three, in their order', () => {
    const comment = emptyTheoraComment();
    expect(isTheoraHeaders([IDENTIFICATION, comment, SETUP])).toBe(true);
    expect(isTheoraHeaders([IDENTIFICATION, SETUP, comment])).toBe(false);
    expect(isTheoraHeaders([IDENTIFICATION, SETUP])).toBe(false);
  });

  it('take any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        theoraDetails(bytes);
        parseTheoraIdentification(Uint8Array.from([...IDENTIFICATION.subarray(0, 10), ...bytes]));
      }),
    );
  });
});

describe('isTheoraKeyFrame', () => {
  it.each([
    [[0x20], true],
    [[0x60], false],
    [[0x80], false],
    [[], false],
  ])('of %j is %j', (packet, expected) => {
    expect(isTheoraKeyFrame(Uint8Array.from(packet))).toBe(expected);
  });
});
