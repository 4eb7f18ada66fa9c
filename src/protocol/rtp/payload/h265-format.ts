import {
  hevcConfigurationFromNalUnits,
  parseHevcDecoderConfiguration,
  writeHevcDecoderConfiguration,
} from '../../../codec/h265/hevc-decoder-configuration.ts';
import { H265_NAL, h265NalType } from '../../../codec/h265/nal-unit-type.ts';
import { splitAnnexB } from '../../../codec/nal-unit.ts';
import type { Track } from '../../../codec/track.ts';
import { nalLengthSize } from '../../../codec/track-details.ts';
import { toBase64 } from '../../../wire/base64.ts';
import type { Depacketizer } from './depacketizer.ts';
import { H265Deinterleaver } from './h265-deinterleaver.ts';
import { H265Assembler } from './h265-depacketizer.ts';
import { H265_PACKET_FORM } from './h265-packet-form.ts';
import { isNamed, parameterNumber } from './mapping-parameters.ts';
import { NalPacketizer } from './nal-packetizer.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { parseParameterSets } from './sprop-parameter-sets.ts';
import { UnitDepacketizer } from './unit-depacketizer.ts';
import { VIDEO_CLOCK_RATE, videoTrack } from './video-track.ts';

const ENCODING_NAME = 'H265';

/** Largest value of either parameter (§7.1). */
const MAX_DECODING_ORDER = 32_767;

/** Parameters and the NAL unit type each brings, in the order decoders want the sets. */
const SPROP = [
  ['sprop-vps', H265_NAL.vps],
  ['sprop-sps', H265_NAL.sps],
  ['sprop-pps', H265_NAL.pps],
] as const;

/** The parameter sets of a track in the order decoders want them; none when its configuration cannot be read. */
function parameterSetsOf(track: Track): readonly Uint8Array[] {
  const record = parseHevcDecoderConfiguration(track.config);
  // Encoders that put Annex B into frames put their parameter sets into the configuration the same way.
  const nalUnits = record?.arrays.flatMap((array) => array.nalUnits) ?? splitAnnexB(track.config);
  return SPROP.flatMap(([, type]) => nalUnits.filter((nalUnit) => h265NalType(nalUnit) === type));
}

/** `sprop-vps`, `sprop-sps` and `sprop-pps` (§7.1). */
function receivedParameterSets(mapping: RtpMapping): readonly Uint8Array[] {
  return SPROP.flatMap(([name]) => parseParameterSets(mapping.parameters.get(name)));
}

/**
 * H.265 (RFC 7798) in one stream and one session. Profile, tier, level and parameter sets come from and go into hvcC.
 */
export const H265_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    if (track.codec !== 'h265') return undefined;
    const sets = parameterSetsOf(track);
    const profile =
      hevcConfigurationFromNalUnits(sets)?.profile ?? parseHevcDecoderConfiguration(track.config)?.profile;
    const parameters = new Map<string, string>();
    if (profile !== undefined) {
      if (profile.profileSpace > 0) parameters.set('profile-space', String(profile.profileSpace));
      parameters.set('profile-id', String(profile.profileIdc));
      parameters.set('tier-flag', profile.isHighTier ? '1' : '0');
      parameters.set('level-id', String(profile.levelIdc));
    }
    for (const [name, type] of SPROP) {
      const ofType = sets.filter((set) => h265NalType(set) === type);
      if (ofType.length > 0) parameters.set(name, ofType.map(toBase64).join(','));
    }
    return { payloadType: dynamicPayloadType, encodingName: ENCODING_NAME, clockRate: VIDEO_CLOCK_RATE, parameters };
  },

  makePacketizer(track: Track, inBandConfig = false): Packetizer {
    return new NalPacketizer(H265_PACKET_FORM, nalLengthSize(track), inBandConfig ? parameterSetsOf(track) : []);
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME)) return undefined;
    const record = hevcConfigurationFromNalUnits(receivedParameterSets(mapping));
    return videoTrack(trackId, 'h265', record ? writeHevcDecoderConfiguration(record) : new Uint8Array(0));
  },

  makeDepacketizer(mapping: RtpMapping): Depacketizer {
    const sets = receivedParameterSets(mapping);
    if (parameterNumber(mapping, 'sprop-max-don-diff', 0, MAX_DECODING_ORDER) === 0) {
      return new UnitDepacketizer(new H265Assembler(sets));
    }
    return new H265Deinterleaver(parameterNumber(mapping, 'sprop-depack-buf-nalus', 0, MAX_DECODING_ORDER), sets);
  },
};
