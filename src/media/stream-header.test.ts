import { describe, expect, it } from 'vitest';
import type { Track } from '../codec/track.ts';
import {
  DEFAULT_SELECTION,
  EMPTY_STREAM_HEADER,
  selectHeader,
  selects,
  type TrackSelection,
  withTrack,
} from './stream-header.ts';
import { DEFAULT_VHOST, streamKey } from './stream-name.ts';

function track(name: string, config = 0): Track {
  const kind = name.startsWith('v') ? 'video' : name.startsWith('a') ? 'audio' : 'data';
  return { kind, trackId: Number(name.slice(1)), codec: 'aac', config: Uint8Array.of(config) };
}

const names = (tracks: readonly Track[]): string[] => tracks.map((t) => `${t.kind[0]}${t.trackId}`);

describe('withTrack', () => {
  it('puts video before audio and each by track id', () => {
    const header = ['a1', 'v2', 'd0', 'a0', 'v0'].map((name) => track(name)).reduce(withTrack, EMPTY_STREAM_HEADER);
    expect(names(header.tracks)).toEqual(['v0', 'v2', 'a0', 'a1', 'd0']);
  });

  it('replaces the track of the same kind and id and leaves the old header as it was', () => {
    const metadata = Uint8Array.of(1);
    const before = { tracks: [track('v0'), track('a0')], metadata };
    const after = withTrack(before, track('v0', 7));
    expect(after.tracks.map((t) => t.config[0])).toEqual([7, 0]);
    expect(after.metadata).toBe(metadata);
    expect(before.tracks.map((t) => t.config[0])).toEqual([0, 0]);
  });
});

describe('selects', () => {
  const all = ['v0', 'v1', 'a0', 'a1', 'd0'].map((name) => track(name));

  it.each<[Partial<TrackSelection>, string[]]>([
    [{}, ['v0', 'a0', 'd0']],
    [{ multitrack: true }, ['v0', 'v1', 'a0', 'a1', 'd0']],
    [{ video: false }, ['a0', 'd0']],
    [{ audio: false, multitrack: true }, ['v0', 'v1', 'd0']],
    [{ audio: false, video: false }, ['d0']],
  ])('with %j takes %j', (change, expected) => {
    const selection = { ...DEFAULT_SELECTION, ...change };
    expect(names(all.filter((t) => selects(selection, t)))).toEqual(expected);
    expect(names(selectHeader({ tracks: all, metadata: undefined }, selection).tracks)).toEqual(expected);
  });
});

describe('streamKey', () => {
  it.each([
    [DEFAULT_VHOST, 'live', 'a', 'live/a'],
    [DEFAULT_VHOST, 'live/room1', 'a', 'live/room1/a'],
    ['example.org', 'live', 'a', '//example.org/live/a'],
  ])('of %s, %s, %s is %s', (vhost, app, stream, expected) => {
    expect(streamKey({ vhost, app, stream })).toBe(expected);
  });
});
