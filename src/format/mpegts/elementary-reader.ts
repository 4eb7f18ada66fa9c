import type { AudioCodec, Track, VideoCodec } from '../../codec/track.ts';
import { audioDetails, videoDetails } from '../../codec/track-details.ts';
import type { TsDemuxEvent } from './ts-demux-event.ts';

/** Times of a PES packet on the demuxer's line, in microseconds; `undefined` when it has none. */
export interface UnitTimes {
  readonly dtsUs: number;
  readonly ptsUs: number;
}

/** Turns the PES payloads of one elementary stream into tracks and frames. */
export interface ElementaryReader {
  /** The newest track told, if any. */
  readonly track: Track | undefined;
  /** Takes a whole PES payload, which is given away, and appends what it tells. */
  push(payload: Uint8Array, times: UnitTimes | undefined, events: TsDemuxEvent[]): void;
  /** Data is missing before the next payload. */
  reset(): void;
}

/** A video track with what can be read from its configuration. */
export function videoTrack(trackId: number, codec: VideoCodec, config: Uint8Array): Track {
  const video = videoDetails(codec, config);
  return { kind: 'video', trackId, codec, config, ...(video === undefined ? {} : { video }) };
}

/** An audio track with what can be read from its configuration or first frame. */
export function audioTrack(trackId: number, codec: AudioCodec, config: Uint8Array, firstFrame: Uint8Array): Track {
  const audio = audioDetails(codec, config, firstFrame);
  return { kind: 'audio', trackId, codec, config, ...(audio === undefined ? {} : { audio }) };
}
