import { describe, expect, it } from 'vitest';
import { splitAdtsFrames } from '../../codec/aac/adts.ts';
import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { AdtsMuxer, isAdtsTrack } from './adts-muxer.ts';

function aacTrack(...config: readonly number[]): Track {
  return { kind: 'audio', trackId: 0, codec: 'aac', config: Uint8Array.from(config) };
}

function frame(track: Track, payload: Uint8Array): Frame {
  return { track, dtsUs: 0, ptsUs: 0, isKeyFrame: true, payload };
}

const LC_44100_STEREO = aacTrack(0x12, 0x10);
const LC_48000_MONO = aacTrack(0x11, 0x88);

describe('AdtsMuxer', () => {
  it('puts a header in front of each frame', () => {
    expect(new AdtsMuxer().mux(frame(LC_44100_STEREO, Uint8Array.of(1, 2, 3)))).toEqual(
      Uint8Array.of(0xff, 0xf1, 0x50, 0x80, 0x01, 0x5f, 0xfc, 1, 2, 3),
    );
  });

  it('writes a stream that splits into the same payloads, across a change of configuration', () => {
    const muxer = new AdtsMuxer();
    const payloads = [1, 500, 8184].map((size) => new Uint8Array(size).fill(size));
    const tracks = [LC_44100_STEREO, LC_48000_MONO, LC_44100_STEREO];
    const stream = Buffer.concat(payloads.map((payload, i) => muxer.mux(frame(tracks[i]!, payload))));
    const { frames, consumedBytes } = splitAdtsFrames(stream);
    expect(frames.map((one) => new Uint8Array(one.payload))).toEqual(payloads);
    expect(frames.map((one) => one.header.sampleRate)).toEqual([44_100, 48_000, 44_100]);
    expect(consumedBytes).toBe(stream.length);
  });

  it.each<[string, Frame]>([
    ['another codec', frame({ ...LC_44100_STEREO, codec: 'opus' }, Uint8Array.of(1))],
    ['an unreadable configuration', frame(aacTrack(0xff), Uint8Array.of(1))],
    ['low-delay AAC', frame(aacTrack(0xf8, 0xe6, 0x40, 0x00), Uint8Array.of(1))],
    ['a frame of 8185 bytes', frame(LC_44100_STEREO, new Uint8Array(8185))],
    ['an empty frame', frame(LC_44100_STEREO, new Uint8Array(0))],
  ])('writes nothing for %s', (_, input) => {
    expect(new AdtsMuxer().mux(input)).toHaveLength(0);
  });
});

describe('isAdtsTrack', () => {
  it('tells what ADTS can say', () => {
    expect(isAdtsTrack(LC_44100_STEREO)).toBe(true);
    expect(isAdtsTrack({ ...LC_44100_STEREO, codec: 'mp3' })).toBe(false);
  });
});
