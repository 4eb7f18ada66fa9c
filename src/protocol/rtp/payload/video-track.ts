import type { Track, VideoCodec } from '../../../codec/track.ts';
import { videoDetails } from '../../../codec/track-details.ts';

/** RTP timestamp units a second of every video format here. */
export const VIDEO_CLOCK_RATE = 90_000;

/** A video track with what can be read from its configuration. */
export function videoTrack(trackId: number, codec: VideoCodec, config: Uint8Array): Track {
  const video = videoDetails(codec, config);
  return { kind: 'video', trackId, codec, config, ...(video && { video }) };
}
