import { parseAv1CodecConfiguration } from '../../../codec/av1/av1-codec-configuration.ts';
import { OBU_TYPE, splitObus } from '../../../codec/av1/obu.ts';
import type { Track } from '../../../codec/track.ts';
import { Av1Assembler } from './av1-depacketizer.ts';
import { Av1Packetizer } from './av1-packetizer.ts';
import type { Depacketizer } from './depacketizer.ts';
import { isNamed } from './mapping-parameters.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { UnitDepacketizer } from './unit-depacketizer.ts';
import { VIDEO_CLOCK_RATE, videoTrack } from './video-track.ts';

const ENCODING_NAME = 'AV1';

/**
 * AV1 (RTP Payload Format for AV1, v1.0.0). SDP tells profile, level and tier (§7); the sequence header comes with key
 * frames, so that those of tracks which have it in their configuration alone get it put in, asked or not.
 */
export const AV1_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    if (track.codec !== 'av1') return undefined;
    const parameters = new Map<string, string>();
    const record = parseAv1CodecConfiguration(track.config);
    if (record !== undefined) {
      parameters.set('profile', String(record.profile));
      parameters.set('level-idx', String(record.levelIdx));
      parameters.set('tier', String(record.tier));
    }
    return { payloadType: dynamicPayloadType, encodingName: ENCODING_NAME, clockRate: VIDEO_CLOCK_RATE, parameters };
  },

  makePacketizer(track: Track): Packetizer {
    const obus = splitObus(parseAv1CodecConfiguration(track.config)?.configObus ?? new Uint8Array(0));
    return new Av1Packetizer(obus.find((obu) => obu.type === OBU_TYPE.sequenceHeader)?.payload);
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME)) return undefined;
    return videoTrack(trackId, 'av1', new Uint8Array(0));
  },

  makeDepacketizer(): Depacketizer {
    return new UnitDepacketizer(new Av1Assembler());
  },
};
