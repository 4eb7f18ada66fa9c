import { describe, expect, it } from 'vitest';
import { writeKeyManagementAttribute, writeKeyManagementHeader } from '../../protocol/mikey/key-management.ts';
import { parseSessionDescription } from '../../protocol/sdp/session-description-parser.ts';
import type { SrtpKeys } from '../../protocol/srtp/key-derivation.ts';
import { toBase64 } from '../../wire/base64.ts';
import { isSrtp, offeredSrtp, offeredSrtpOfHeader } from './srtp-offer.ts';
import { keyMessage } from './srtp-protection.ts';

/** A key that can be told from others by its first byte. */
function keysOf(mark: number): SrtpKeys {
  return {
    profile: 'AES_CM_128_HMAC_SHA1_80',
    masterKey: new Uint8Array(16).fill(mark),
    masterSalt: new Uint8Array(14).fill(mark),
  };
}

const message = (mark: number): Uint8Array => keyMessage(keysOf(mark), new Map([[7, 2]]));
const mikey = (mark: number): string => `a=key-mgmt:${writeKeyManagementAttribute(message(mark))}`;
const sdes = (mark: number): string =>
  `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${toBase64(new Uint8Array(30).fill(mark))}`;

function describedBy(session: readonly string[], media: readonly string[], protocol = 'RTP/SAVP') {
  const lines = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=x', 't=0 0', ...session, `m=audio 0 ${protocol} 0`, ...media];
  return parseSessionDescription(new TextEncoder().encode(`${lines.join('\r\n')}\r\n`))!;
}

describe('the key of a media section', () => {
  it.each([
    ['is its MIKEY message', [], [mikey(1)], 1],
    ['is its crypto attribute', [], [sdes(1)], 1],
    ['is the first that can be used', [], ['a=key-mgmt:mikey AAAA', mikey(2), mikey(3)], 2],
    ['is no message of another protocol', [], [mikey(1).replace('mikey', 'keyp1'), mikey(2)], 2],
    ['is by MIKEY before SDES', [], [sdes(1), mikey(2)], 2],
    ['is by SDES where MIKEY can not be used', [], ['a=key-mgmt:mikey AAAA', sdes(2)], 2],
    ['is that of the session where it has none', [mikey(1)], [], 1],
    ['is its own where both have one', [mikey(1)], [sdes(2)], 2],
    ['is none where there is none', [], [], undefined],
    ['is none where none can be used', ['a=key-mgmt:mikey'], ['a=crypto:1 NULL inline:AAAA'], undefined],
  ])('%s', (_, session, media, mark) => {
    const description = describedBy(session, media);
    expect(offeredSrtp(description, description.media[0]!)?.keys.masterKey[0]).toBe(mark);
  });

  it('comes with the rollover counters of its senders', () => {
    const description = describedBy([], [mikey(1)]);
    expect(offeredSrtp(description, description.media[0]!)?.rolloverCounters).toEqual(new Map([[7, 2]]));
  });
});

describe('the key of a SETUP', () => {
  it.each([
    ['is in its header', writeKeyManagementHeader({ uri: 'rtsp://a/b', message: message(1) }), 1],
    [
      'is the first that can be used',
      `prot=mikey; data="AAAA", ${writeKeyManagementHeader({ uri: undefined, message: message(2) })}`,
      2,
    ],
    ['is none in a header of nothing', '', undefined],
    ['is none in a header of something else', 'prot=other; data="AAAA"', undefined],
  ])('%s', (_, header, mark) => {
    expect(offeredSrtpOfHeader(header)?.keys.masterKey[0]).toBe(mark);
  });
});

describe('a media section', () => {
  it.each([
    ['RTP/SAVP', true],
    ['RTP/SAVPF', true],
    ['rtp/savp', true],
    ['RTP/SAVP/TCP', true],
    ['RTP/AVP', false],
    ['RTP/AVPF', false],
    // The keys are not in the description.
    ['UDP/TLS/RTP/SAVPF', false],
    ['RTP/SAVPX', false],
  ])('of %s: SRTP with a key of the description is %s', (protocol, expected) => {
    expect(isSrtp(describedBy([], [], protocol).media[0]!)).toBe(expected);
  });
});
