import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';

const NO_OUTPUT: Uint8Array = new Uint8Array(0);

/** Whether frames of this track can be written as `.mp3`. */
export function isMp3Track(track: Track): boolean {
  return track.codec === 'mp3' || track.codec === 'mp3-8k';
}

/**
 * The bytes of a frame in an `.mp3` stream, which is MPEG audio frames one after another: a view of the payload, or
 * nothing for other codecs. MP3 at 8 kHz arrives as a whole FLV tag body, whose first byte is left out.
 */
export function toMp3(frame: Frame): Uint8Array {
  if (frame.track.codec === 'mp3') return frame.payload;
  return frame.track.codec === 'mp3-8k' ? frame.payload.subarray(1) : NO_OUTPUT;
}
