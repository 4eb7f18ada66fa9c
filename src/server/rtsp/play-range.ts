import { parseRange, type RtspRange } from '../../protocol/rtsp/range-header.ts';
import type { PlayRefusal } from './media-session.ts';

/** Units of RFC 2326 §3.5–3.7. */
const KNOWN_UNIT = /^\s*(?:npt|clock|smpte(?:-25|-30-drop)?)\s*=/i;

/**
 * Reads the Range of a PLAY. A value that makes no sense is refused with 457, a unit nobody knows with 501 (RFC 2326
 * §12.29); undefined when there is no Range.
 */
export function parsePlayRange(value: string | undefined): RtspRange | PlayRefusal | undefined {
  if (value === undefined) return undefined;
  return parseRange(value) ?? { statusCode: KNOWN_UNIT.test(value) ? 457 : 501 };
}
