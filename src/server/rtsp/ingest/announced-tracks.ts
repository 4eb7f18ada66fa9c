import { MAX_INGEST_TRACKS, type RtpIngestTrackDescription } from '../../../media/rtp-ingest.ts';
import type { MikeySrtp } from '../../../protocol/mikey/mikey-srtp.ts';
import { depacketizerOf, STATIC_MAPPINGS, trackOf } from '../../../protocol/rtp/payload/payload-formats.ts';
import { rtpMapsOf } from '../../../protocol/sdp/rtp-maps.ts';
import { attributeOf, type MediaDescription } from '../../../protocol/sdp/session-description.ts';
import { parseSessionDescription } from '../../../protocol/sdp/session-description-parser.ts';
import { isSrtp, offeredSrtp } from '../srtp-offer.ts';

/** RTP as it comes in the clear; what follows a slash is the transport, which SETUP tells. */
const PLAIN_RTP = /^RTP\/AVPF?(\/|$)/i;

/** A media section of a publisher's SDP. */
export interface AnnouncedTrack {
  /** What its packets mean; undefined when they can't be carried. */
  readonly description: RtpIngestTrackDescription | undefined;
  /** Its `a=control`, relative or absolute; undefined when it names none. */
  readonly control: string | undefined;
  /** Its packets are SRTP. */
  readonly isProtected: boolean;
  /** The key of those; undefined when the description tells none that can be used. */
  readonly srtp: MikeySrtp | undefined;
}

/**
 * The tracks of a publisher's SDP, in the order of its media sections, at most `MAX_INGEST_TRACKS`. Undefined when it is no
 * SDP.
 */
export function announcedTracks(sdp: Uint8Array): readonly AnnouncedTrack[] | undefined {
  const session = parseSessionDescription(sdp);
  return session?.media.slice(0, MAX_INGEST_TRACKS).map((media) => {
    const isProtected = isSrtp(media);
    return {
      description: descriptionOf(media),
      control: attributeOf(media, 'control')?.trim(),
      isProtected,
      srtp: isProtected ? offeredSrtp(session, media) : undefined,
    };
  });
}

/** The first payload type that can be carried: others of a section are alternatives, or repairs of it. */
function descriptionOf(media: MediaDescription): RtpIngestTrackDescription | undefined {
  if (!PLAIN_RTP.test(media.protocol) && !isSrtp(media)) return undefined;
  const type = media.type.toLowerCase();
  const kind = type === 'video' || type === 'audio' ? type : 'data';
  const mapping = rtpMapsOf(media, STATIC_MAPPINGS).find(
    (map) => trackOf(map, kind, 0) !== undefined && depacketizerOf(map) !== undefined,
  );
  return mapping === undefined ? undefined : { mapping, kind };
}
