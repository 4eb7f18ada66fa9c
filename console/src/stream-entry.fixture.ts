import type { AudioEntry, StreamEntry, VideoEntry } from './streams-document.ts';

/** A video track for tests, with `changes` to it. */
export function videoEntry(changes: Partial<VideoEntry> = {}): VideoEntry {
  return {
    codec: 'h264',
    codecString: 'avc1.42c01e',
    width: 640,
    height: 360,
    profile: 'Constrained Baseline',
    level: '3.0',
    frameRate: 25,
    bitrateBps: 300_000,
    gopSeconds: 2,
    ...changes,
  };
}

/** An audio track for tests, with `changes` to it. */
export function audioEntry(changes: Partial<AudioEntry> = {}): AudioEntry {
  return {
    codec: 'aac',
    codecString: 'mp4a.40.2',
    profile: 'LC',
    sampleRate: 44_100,
    channels: 2,
    bitrateBps: 48_000,
    ...changes,
  };
}

/** A live stream with picture and sound for tests, with `changes` to it. */
export function streamEntry(changes: Partial<StreamEntry> = {}): StreamEntry {
  return {
    key: 'live/demo',
    vhost: '__defaultVhost__',
    app: 'live',
    stream: 'demo',
    publishing: true,
    uptimeSeconds: 12.3,
    viewers: 3,
    video: videoEntry(),
    audio: audioEntry(),
    paths: { flv: '/live/demo.flv', ts: '/live/demo.ts' },
    ...changes,
  };
}
