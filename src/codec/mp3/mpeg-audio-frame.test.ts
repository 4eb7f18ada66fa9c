import { describe, expect, it } from 'vitest';
import { parseMpegAudioHeader } from './mpeg-audio-frame.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('parseMpegAudioHeader', () => {
  // Headers of LAME and FFmpeg, packet sizes as ffprobe shows them.
  it.each([
    ['fffb5464', '1', 3, 48_000, 2, 192, 1152],
    ['fffb5064', '1', 3, 44_100, 2, 208, 1152],
    ['fffb5264', '1', 3, 44_100, 2, 209, 1152],
    ['fffb5864', '1', 3, 32_000, 2, 288, 1152],
    ['fff38464', '2', 3, 24_000, 2, 192, 576],
    ['fff38064', '2', 3, 22_050, 2, 208, 576],
    ['fff38864', '2', 3, 16_000, 2, 288, 576],
    ['ffe38464', '2.5', 3, 12_000, 2, 384, 576],
    ['ffe38064', '2.5', 3, 11_025, 2, 417, 576],
    ['ffe38864', '2.5', 3, 8_000, 2, 576, 576],
    ['fffb50c4', '1', 3, 44_100, 1, 208, 1152],
    ['fffd8004', '1', 2, 44_100, 2, 417, 1152],
    ['ffff8400', '1', 1, 48_000, 2, 256, 384],
    ['ffff8600', '1', 1, 48_000, 2, 260, 384],
    ['fff78400', '2', 1, 24_000, 2, 256, 384],
  ])('%s', (text, version, layer, sampleRate, channels, frameBytes, samples) => {
    expect(parseMpegAudioHeader(hex(text))).toMatchObject({
      version,
      layer,
      sampleRate,
      channels,
      frameBytes,
      samples,
    });
  });

  it.each([
    ['a cut', 'fffb50'],
    ['no sync', 'ff1b5064'],
    ['the reserved version', 'ffeb5064'],
    ['the reserved layer (as in ADTS)', 'fff15064'],
    ['free format', 'fffb0064'],
    ['bit rate index 15', 'fffbf064'],
    ['the reserved rate', 'fffb5c64'],
  ])('refuses %s', (_name, text) => {
    expect(parseMpegAudioHeader(hex(text))).toBeUndefined();
  });
});
