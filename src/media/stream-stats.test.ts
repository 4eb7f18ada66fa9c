import { describe, expect, it } from 'vitest';
import type { Track } from '../codec/track.ts';
import { StreamStats } from './stream-stats.ts';

const VIDEO: Track = { kind: 'video', trackId: 0, codec: 'h264', config: new Uint8Array(0) };
const AUDIO: Track = { kind: 'audio', trackId: 0, codec: 'aac', config: new Uint8Array(0) };

function add(stats: StreamStats, track: Track, ms: number, size: number, isKeyFrame = true): void {
  stats.add({ track, dtsUs: ms * 1000, ptsUs: ms * 1000, isKeyFrame, payload: new Uint8Array(size) });
}

describe('StreamStats', () => {
  it('measures bitrate, frame rate and GOP', () => {
    const stats = new StreamStats();
    for (let ms = 0; ms <= 12_000; ms += 40) {
      add(stats, VIDEO, ms, 1_000, ms % 2_000 === 0);
      if (ms % 80 === 0) add(stats, AUDIO, ms, 100);
    }
    expect(stats.of(VIDEO)).toMatchObject({
      frames: 301,
      bytes: 301_000,
      bitrateBps: 200_000,
      frameRate: 25,
      gopSeconds: 2,
    });
    expect(stats.of(AUDIO)).toMatchObject({ bitrateBps: 10_000, frameRate: 12.5, gopSeconds: undefined });
  });

  it('gives a first figure after one second', () => {
    const stats = new StreamStats();
    for (let ms = 0; ms < 1_000; ms += 40) add(stats, VIDEO, ms, 1_000);
    expect(stats.of(VIDEO).bitrateBps).toBeUndefined();
    add(stats, VIDEO, 1_000, 1_000);
    expect(stats.of(VIDEO)).toMatchObject({ bitrateBps: 200_000, frameRate: 25 });
  });

  it('knows nothing of a track that sent nothing, or after a reset', () => {
    const stats = new StreamStats();
    add(stats, VIDEO, 0, 1);
    expect(stats.of(AUDIO)).toMatchObject({ frames: 0, bytes: 0, bitrateBps: undefined, frameRate: undefined });
    stats.reset();
    expect(stats.of(VIDEO).frames).toBe(0);
  });

  it('follows a track through a change of its configuration and a clock that goes back', () => {
    const stats = new StreamStats();
    for (let ms = 60_000; ms < 62_000; ms += 40) add(stats, VIDEO, ms, 1_000);
    for (let ms = 0; ms <= 6_000; ms += 40) add(stats, { ...VIDEO, config: Uint8Array.of(1) }, ms, 2_000);
    expect(stats.of(VIDEO)).toMatchObject({ frames: 201, bitrateBps: 400_000, frameRate: 25 });
  });
});
