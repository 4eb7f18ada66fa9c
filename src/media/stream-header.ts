import type { Track } from '../codec/track.ts';

/** What a decoder must know before the first frame. Immutable; a change makes a new one. */
export interface StreamHeader {
  /** At most one per kind and track id; video first, then audio, each by track id. */
  readonly tracks: readonly Track[];
  /** AMF0 body of the merged onMetaData (`"onMetaData"` string first), or undefined when the publisher sent none. */
  readonly metadata: Uint8Array | undefined;
}

export const EMPTY_STREAM_HEADER: StreamHeader = { tracks: [], metadata: undefined };

const KIND_ORDER = { video: 0, audio: 1, data: 2 } as const;

/** The header with `track` put in the place of the one with the same kind and id. */
export function withTrack(header: StreamHeader, track: Track): StreamHeader {
  const others = header.tracks.filter((t) => t.kind !== track.kind || t.trackId !== track.trackId);
  const tracks = [...others, track].sort((a, b) => KIND_ORDER[a.kind] - KIND_ORDER[b.kind] || a.trackId - b.trackId);
  return { ...header, tracks };
}

/** Which tracks of a stream a viewer wants. Renditions are made once per selection. */
export interface TrackSelection {
  readonly audio: boolean;
  readonly video: boolean;
  /** Tracks with an id other than 0 too (Enhanced RTMP multitrack). */
  readonly multitrack: boolean;
}

export const DEFAULT_SELECTION: TrackSelection = { audio: true, video: true, multitrack: false };

/** Whether the selection takes this track. Data tracks always pass. */
export function selects(selection: TrackSelection, track: Track): boolean {
  if (track.kind === 'data') return true;
  if (track.trackId !== 0 && !selection.multitrack) return false;
  return track.kind === 'audio' ? selection.audio : selection.video;
}

/** The header as seen through a selection. */
export function selectHeader(header: StreamHeader, selection: TrackSelection): StreamHeader {
  return { ...header, tracks: header.tracks.filter((track) => selects(selection, track)) };
}
