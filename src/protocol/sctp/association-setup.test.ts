import { describe, expect, it } from 'vitest';
import { type CookieVerdict, judgeCookie } from './association-setup.ts';
import type { CookieState } from './state-cookie.ts';

const tags = { local: 11, peer: 22 };
const LIFETIME_MS = 60_000;

interface Cookie {
  readonly local: number;
  readonly peer: number;
  readonly tieLocal?: number;
  readonly tiePeer?: number;
}

function cookieOf({ local, peer, tieLocal = 0, tiePeer = 0 }: Cookie): CookieState {
  return {
    createdAtMs: 1000,
    lifetimeMs: LIFETIME_MS,
    localTag: local,
    localInitialTsn: 1,
    tieLocalTag: tieLocal,
    tiePeerTag: tiePeer,
    agreement: {
      peerTag: peer,
      peerInitialTsn: 1,
      peerWindowBytes: 1,
      outboundStreams: 1,
      inboundStreams: 1,
      hasForwardTsn: true,
      isInterleaved: true,
      hasReConfig: true,
      isZeroChecksumTaken: true,
    },
  };
}

const anew = { local: 33, peer: 44 };
const both = { local: 11, peer: 22 };

// RFC 9260 §5.2.4, table 12.
describe('a cookie', () => {
  it.each<[string, Cookie, boolean, CookieVerdict, CookieVerdict]>([
    ['of a peer that began anew', { ...anew, tieLocal: 11, tiePeer: 22 }, true, 'restart', 'stale'],
    ['of somebody else', anew, true, 'discard', 'stale'],
    ['tied to another tag of ours', { ...anew, tieLocal: 12, tiePeer: 22 }, true, 'discard', 'stale'],
    ['tied to another tag of the peer', { ...anew, tieLocal: 11, tiePeer: 23 }, true, 'discard', 'stale'],
    ['of a setup both began', { local: 11, peer: 44 }, false, 'establish', 'stale'],
    ['with another tag of the peer once it stands', { local: 11, peer: 44 }, true, 'discard', 'stale'],
    ['of an earlier attempt', { local: 33, peer: 22 }, true, 'discard', 'stale'],
    ['of an earlier attempt, during setup', { local: 33, peer: 22 }, false, 'discard', 'stale'],
    ['that came twice', both, true, 'acknowledge', 'acknowledge'],
    ['of our own setup', both, false, 'establish', 'establish'],
  ])('%s', (_, cookie, isEstablished, expected, expectedLate) => {
    const verdicts = [1000 + LIFETIME_MS, 1001 + LIFETIME_MS].map((nowMs) =>
      judgeCookie(cookieOf(cookie), tags, isEstablished, nowMs),
    );
    expect(verdicts).toEqual([expected, expectedLate]);
  });

  it.each([
    ['begins an association', 1000 + LIFETIME_MS, 'establish'],
    ['does not when it is too old', 1001 + LIFETIME_MS, 'stale'],
  ] as const)('%s where there is none', (_, nowMs, expected) => {
    expect(judgeCookie(cookieOf(anew), undefined, false, nowMs)).toBe(expected);
  });

  it('tied to an association whose peer is not known yet restarts nothing', () => {
    const cookie = cookieOf({ ...anew, tieLocal: 11, tiePeer: 0 });
    expect(judgeCookie(cookie, { local: 11, peer: 0 }, false, 1000)).toBe('discard');
  });
});
