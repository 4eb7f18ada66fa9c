import { smpteToUs } from '../../../protocol/rtsp/range-header.ts';
import type { PlayRefusal } from '../media-session.ts';
import { parsePlayRange } from '../play-range.ts';

/** The part of a file a client wants. Undefined: where play stands, or the end of the file. */
export interface FileRange {
  readonly startUs: number | undefined;
  readonly endUs: number | undefined;
}

/**
 * Reads the Range of a PLAY for a file. Refused with 457 (RFC 2326 §11.3.8): a start behind the end of the file, an end on
 * the wrong side of the start; with 456 (§11.3.7) wall clock times, which files do not have.
 * @param scale negative plays towards the start
 */
export function fileRange(
  value: string | undefined,
  durationUs: number | undefined,
  scale: number,
): FileRange | PlayRefusal {
  const range = parsePlayRange(value);
  if (range === undefined) return { startUs: undefined, endUs: undefined };
  if ('statusCode' in range) return range;
  if (range.type === 'clock') return NOT_FOR_FILES;
  let startUs: number | undefined;
  let endUs: number | undefined;
  if (range.type === 'npt') {
    startUs = range.startUs === 'now' ? undefined : range.startUs;
    endUs = range.endUs;
  } else {
    startUs = range.start && smpteToUs(range.type, range.start);
    endUs = range.end && smpteToUs(range.type, range.end);
  }
  if (startUs !== undefined && durationUs !== undefined && startUs > durationUs) return INVALID_RANGE;
  if (startUs !== undefined && endUs !== undefined && (scale < 0 ? endUs > startUs : endUs < startUs)) {
    return INVALID_RANGE;
  }
  return { startUs, endUs };
}

const INVALID_RANGE: PlayRefusal = { statusCode: 457 };
const NOT_FOR_FILES: PlayRefusal = { statusCode: 456 };
