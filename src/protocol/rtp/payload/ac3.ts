import type { Track } from '../../../codec/track.ts';
import { Ac3Depacketizer } from './ac3-depacketizer.ts';
import { Ac3Packetizer } from './ac3-packetizer.ts';
import type { Depacketizer } from './depacketizer.ts';
import { channelsParameter, isAudible, isNamed, NO_PARAMETERS } from './mapping-parameters.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';

function ac3Format(codec: 'ac3' | 'eac3', encodingName: string): PayloadFormat {
  const isEnhanced = codec === 'eac3';
  return {
    toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
      if (track.codec !== codec || track.audio === undefined) return undefined;
      return {
        payloadType: dynamicPayloadType,
        encodingName,
        clockRate: track.audio.sampleRate,
        channels: channelsParameter(track.audio.channels),
        parameters: NO_PARAMETERS,
      };
    },

    makePacketizer(): Packetizer {
      return new Ac3Packetizer(isEnhanced);
    },

    toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
      if (!isNamed(mapping, encodingName) || !isAudible(mapping)) return undefined;
      // How many channels there are only the frames tell: those of the rtpmap are the most there might be.
      return { kind: 'audio', trackId, codec, config: new Uint8Array(0) };
    },

    makeDepacketizer(mapping: RtpMapping): Depacketizer {
      return new Ac3Depacketizer(isEnhanced, mapping.clockRate);
    },
  };
}

/** AC-3 (RFC 4184). A track has a mapping once a frame told its sample rate. */
export const AC3_FORMAT: PayloadFormat = ac3Format('ac3', 'AC3');

/** E-AC-3 (RFC 4598). A track has a mapping once a frame told its sample rate. */
export const EAC3_FORMAT: PayloadFormat = ac3Format('eac3', 'EAC3');
