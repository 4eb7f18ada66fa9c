import { MAX_INGEST_TRACKS, type RtpIngestTrackDescription } from '../../media/rtp-ingest.ts';
import type { MikeySrtp } from '../../protocol/mikey/mikey-srtp.ts';
import { depacketizerOf, STATIC_MAPPINGS, trackOf } from '../../protocol/rtp/payload/payload-formats.ts';
import type { RtspClientTrack } from '../../protocol/rtsp/client-events.ts';
import { rtpMapsOf } from '../../protocol/sdp/rtp-maps.ts';
import type { SessionDescription } from '../../protocol/sdp/session-description.ts';
import { isSrtp, offeredSrtp } from '../rtsp/srtp-offer.ts';

/** A track of a server that can be carried. */
export interface PullTrack {
  readonly track: RtspClientTrack;
  readonly ingest: RtpIngestTrackDescription;
  /** The key its packets have, when they are SRTP. */
  readonly srtp: MikeySrtp | undefined;
}

/**
 * The tracks Millrace has a format for, in plain RTP, or in SRTP with a key it can use; of several payload types of one
 * track the first it knows.
 */
export function pullTracksOf(tracks: readonly RtspClientTrack[], description: SessionDescription): PullTrack[] {
  const found: PullTrack[] = [];
  for (const track of tracks) {
    if (track.isBackChannel || found.length === MAX_INGEST_TRACKS) continue;
    const { media } = track;
    const kind = media.type.toLowerCase();
    if (kind !== 'video' && kind !== 'audio') continue;
    const srtp = isSrtp(media) ? offeredSrtp(description, media) : undefined;
    if (srtp === undefined && /SAVP/i.test(media.protocol)) continue;
    const mapping = rtpMapsOf(media, STATIC_MAPPINGS).find(
      (map) => trackOf(map, kind, 0) !== undefined && depacketizerOf(map) !== undefined,
    );
    if (mapping !== undefined) found.push({ track, ingest: { mapping, kind }, srtp });
  }
  return found;
}
