import {
  avcConfigurationFromNalUnits,
  parseAvcDecoderConfiguration,
  writeAvcDecoderConfiguration,
} from '../../../codec/h264/avc-decoder-configuration.ts';
import { H264_NAL, h264NalType } from '../../../codec/h264/nal-unit-type.ts';
import { splitAnnexB } from '../../../codec/nal-unit.ts';
import type { Track } from '../../../codec/track.ts';
import { nalLengthSize } from '../../../codec/track-details.ts';
import { toBase64 } from '../../../wire/base64.ts';
import { toHexadecimal } from '../../../wire/hexadecimal.ts';
import type { Depacketizer } from './depacketizer.ts';
import { H264Deinterleaver } from './h264-deinterleaver.ts';
import { H264Assembler } from './h264-depacketizer.ts';
import { H264_PACKET_FORM } from './h264-packet-form.ts';
import { isNamed, parameterNumber } from './mapping-parameters.ts';
import { NalPacketizer } from './nal-packetizer.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { parseParameterSets } from './sprop-parameter-sets.ts';
import { UnitDepacketizer } from './unit-depacketizer.ts';
import { VIDEO_CLOCK_RATE, videoTrack } from './video-track.ts';

const ENCODING_NAME = 'H264';
const INTERLEAVED_MODE = '2';

/** Largest `sprop-interleaving-depth` (§8.1). */
const MAX_DEPTH = 32_767;

/** The parameter sets of a track in the order decoders want them; none when its configuration cannot be read. */
function parameterSetsOf(track: Track): readonly Uint8Array[] {
  const record = parseAvcDecoderConfiguration(track.config);
  // Encoders that put Annex B into frames put their parameter sets into the configuration the same way.
  if (record === undefined) return splitAnnexB(track.config);
  return [...record.sequenceParameterSets, ...(record.high?.spsExtensions ?? []), ...record.pictureParameterSets];
}

/** `sprop-parameter-sets` (§8.1). */
function receivedParameterSets(mapping: RtpMapping): readonly Uint8Array[] {
  return parseParameterSets(mapping.parameters.get('sprop-parameter-sets'));
}

/**
 * H.264 (RFC 6184). Sends packetization mode 1; receives all modes. `profile-level-id` and `sprop-parameter-sets`
 * come from and go into avcC.
 */
export const H264_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    if (track.codec !== 'h264') return undefined;
    const sets = parameterSetsOf(track);
    const sps = sets.find((set) => h264NalType(set) === H264_NAL.sps && set.length >= 4);
    const parameters = new Map([['packetization-mode', '1']]);
    if (sps !== undefined) {
      parameters.set('profile-level-id', toHexadecimal(sps.subarray(1, 4)));
      parameters.set('sprop-parameter-sets', sets.map(toBase64).join(','));
    }
    return {
      payloadType: dynamicPayloadType,
      encodingName: ENCODING_NAME,
      clockRate: VIDEO_CLOCK_RATE,
      parameters,
    };
  },

  makePacketizer(track: Track, inBandConfig = false): Packetizer {
    return new NalPacketizer(H264_PACKET_FORM, nalLengthSize(track), inBandConfig ? parameterSetsOf(track) : []);
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME)) return undefined;
    const record = avcConfigurationFromNalUnits(receivedParameterSets(mapping));
    return videoTrack(trackId, 'h264', record ? writeAvcDecoderConfiguration(record) : new Uint8Array(0));
  },

  makeDepacketizer(mapping: RtpMapping): Depacketizer {
    const sets = receivedParameterSets(mapping);
    if (mapping.parameters.get('packetization-mode') !== INTERLEAVED_MODE) {
      return new UnitDepacketizer(new H264Assembler(sets));
    }
    const depth = parameterNumber(mapping, 'sprop-interleaving-depth', 0, MAX_DEPTH);
    return new H264Deinterleaver(depth, sets);
  },
};
