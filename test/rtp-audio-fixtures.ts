/** Reads the captured streams of sound that `scripts/rtp-audio-fixtures.js` makes. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DepacketizedUnit } from '../src/protocol/rtp/payload/depacketizer.ts';
import type { RtpMapping } from '../src/protocol/rtp/payload/payload-format.ts';
import { STATIC_MAPPINGS } from '../src/protocol/rtp/payload/static-mappings.tables.ts';
import { mappingOf, RTP_FIXTURES } from './rtp-payload-test-kit.ts';

/** A mapping of sound from `name=value` pairs with semicolons between. */
export function audioMapping(encodingName: string, clockRate: number, channels?: number, fmtp = ''): RtpMapping {
  return { ...mappingOf(encodingName, fmtp, clockRate), channels };
}

/** The mapping of a captured stream, that of its static payload type when its SDP has no `a=rtpmap`. */
export function readAudioMapping(name: string): RtpMapping {
  const text = readFileSync(join(RTP_FIXTURES, `${name}.sdp`), 'utf8');
  const map = /a=rtpmap:\d+ ([^/\s]+)\/(\d+)(?:\/(\d+))?/.exec(text);
  if (map === null) return STATIC_MAPPINGS.get(Number(/m=\w+ 0 RTP\/AVP (\d+)/.exec(text)?.[1]))!;
  const fmtp = /a=fmtp:\d+ (.*)/.exec(text)?.[1] ?? '';
  return audioMapping(map[1]!, Number(map[2]), map[3] === undefined ? undefined : Number(map[3]), fmtp);
}

/** `size md5` of each unit that was sent. */
export function readSentUnits(name: string): string[] {
  return readFileSync(join(RTP_FIXTURES, `${name}.md5`), 'utf8')
    .trim()
    .split('\n');
}

/** Units in the words of `readSentUnits`. */
export function summary(units: readonly Pick<DepacketizedUnit, 'payload'>[]): string[] {
  return units.map(({ payload }) => `${payload.length} ${createHash('md5').update(payload).digest('hex')}`);
}
