/** The payload formats Millrace has, behind four functions that find the right one. */
import type { Track } from '../../../codec/track.ts';
import { AUDIO_FORMATS } from './audio-formats.ts';
import type { Depacketizer } from './depacketizer.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { VIDEO_FORMATS } from './video-formats.ts';

export { STATIC_MAPPINGS } from './static-mappings.tables.ts';

const FORMATS: readonly PayloadFormat[] = [...VIDEO_FORMATS, ...AUDIO_FORMATS];

/**
 * How SDP names a track; undefined when RTP can't carry it.
 * @param dynamicPayloadType 96–127, used unless the format has a static payload type for such a track
 */
export function mappingOf(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
  for (const format of FORMATS) {
    const mapping = format.toMapping(track, dynamicPayloadType);
    if (mapping !== undefined) return mapping;
  }
  return undefined;
}

/**
 * A packetizer for a track; undefined when RTP can't carry it.
 * @param inBandConfig see `PayloadFormat.makePacketizer`
 */
export function packetizerOf(track: Track, inBandConfig = false): Packetizer | undefined {
  return FORMATS.find((format) => format.toMapping(track, 0) !== undefined)?.makePacketizer(track, inBandConfig);
}

/**
 * What the SDP of another side names, as a track; undefined when Millrace has no such format.
 * @param kind of the media line: sound in a video line is not believed. Transport streams stand in either and are video
 */
export function trackOf(mapping: RtpMapping, kind: Track['kind'], trackId: number): Track | undefined {
  for (const format of FORMATS) {
    const track = format.toTrack(mapping, trackId);
    if (track !== undefined) return track.kind === kind || track.codec === 'mp2t' ? track : undefined;
  }
  return undefined;
}

/** A depacketizer for packets of a mapping; undefined when Millrace has no such format. */
export function depacketizerOf(mapping: RtpMapping): Depacketizer | undefined {
  return FORMATS.find((format) => format.toTrack(mapping, 0) !== undefined)?.makeDepacketizer(mapping);
}
