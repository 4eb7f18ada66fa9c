import type { OpenMediaFile } from '../../src/format/media-file.ts';
import { ProtocolError } from '../../src/wire/errors.ts';
import { BoundedFile } from './bounded-file.ts';

/** Frames read from the beginning, and after each seek. */
const MAX_FRAMES = 2000;
const MAX_FRAMES_AFTER_SEEK = 50;

/**
 * Plays any bytes as a file: from the beginning, then from some places. Only a `ProtocolError` may come of them, and what
 * comes has to make sense.
 */
export async function playAnything(open: OpenMediaFile, bytes: Uint8Array): Promise<void> {
  try {
    const file = await open(new BoundedFile(bytes));
    if (file.tracks.length === 0) throw new RangeError('no tracks');
    const { durationUs } = file;
    if (durationUs !== undefined && !(durationUs >= 0)) throw new RangeError(`a duration of ${durationUs}`);
    const points = file.seekPointsUs ?? [];
    if (points.some((point, i) => !(point >= 0) || (i > 0 && point < points[i - 1]!))) {
      throw new RangeError('seek points out of order');
    }
    let lastUs = 0;
    for (let i = 0; i < MAX_FRAMES; i++) {
      const frame = await file.next();
      if (frame === undefined) break;
      const { dtsUs, ptsUs, payload } = frame;
      if (!Number.isSafeInteger(dtsUs) || !Number.isSafeInteger(ptsUs) || dtsUs < 0 || ptsUs < 0) {
        throw new RangeError(`times ${dtsUs} and ${ptsUs}`);
      }
      if (payload.length > bytes.length + 65_536) throw new RangeError('a payload larger than its file');
      lastUs = Math.max(lastUs, ptsUs);
    }
    const share = (bytes.at(-1) ?? 0) / 255;
    for (const targetUs of [lastUs * share, lastUs, lastUs * 2 + 1, points.at(-1) ?? 1, 0]) {
      const landedUs = await file.seek(targetUs);
      const first = await file.next();
      if (first !== undefined && first.ptsUs !== landedUs)
        throw new RangeError(`landed at ${landedUs}, not ${first.ptsUs}`);
      for (let i = 0; i < MAX_FRAMES_AFTER_SEEK; i++) if ((await file.next()) === undefined) break;
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}
