import {
  AUDIO_OBJECT_TYPE,
  type AudioSpecificConfig,
  aacChannels,
  aacOutputSampleRate,
  parseAudioSpecificConfig,
  writeAudioSpecificConfig,
} from '../../../codec/aac/audio-specific-config.ts';
import type { Track } from '../../../codec/track.ts';
import { audioDetails } from '../../../codec/track-details.ts';
import { fromHexadecimal, toHexadecimal } from '../../../wire/hexadecimal.ts';
import { AacDepacketizer } from './aac-depacketizer.ts';
import { auHeaderForm } from './aac-header-form.ts';
import { AacPacketizer } from './aac-packetizer.ts';
import type { Depacketizer } from './depacketizer.ts';
import { LATM_ENCODING_NAME, latmDepacketizer, latmTrack } from './latm.ts';
import { channelsParameter, isAudible, isNamed } from './mapping-parameters.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';

const ENCODING_NAME = 'MPEG4-GENERIC';

/** The `config` of a mapping; for senders that leave it out, AAC-LC with the rate and channels of the rtpmap. */
function configOf(mapping: RtpMapping): Uint8Array {
  const told = fromHexadecimal(mapping.parameters.get('config')?.trim() ?? '');
  if (told !== undefined && parseAudioSpecificConfig(told) !== undefined) return told;
  const channels = mapping.channels ?? 1;
  return writeAudioSpecificConfig({
    objectType: AUDIO_OBJECT_TYPE.aacLc,
    sampleRate: mapping.clockRate,
    channelConfiguration: channels === 8 ? 7 : Math.min(channels, 6),
    frameLength: 1024,
    ps: false,
  });
}

/** RTP clock units of one access unit: the clock may be that of the core coder or, with SBR, of the output. */
function unitDuration(config: AudioSpecificConfig, clockRate: number): number {
  return Math.round((config.frameLength * clockRate) / config.sampleRate);
}

/** audioProfileLevelIndication (ISO/IEC 14496-3 Table 1.14) of the profile and the lowest level that has room. */
function profileLevel(config: AudioSpecificConfig): number {
  const channels = aacChannels(config);
  const sampleRate = aacOutputSampleRate(config);
  if (config.ps) return sampleRate <= 48_000 ? 48 : 51;
  if (config.sbr !== undefined) {
    if (channels <= 2 && sampleRate <= 48_000) return 44;
    return channels <= 2 ? 45 : sampleRate <= 48_000 ? 46 : 47;
  }
  if (channels <= 2 && sampleRate <= 24_000) return 40;
  if (channels <= 2 && sampleRate <= 48_000) return 41;
  return sampleRate <= 48_000 ? 42 : 43;
}

/**
 * AAC as MPEG4-GENERIC (RFC 3640). Sends mode AAC-hbr; receives that, AAC-lbr, generic modes that tell the size of
 * access units, and MP4A-LATM (RFC 6416).
 */
export const AAC_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    const config = track.codec === 'aac' ? parseAudioSpecificConfig(track.config) : undefined;
    if (config === undefined) return undefined;
    const channels = aacChannels(config);
    const clockRate = aacOutputSampleRate(config);
    return {
      payloadType: dynamicPayloadType,
      encodingName: ENCODING_NAME,
      clockRate,
      channels: channels === 0 ? undefined : channelsParameter(channels),
      parameters: new Map([
        ['streamtype', '5'],
        ['profile-level-id', String(profileLevel(config))],
        ['mode', 'AAC-hbr'],
        ['sizelength', '13'],
        ['indexlength', '3'],
        ['indexdeltalength', '3'],
        // Without it GStreamer gives a time to the first unit of a packet only, and muxers refuse the others.
        ['constantDuration', String(unitDuration(config, clockRate))],
        ['config', toHexadecimal(track.config)],
      ]),
    };
  },

  makePacketizer(): Packetizer {
    return new AacPacketizer();
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isAudible(mapping)) return undefined;
    if (isNamed(mapping, LATM_ENCODING_NAME)) return latmTrack(mapping, trackId);
    if (!isNamed(mapping, ENCODING_NAME) || auHeaderForm(mapping) === undefined) return undefined;
    const config = configOf(mapping);
    const audio = audioDetails('aac', config);
    return { kind: 'audio', trackId, codec: 'aac', config, ...(audio && { audio }) };
  },

  makeDepacketizer(mapping: RtpMapping): Depacketizer {
    if (isNamed(mapping, LATM_ENCODING_NAME)) return latmDepacketizer(mapping);
    const config = parseAudioSpecificConfig(configOf(mapping));
    const duration = config === undefined ? 1024 : unitDuration(config, mapping.clockRate);
    return new AacDepacketizer(auHeaderForm(mapping)!, duration);
  },
};
