import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStreamMuxConfig } from './stream-mux-config.ts';

const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** Bytes of zeros and ones, blanks left out, zero bits at the end. */
function bits(text: string): Uint8Array {
  const digits = text.replaceAll(' ', '');
  const bytes = digits.match(/.{1,8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
}

/** AAC-LC, 48 kHz, stereo. */
const LC = '00010 0011 0010 000';
/** Version 0, one access unit, one program, one layer. */
const HEAD = '0 1 000000 0000 000';

describe('parseStreamMuxConfig', () => {
  it.each([
    ['what ffmpeg writes', '400023203fc0'],
    ['what GStreamer writes, which ends behind the audio', '40002320'],
  ])('reads %s', (_, hex) => {
    const config = parseStreamMuxConfig(Uint8Array.from(Buffer.from(hex, 'hex')))!;
    expect(config).toMatchObject({ subFrames: 1, otherDataBits: 0, audio: { objectType: 2, sampleRate: 48_000 } });
    expect(config.fixedFrameBytes).toBeUndefined();
    expect(hexOf(config.audioConfig)).toBe('1190');
  });

  it('reads an extension that tells of no SBR, as GStreamer copies it from a container', () => {
    const config = parseStreamMuxConfig(Uint8Array.from(Buffer.from('40002410adca00', 'hex')))!;
    expect(hexOf(config.audioConfig)).toBe('120856e500');
    expect(config).toMatchObject({ otherDataBits: 0, audio: { sampleRate: 44_100 } });
    expect(config.audio.sbr).toBeUndefined();
  });

  it.each([
    ['SBR', '01010110111 00101 1 0011', false],
    ['SBR and parametric stereo', '01010110111 00101 1 0011 10101001000 1', true],
  ])('reads an extension that tells of %s, and what follows it', (_, extension, ps) => {
    const audio = `00010 0110 0001 000 ${extension}`;
    const config = parseStreamMuxConfig(bits(`${HEAD} ${audio} 001 000000100 0 0`))!;
    expect(config.audioConfig).toEqual(bits(audio));
    expect(config).toMatchObject({ fixedFrameBytes: 24, audio: { sbr: { sampleRate: 48_000 }, ps } });
  });

  it('reads several access units in an element', () => {
    expect(parseStreamMuxConfig(bits(`0 1 000011 0000 000 ${LC} 000 11111111 0 0`))).toMatchObject({ subFrames: 4 });
  });

  it('reads access units that all have the same size', () => {
    expect(parseStreamMuxConfig(bits(`${HEAD} ${LC} 001 000000100 0 0 0`))).toMatchObject({ fixedFrameBytes: 24 });
  });

  it('reads how much other data there is, and steps over a checksum', () => {
    const otherData = '1  1 00000001  0 00000010';
    const config = parseStreamMuxConfig(bits(`${HEAD} ${LC} 000 11111111 ${otherData} 1 10101010`));
    expect(config).toMatchObject({ otherDataBits: 258 });
  });

  it('reads version 1, where the audio has its length in front', () => {
    const heAac = `${LC} 01010110111 00101 1 0011`;
    const length = '00 00100101';
    const config = parseStreamMuxConfig(
      bits(`1 0 00 11111111 1 000000 0000 000 ${length} ${heAac} 000 11111111 1 00 00001000 0`),
    )!;
    expect(config).toMatchObject({ otherDataBits: 8, audio: { sbr: { sampleRate: 48_000 } } });
    expect(config.audioConfig).toEqual(bits(heAac));
  });

  it.each([
    ['nothing', ''],
    ['an audio configuration that is cut off', `${HEAD} 00010 0011`],
    ['a version there is none of', `1 1 ${'0'.repeat(60)}`],
    ['several programs', `0 1 000000 0001 000 ${LC} 000 11111111 0 0`],
    ['several layers', `0 1 000000 0000 001 ${LC} 000 11111111 0 0`],
    ['times of their own for each', `0 0 000000 0000 000 ${LC} 000 11111111 0 0`],
    ['another way to tell sizes', `${HEAD} ${LC} 011 11111111 0 0 00`],
    ['a codec whose configuration has no known end', `${HEAD} 11111 000111 0011 0010 000 ${'0'.repeat(40)}`],
    ['audio longer than there is', `1 0 00 11111111 1 000000 0000 000 01 11111111 00000000 ${LC}`],
  ])('refuses %s', (_, text) => {
    expect(parseStreamMuxConfig(bits(text))).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(() => parseStreamMuxConfig(bytes)).not.toThrow();
      }),
    );
  });
});
