import { setU16 } from '../../wire/big-endian.ts';
import { CHUNK_TYPE } from './chunk-type.ts';
import { CHUNK_HEADER_BYTES } from './packet-builder.ts';
import type { TagPair } from './packet-filter.ts';
import { MAX_STREAMS } from './sctp-limits.ts';
import type { SctpSettings } from './sctp-options.ts';
import { EDMID_DTLS, type SetupChunk } from './setup-chunk.ts';
import type { Agreement, CookieState } from './state-cookie.ts';

/** What to do with a COOKIE ECHO. */
export type CookieVerdict = 'establish' | 'acknowledge' | 'restart' | 'stale' | 'discard';

/** What we say in INIT and INIT ACK. */
export function ourSetup(settings: SctpSettings, initiateTag: number, initialTsn: number): SetupChunk {
  const interleaved = settings.interleaving ? [CHUNK_TYPE.iData, CHUNK_TYPE.iForwardTsn] : [];
  return {
    initiateTag,
    receiveWindowBytes: settings.receiveWindowBytes,
    outboundStreams: settings.outboundStreams,
    inboundStreams: settings.inboundStreams,
    initialTsn,
    hasForwardTsn: true,
    extensions: [CHUNK_TYPE.reConfig, CHUNK_TYPE.forwardTsn, ...interleaved],
    ...(settings.zeroChecksum ? { zeroChecksumMethod: EDMID_DTLS } : {}),
    unrecognized: [],
  };
}

/** What follows from our settings and the INIT or INIT ACK of the peer. */
export function agreementWith(settings: SctpSettings, peer: SetupChunk): Agreement {
  const has = (type: number): boolean => peer.extensions.includes(type);
  const isInterleaved = settings.interleaving && has(CHUNK_TYPE.iData);
  return {
    peerTag: peer.initiateTag,
    peerInitialTsn: peer.initialTsn,
    peerWindowBytes: peer.receiveWindowBytes,
    outboundStreams: Math.min(settings.outboundStreams, peer.inboundStreams, MAX_STREAMS),
    inboundStreams: Math.min(settings.inboundStreams, peer.outboundStreams, MAX_STREAMS),
    // With I-DATA messages are given up by I-FORWARD-TSN (RFC 8260 §2.3.1).
    hasForwardTsn: isInterleaved ? has(CHUNK_TYPE.iForwardTsn) : peer.hasForwardTsn || has(CHUNK_TYPE.forwardTsn),
    isInterleaved,
    hasReConfig: has(CHUNK_TYPE.reConfig),
    isZeroChecksumTaken: settings.zeroChecksum && peer.zeroChecksumMethod === EDMID_DTLS,
  };
}

/**
 * What a good cookie means beside the tags we have (RFC 9260 §5.2.4, table 12): the letters are those of its actions.
 * `tags` is undefined when there is no association; `isEstablished` tells one that stands from one being set up.
 */
export function judgeCookie(
  cookie: CookieState,
  tags: TagPair | undefined,
  isEstablished: boolean,
  nowMs: number,
): CookieVerdict {
  const isStale = nowMs > cookie.createdAtMs + cookie.lifetimeMs;
  if (tags === undefined) return isStale ? 'stale' : 'establish';
  const isLocalSame = cookie.localTag === tags.local;
  const isPeerSame = cookie.agreement.peerTag === tags.peer;
  // D: our own handshake, or a COOKIE ECHO that came twice. Never stale.
  if (isLocalSame && isPeerSame) return isEstablished ? 'acknowledge' : 'establish';
  if (isStale) return 'stale';
  // B: both began at the same time.
  if (isLocalSame) return isEstablished ? 'discard' : 'establish';
  // C: a cookie of an earlier attempt.
  if (isPeerSame) return 'discard';
  // A: the peer began anew.
  const isTied = cookie.tieLocalTag === tags.local && cookie.tiePeerTag === tags.peer && tags.peer !== 0;
  return isTied ? 'restart' : 'discard';
}

/** The COOKIE ECHO chunk of a cookie. */
export function cookieEchoOf(cookie: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(CHUNK_HEADER_BYTES + cookie.length);
  chunk[0] = CHUNK_TYPE.cookieEcho;
  setU16(chunk, 2, chunk.length);
  chunk.set(cookie, CHUNK_HEADER_BYTES);
  return chunk;
}
