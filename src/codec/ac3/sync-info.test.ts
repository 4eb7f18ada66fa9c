import { describe, expect, it } from 'vitest';
import { parseAc3SyncInfo } from './sync-info.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('parseAc3SyncInfo', () => {
  // Heads that FFmpeg wrote, packet sizes as ffprobe shows them.
  it.each([
    ['0b77b50b1e40ebf8403eff99', 'ac3', 48_000, 6, 1792, 1536],
    ['0b77c2ea544043e106f575f0', 'ac3', 44_100, 2, 834, 1536],
    ['0b77c2ea554043e106f575f0', 'ac3', 44_100, 2, 836, 1536],
    ['0b77999b88402f842ba1cefa', 'ac3', 32_000, 1, 384, 1536],
    ['0b77037f3f87c00020f82000', 'eac3', 48_000, 6, 1792, 1536],
    ['0b7701157487c00020842108', 'eac3', 44_100, 2, 556, 1536],
    ['0b770115c087c00020842108', 'eac3', 24_000, 2, 556, 1536],
    ['0b770115048780', 'eac3', 48_000, 2, 556, 256],
    ['0b77b50b1e48ebf8403eff99', 'ac3', 24_000, 6, 1792, 1536],
  ])('%s', (text, codec, sampleRate, channels, frameBytes, samples) => {
    expect(parseAc3SyncInfo(hex(text))).toMatchObject({ codec, sampleRate, channels, frameBytes, samples });
  });

  it.each([
    ['another syncword', '0b78b50b1e40ebf8'],
    ['the reserved rate of AC-3', '0b77b50bde40ebf8'],
    ['a reserved frame size of AC-3', '0b77b50b2640ebf8'],
    ['the reserved rate of E-AC-3', '0b770115f487c000'],
    ['the reserved stream type of E-AC-3', '0b77c1157487c000'],
    ['bsid 17', '0b77b50b1e88ebf8'],
    ['a cut', '0b77b50b1e'],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => {
    expect(parseAc3SyncInfo(hex(text))).toBeUndefined();
  });
});
