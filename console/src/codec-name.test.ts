import { describe, expect, it } from 'vitest';
import { codecName, describeAudioCodec, describeVideoCodec } from './codec-name.ts';
import { audioEntry, videoEntry } from './stream-entry.fixture.ts';

describe('codec names', () => {
  it.each([
    ['h264', 'H.264'],
    ['eac3', 'E-AC-3'],
    ['novel', 'novel'],
    ['', 'unknown codec'],
  ])('calls %j %s', (codec, name) => {
    expect(codecName(codec)).toBe(name);
  });

  it('adds profile and level when they are known', () => {
    expect(describeVideoCodec(videoEntry({ profile: 'High', level: '4.1' }))).toBe('H.264 High 4.1');
    expect(describeVideoCodec(videoEntry({ profile: '', level: '' }))).toBe('H.264');
    expect(describeAudioCodec(audioEntry({ profile: 'LC' }))).toBe('AAC LC');
  });
});
