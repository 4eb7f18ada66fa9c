import type { Track } from '../../codec/track.ts';
import type { RtpMapping } from '../../protocol/rtp/payload/payload-format.ts';
import { mappingOf, STATIC_MAPPINGS, trackOf } from '../../protocol/rtp/payload/payload-formats.ts';
import type { RtspClientTrack } from '../../protocol/rtsp/client-events.ts';
import { rtpMapsOf } from '../../protocol/sdp/rtp-maps.ts';
import { equalBytes } from '../../wire/equal-bytes.ts';

/** RTP in the clear: sound to a camera is not made SRTP. */
const PLAIN_RTP = /^RTP\/AVPF?(\/|$)/i;

/** How the sound of a camera's back channel may come, the one it likes best first. Empty when it can't be served. */
export function backChannelFormats({ media, isBackChannel }: RtspClientTrack): readonly RtpMapping[] {
  if (!isBackChannel || media.type.toLowerCase() !== 'audio' || !PLAIN_RTP.test(media.protocol)) return [];
  return rtpMapsOf(media, STATIC_MAPPINGS).filter((map) => trackOf(map, 'audio', 0) !== undefined);
}

/** The first of the formats that a track is in as it is; undefined when it would have to be transcoded. */
export function formatFor(track: Track, formats: readonly RtpMapping[]): RtpMapping | undefined {
  return formats.find((format) => isInFormat(track, format));
}

/** What people call a format: `PCMU/8000`, `MPEG4-GENERIC/16000/1`. */
export function formatName({ encodingName, clockRate, channels }: RtpMapping): string {
  return `${encodingName}/${clockRate}${channels === undefined ? '' : `/${channels}`}`;
}

function isInFormat(track: Track, format: RtpMapping): boolean {
  const own = mappingOf(track, format.payloadType);
  const asked = trackOf(format, 'audio', track.trackId);
  if (own === undefined || asked?.codec !== track.codec) return false;
  const isSameName = own.encodingName.toLowerCase() === format.encodingName.toLowerCase();
  if (!isSameName || own.clockRate !== format.clockRate) return false;
  // Where none are named, there is one (RFC 8866 §6.6).
  if ((own.channels ?? 1) !== (format.channels ?? 1)) return false;
  // Of AAC the decoder's configuration tells the rest, and the mode how units are laid out.
  if (track.codec === 'aac') return equalBytes(track.config, asked.config) && isSameMode(own, format);
  return true;
}

function isSameMode(own: RtpMapping, format: RtpMapping): boolean {
  const mode = format.parameters.get('mode')?.toLowerCase();
  return mode === undefined || mode === own.parameters.get('mode')?.toLowerCase();
}
