import { describe, expect, it } from 'vitest';
import { parseFlacStreamInfo } from './stream-info.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

const STEREO = '664c6143000000221200120000046d0005080ac442f0000033ae36567c6137e8d578c431ed191fd85ff5';

describe('parseFlacStreamInfo', () => {
  it.each([
    ['with its magic', STEREO],
    ['without', STEREO.slice(16)],
    ['as the last metadata block', STEREO.replace('664c614300', '664c614380')],
  ])('reads STREAMINFO %s', (_name, text) => {
    expect(parseFlacStreamInfo(hex(text))).toEqual({
      minBlockSize: 4608,
      maxBlockSize: 4608,
      sampleRate: 44_100,
      channels: 2,
      bitsPerSample: 16,
      totalSamples: 13_230,
    });
  });

  it.each([
    ['another block type', STEREO.replace('664c614300', '664c614301')],
    ['another length', STEREO.replace('00000022', '00000021')],
    ['a cut', STEREO.slice(0, -2)],
    ['a rate of 0 Hz', STEREO.replace('0ac442', '000002')],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => {
    expect(parseFlacStreamInfo(hex(text))).toBeUndefined();
  });
});
