/** What a track is, read from its decoder configuration. */
import {
  aacChannels,
  aacCodecString,
  aacOutputSampleRate,
  aacProfileName,
  parseAudioSpecificConfig,
} from './aac/audio-specific-config.ts';
import { isH264Idr } from './h264/access-unit.ts';
import { parseAvcDecoderConfiguration } from './h264/avc-decoder-configuration.ts';
import { H264_NAL, h264NalType } from './h264/nal-unit-type.ts';
import { h264CodecString, h264LevelName, h264ProfileName } from './h264/profile-level.ts';
import { h264FrameRate, parseH264Sps } from './h264/sequence-parameter-set.ts';
import { splitAnnexB } from './nal-unit.ts';
import type { AudioCodec, AudioDetails, Track, VideoCodec, VideoDetails } from './track.ts';

const DEFAULT_NAL_LENGTH_SIZE = 4;

/** What a video configuration record (`Track.config`) tells; `undefined` when it cannot be read. Never throws. */
export function videoDetails(codec: VideoCodec, config: Uint8Array): VideoDetails | undefined {
  switch (codec) {
    case 'h264':
      return h264Details(config);
    default:
      return undefined;
  }
}

/**
 * What an audio configuration (`Track.config`) tells, or for codecs without one the first frame; `undefined` when
 * neither can be read. Never throws.
 */
export function audioDetails(
  codec: AudioCodec,
  config: Uint8Array,
  _firstFrame?: Uint8Array,
): AudioDetails | undefined {
  switch (codec) {
    case 'aac':
      return aacDetails(config);
    default:
      return undefined;
  }
}

/** Whether a decoder may start at this payload. `lengthSize` is `nalLengthSize(track)`; only NAL-unit codecs use it. */
export function isKeyFramePayload(codec: VideoCodec | AudioCodec, payload: Uint8Array, lengthSize: number): boolean {
  switch (codec) {
    case 'h264':
      return isH264Idr(payload, lengthSize);
    default:
      return true;
  }
}

/** Bytes of the length before each NAL unit of an h264 or h265 track, from its record; 4 when that cannot be read. */
export function nalLengthSize(track: Track): number {
  if (track.codec === 'h264') return parseAvcDecoderConfiguration(track.config)?.lengthSize ?? DEFAULT_NAL_LENGTH_SIZE;
  return DEFAULT_NAL_LENGTH_SIZE;
}

function h264Details(config: Uint8Array): VideoDetails | undefined {
  // Encoders that put Annex B into frames put their parameter sets into the configuration the same way.
  const nalUnits = parseAvcDecoderConfiguration(config)?.sequenceParameterSets ?? splitAnnexB(config);
  const nalUnit = nalUnits.find((candidate) => h264NalType(candidate) === H264_NAL.sps);
  const sps = nalUnit && parseH264Sps(nalUnit);
  if (sps === undefined) return undefined;
  const { profileIdc, constraintFlags, levelIdc, width, height } = sps;
  const frameRate = h264FrameRate(sps);
  return {
    width,
    height,
    ...(frameRate !== undefined && { frameRate }),
    profile: h264ProfileName(profileIdc, constraintFlags),
    level: h264LevelName(profileIdc, constraintFlags, levelIdc),
    codecString: h264CodecString(profileIdc, constraintFlags, levelIdc),
  };
}

function aacDetails(config: Uint8Array): AudioDetails | undefined {
  const asc = parseAudioSpecificConfig(config);
  if (asc === undefined) return undefined;
  return {
    sampleRate: aacOutputSampleRate(asc),
    channels: aacChannels(asc),
    profile: aacProfileName(asc),
    codecString: aacCodecString(asc),
  };
}
