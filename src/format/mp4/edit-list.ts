import { ByteReader } from '../../wire/byte-reader.ts';

const MAX_EDITS = 64;

/** How the media of a track lies on the time line of the movie. */
export interface EditList {
  /** Silence or nothing in front of the track (empty edits), in units of the movie's timescale. */
  readonly delay: number;
  /** Media time presented first, in units of the track's timescale. */
  readonly mediaStart: number;
  /** Length of what is presented, in units of the movie's timescale; undefined: to the end of the media. */
  readonly length: number | undefined;
}

/** For a track without edit list. */
export const NO_EDITS: EditList = { delay: 0, mediaStart: 0, length: undefined };

/**
 * Parses the body of `elst` (ISO/IEC 14496-12 §8.6.6). Empty edits in front and one stretch of media are honoured. Of a
 * list of several stretches only the start of the first is: what lies between them is played too.
 *
 *     version(8) flags(24) entry_count(32) { segment_duration(32/64) media_time(32/64, signed) media_rate(16.16) }
 */
export function parseEditList(elst: Uint8Array): EditList {
  const reader = new ByteReader(elst);
  const isLong = reader.u8() === 1;
  reader.skip(3);
  const count = Math.min(reader.u32(), MAX_EDITS);
  let delay = 0;
  let mediaStart: number | undefined;
  let length: number | undefined;
  for (let i = 0; i < count; i++) {
    const duration = isLong ? reader.u32() * 0x1_0000_0000 + reader.u32() : reader.u32();
    const high = isLong ? reader.i32() : 0;
    const mediaTime = isLong ? high * 0x1_0000_0000 + reader.u32() : reader.i32();
    reader.skip(4);
    if (reader.overrun) break;
    if (mediaTime < 0) {
      if (mediaStart === undefined) delay += duration;
      continue;
    }
    if (mediaStart !== undefined) {
      length = undefined;
      break;
    }
    mediaStart = mediaTime;
    // 0 is what writers put who don't know yet.
    length = duration === 0 ? undefined : duration;
  }
  return { delay, mediaStart: mediaStart ?? 0, length };
}
