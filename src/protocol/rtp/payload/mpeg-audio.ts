import type { Track } from '../../../codec/track.ts';
import type { Depacketizer } from './depacketizer.ts';
import { isNamed, parameterNumber } from './mapping-parameters.ts';
import { MpegAudioDepacketizer } from './mpeg-audio-depacketizer.ts';
import { MPEG_AUDIO_CLOCK_RATE, MpegAudioPacketizer } from './mpeg-audio-packetizer.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';

const ENCODING_NAME = 'MPA';
const PAYLOAD_TYPE = 14;

/** `layer` (RFC 4856 §2.1.7), 0 when SDP does not tell. */
function layerOf(mapping: RtpMapping): number {
  return parameterNumber(mapping, 'layer', 0, 3);
}

/**
 * MPEG audio of layers II and III (RFC 2250), static payload type 14. One name stands for both: the `layer` parameter
 * tells, or else the units do (`DepacketizedUnit.codec`).
 */
export const MPEG_AUDIO_FORMAT: PayloadFormat = {
  toMapping(track: Track): RtpMapping | undefined {
    if (track.codec !== 'mp2' && track.codec !== 'mp3') return undefined;
    return {
      payloadType: PAYLOAD_TYPE,
      encodingName: ENCODING_NAME,
      clockRate: MPEG_AUDIO_CLOCK_RATE,
      parameters: new Map([['layer', track.codec === 'mp2' ? '2' : '3']]),
    };
  },

  makePacketizer(): Packetizer {
    return new MpegAudioPacketizer();
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    const layer = layerOf(mapping);
    if (!isNamed(mapping, ENCODING_NAME) || mapping.clockRate !== MPEG_AUDIO_CLOCK_RATE || layer === 1)
      return undefined;
    return { kind: 'audio', trackId, codec: layer === 2 ? 'mp2' : 'mp3', config: new Uint8Array(0) };
  },

  makeDepacketizer(mapping: RtpMapping): Depacketizer {
    return new MpegAudioDepacketizer(layerOf(mapping) === 2 ? 'mp2' : 'mp3');
  },
};
