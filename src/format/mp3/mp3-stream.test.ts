import { describe, expect, it } from 'vitest';
import type { AudioCodec, Track } from '../../codec/track.ts';
import { isMp3Track, toMp3 } from './mp3-stream.ts';

function frame(codec: AudioCodec): Parameters<typeof toMp3>[0] {
  const track: Track = { kind: 'audio', trackId: 0, codec, config: new Uint8Array(0) };
  return { track, dtsUs: 0, ptsUs: 0, isKeyFrame: true, payload: Uint8Array.of(0xe2, 0xff, 0xe3) };
}

describe('toMp3', () => {
  it('passes MP3 frames on without a copy', () => {
    const input = frame('mp3');
    expect(toMp3(input)).toBe(input.payload);
  });

  it('takes the FLV byte off MP3 at 8 kHz', () => {
    expect(toMp3(frame('mp3-8k'))).toEqual(Uint8Array.of(0xff, 0xe3));
  });

  it('writes nothing for other codecs', () => {
    expect(toMp3(frame('aac'))).toHaveLength(0);
    expect(['mp3', 'mp3-8k', 'aac'].map((codec) => isMp3Track(frame(codec as AudioCodec).track))).toEqual([
      true,
      true,
      false,
    ]);
  });
});
