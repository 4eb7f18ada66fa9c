import { findStartCode } from '../nal-unit.ts';
import { MPEG_VIDEO_START_CODE, type MpegVideoPicture, parseMpegVideoPicture } from './headers.ts';

/** The first picture header of a payload; `undefined` when there is none or it cannot be read. */
export function firstMpegVideoPicture(payload: Uint8Array): MpegVideoPicture | undefined {
  for (let at = findStartCode(payload, 0); at + 3 < payload.length; at = findStartCode(payload, at + 3)) {
    if (payload[at + 3] === MPEG_VIDEO_START_CODE.picture) return parseMpegVideoPicture(payload, at);
  }
  return undefined;
}

/** Whether the first picture of a payload is coded without others, so that a decoder that has a sequence header may start there. */
export function isMpegVideoKeyFrame(payload: Uint8Array): boolean {
  return firstMpegVideoPicture(payload)?.codingType === 'I';
}
