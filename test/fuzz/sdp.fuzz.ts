import { rtpMapAttributes, rtpMapsOf } from '../../src/protocol/sdp/rtp-maps.ts';
import {
  cryptoAttribute,
  cryptosOf,
  keyManagementAttribute,
  keyManagementsOf,
} from '../../src/protocol/sdp/security-attributes.ts';
import { connectionOf, directionOf, type MediaDescription } from '../../src/protocol/sdp/session-description.ts';
import { parseSessionDescription } from '../../src/protocol/sdp/session-description-parser.ts';
import { writeSessionDescription } from '../../src/protocol/sdp/session-description-writer.ts';
import { sourceFilterAttribute, sourceFiltersOf, ssrcsOf } from '../../src/protocol/sdp/source-attributes.ts';

export const name = 'sdp';

/** Descriptions: what is read can be written and is then read as the same; so can its attributes. */
export function run(bytes: Uint8Array): void {
  const session = parseSessionDescription(bytes);
  if (session === undefined) return;
  const written = writeSessionDescription(session);
  const again = parseSessionDescription(written);
  if (again === undefined || writeSessionDescription(again) !== written) {
    throw new RangeError('a description written differs');
  }
  for (const media of session.media) {
    directionOf(session, media);
    connectionOf(session, media);
    checkAttributes(media);
  }
}

function checkAttributes(media: MediaDescription): void {
  for (const map of rtpMapsOf(media)) {
    const only = { ...media, formats: [String(map.payloadType)], attributes: rtpMapAttributes(map) };
    expectSame(rtpMapsOf(only).map(plain), [plain(map)], 'rtpmap');
  }
  const keys = keyManagementsOf(media);
  expectSame(keyManagementsOf({ attributes: keys.map(keyManagementAttribute) }), keys, 'key-mgmt');
  const cryptos = cryptosOf(media);
  expectSame(cryptosOf({ attributes: cryptos.map(cryptoAttribute) }), cryptos, 'crypto');
  const filters = sourceFiltersOf(media);
  expectSame(sourceFiltersOf({ attributes: filters.map(sourceFilterAttribute) }), filters, 'source-filter');
  ssrcsOf(media);
}

function plain(map: ReturnType<typeof rtpMapsOf>[number]): unknown {
  return { ...map, parameters: [...map.parameters] };
}

function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new RangeError(`${what} written differs`);
}
