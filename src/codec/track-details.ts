/** What a track is, read from its decoder configuration or, for codecs that have none, from its first frame. */
import {
  aacChannels,
  aacCodecString,
  aacOutputSampleRate,
  aacProfileName,
  parseAudioSpecificConfig,
} from './aac/audio-specific-config.ts';
import { parseAc3SyncInfo } from './ac3/sync-info.ts';
import { findAv1SequenceHeader, parseAv1CodecConfiguration } from './av1/av1-codec-configuration.ts';
import { av1CodecString, av1LevelName, av1ProfileName } from './av1/sequence-header.ts';
import { isAv1KeyFrame } from './av1/temporal-unit.ts';
import { parseFlacStreamInfo } from './flac/stream-info.ts';
import { isH264Idr } from './h264/access-unit.ts';
import { parseAvcDecoderConfiguration } from './h264/avc-decoder-configuration.ts';
import { H264_NAL, h264NalType } from './h264/nal-unit-type.ts';
import { h264CodecString, h264LevelName, h264ProfileName } from './h264/profile-level.ts';
import { h264FrameRate, parseH264Sps } from './h264/sequence-parameter-set.ts';
import { isH265Irap } from './h265/access-unit.ts';
import { isHevcDecoderConfiguration, parseHevcDecoderConfiguration } from './h265/hevc-decoder-configuration.ts';
import { H265_NAL, h265NalType } from './h265/nal-unit-type.ts';
import { h265CodecString, h265LevelName, h265ProfileName } from './h265/profile-tier-level.ts';
import { h265FrameRate, parseH265Sps } from './h265/sequence-parameter-set.ts';
import { parseH265Vps } from './h265/video-parameter-set.ts';
import { frameRateOf } from './h265/vui-parameters.ts';
import { jpegDetails } from './jpeg/baseline-jpeg.ts';
import { type MpegAudioHeader, parseMpegAudioHeader } from './mp3/mpeg-audio-frame.ts';
import { isMpeg4KeyFrame, mpeg4Details, parseMpeg4Configuration } from './mp4v/configuration.ts';
import { isMpegVideoKeyFrame } from './mpeg-video/key-frame.ts';
import { splitAnnexB, splitNalUnits } from './nal-unit.ts';
import { parseOpusHead } from './opus/opus-head.ts';
import { isTheoraKeyFrame, theoraDetails } from './theora/theora-headers.ts';
import type { AudioCodec, AudioDetails, Codec, Track, VideoCodec, VideoDetails } from './track.ts';
import { parseVorbisIdentification } from './vorbis/vorbis-headers.ts';
import { parseVp8FrameHeader } from './vp8/frame-header.ts';
import { parseVp9FrameHeader } from './vp9/frame-header.ts';
import { vp9CodecString, vp9ConfigurationFromKeyFrame } from './vp9/profile-level.ts';
import { parseVpCodecConfiguration } from './vp9/vp-codec-configuration.ts';
import { parseXiphLacing } from './xiph/xiph-lacing.ts';

const DEFAULT_NAL_LENGTH_SIZE = 4;

/**
 * What a video configuration record (`Track.config`) tells; `undefined` when it cannot be read. `firstFrame`, a key
 * frame's payload, helps where the record does not tell the picture size: always for vp8 and vp9, and for h264, h265
 * and av1 whose parameter sets come only with the frames. Never throws.
 */
export function videoDetails(codec: VideoCodec, config: Uint8Array, firstFrame?: Uint8Array): VideoDetails | undefined {
  switch (codec) {
    case 'h264':
      return h264Details(config, firstFrame);
    case 'h265':
      return h265Details(config, firstFrame);
    case 'av1':
      return av1Details(config, firstFrame);
    case 'vp8':
      return vp8Details(firstFrame);
    case 'vp9':
      return vp9Details(config, firstFrame);
    case 'mp4v': {
      const headers = parseMpeg4Configuration(config) ?? (firstFrame && parseMpeg4Configuration(firstFrame));
      return headers && mpeg4Details(headers);
    }
    case 'theora':
      return theoraDetails(config);
    case 'jpeg':
      return firstFrame && jpegDetails(firstFrame);
    default:
      return undefined;
  }
}

/**
 * What an audio configuration (`Track.config`) tells, or for mp3, ac3 and eac3 the first frame; `undefined` when it
 * cannot be read. Opus without a readable `OpusHead` is taken for stereo. Never throws.
 */
export function audioDetails(codec: AudioCodec, config: Uint8Array, firstFrame?: Uint8Array): AudioDetails | undefined {
  switch (codec) {
    case 'aac':
      return aacDetails(config);
    case 'opus':
      // Opus decodes to 48 kHz whatever the original had.
      return details(48_000, parseOpusHead(config)?.channels ?? 2, 'Opus', 'opus');
    case 'mp2':
    case 'mp3':
      return mpegAudioDetails(firstFrame);
    case 'ac3':
    case 'eac3':
      return ac3Details(firstFrame);
    case 'flac': {
      const info = parseFlacStreamInfo(config);
      return info && details(info.sampleRate, info.channels, `${info.bitsPerSample} bit`, 'flac');
    }
    case 'vorbis': {
      const identification = parseXiphLacing(config)?.[0];
      const info = identification && parseVorbisIdentification(identification);
      return info && details(info.sampleRate, info.channels, 'Vorbis', 'vorbis');
    }
    default:
      return undefined;
  }
}

/**
 * Whether a decoder may start at this payload. True for audio, and for opaque video codecs, whose FLV tag says it.
 * `lengthSize` is `nalLengthSize(track)`; only h264 and h265 use it. Looks no further than the first coded slice.
 */
export function isKeyFramePayload(codec: Codec, payload: Uint8Array, lengthSize: number): boolean {
  switch (codec) {
    case 'h264':
      return isH264Idr(payload, lengthSize);
    case 'h265':
      return isH265Irap(payload, lengthSize);
    case 'av1':
      return isAv1KeyFrame(payload);
    case 'vp8':
      return parseVp8FrameHeader(payload)?.isKeyFrame === true;
    case 'vp9':
      return parseVp9FrameHeader(payload)?.isKeyFrame === true;
    case 'mp4v':
      return isMpeg4KeyFrame(payload);
    case 'mpeg-video':
      return isMpegVideoKeyFrame(payload);
    case 'theora':
      return isTheoraKeyFrame(payload);
    default:
      return true;
  }
}

/** Bytes of the length before each NAL unit of an h264 or h265 track, from its record; 4 when that cannot be read. */
export function nalLengthSize(track: Track): number {
  // The record's head is enough: one that is broken further on is still believed here.
  const { codec, config } = track;
  const isRecord = codec === 'h264' ? config[0] === 1 : codec === 'h265' && isHevcDecoderConfiguration(config);
  const packed = isRecord ? config[codec === 'h264' ? 4 : 21] : undefined;
  return packed === undefined ? DEFAULT_NAL_LENGTH_SIZE : (packed & 3) + 1;
}

function h264Details(config: Uint8Array, firstFrame: Uint8Array | undefined): VideoDetails | undefined {
  const record = parseAvcDecoderConfiguration(config);
  const candidates = [
    // Encoders that put Annex B into frames put their parameter sets into the configuration the same way.
    ...(record?.sequenceParameterSets ?? splitAnnexB(config)),
    ...(firstFrame === undefined ? [] : splitNalUnits(firstFrame, record?.lengthSize ?? DEFAULT_NAL_LENGTH_SIZE)),
  ];
  for (const nalUnit of candidates) {
    const sps = h264NalType(nalUnit) === H264_NAL.sps ? parseH264Sps(nalUnit) : undefined;
    if (sps === undefined) continue;
    const { profileIdc, constraintFlags, levelIdc, width, height } = sps;
    return video(width, height, h264FrameRate(sps), {
      profile: h264ProfileName(profileIdc, constraintFlags),
      level: h264LevelName(profileIdc, constraintFlags, levelIdc),
      codecString: h264CodecString(profileIdc, constraintFlags, levelIdc),
    });
  }
  return undefined;
}

function h265Details(config: Uint8Array, firstFrame: Uint8Array | undefined): VideoDetails | undefined {
  const record = parseHevcDecoderConfiguration(config);
  const candidates = [
    ...(record?.arrays.flatMap((array) => array.nalUnits) ?? splitAnnexB(config)),
    ...(firstFrame === undefined ? [] : splitNalUnits(firstFrame, record?.lengthSize ?? DEFAULT_NAL_LENGTH_SIZE)),
  ];
  let vpsFrameRate: number | undefined;
  for (const nalUnit of candidates) {
    const type = h265NalType(nalUnit);
    if (type === H265_NAL.vps) vpsFrameRate ??= frameRateOf(parseH265Vps(nalUnit)?.timing);
    const sps = type === H265_NAL.sps ? parseH265Sps(nalUnit) : undefined;
    if (sps === undefined) continue;
    return video(sps.width, sps.height, h265FrameRate(sps) ?? vpsFrameRate, {
      profile: h265ProfileName(sps.profile),
      level: h265LevelName(sps.profile.levelIdc),
      codecString: h265CodecString(sps.profile),
    });
  }
  return undefined;
}

function av1Details(config: Uint8Array, firstFrame: Uint8Array | undefined): VideoDetails | undefined {
  const record = parseAv1CodecConfiguration(config);
  const header =
    (record && findAv1SequenceHeader(record.configObus)) ?? (firstFrame && findAv1SequenceHeader(firstFrame));
  if (header === undefined) return undefined;
  return video(header.width, header.height, header.frameRate, {
    profile: av1ProfileName(header.profile),
    level: av1LevelName(header.levelIdx),
    codecString: av1CodecString(header),
  });
}

function vp8Details(firstFrame: Uint8Array | undefined): VideoDetails | undefined {
  const header = firstFrame && parseVp8FrameHeader(firstFrame);
  if (header?.size === undefined) return undefined;
  const { width, height } = header.size;
  return video(width, height, undefined, { profile: `version ${header.version}`, level: '', codecString: 'vp8' });
}

function vp9Details(config: Uint8Array, firstFrame: Uint8Array | undefined): VideoDetails | undefined {
  const header = firstFrame && parseVp9FrameHeader(firstFrame);
  if (header?.keyFrame === undefined) return undefined;
  const found = vp9ConfigurationFromKeyFrame(header.profile, header.keyFrame);
  const told = parseVpCodecConfiguration(config);
  // The record knows the level better (it may count the bit rate in), the frame everything else.
  const level = told === undefined || told.level === 0 ? found.level : told.level;
  return video(header.keyFrame.width, header.keyFrame.height, undefined, {
    profile: `Profile ${header.profile}`,
    level: `${Math.floor(level / 10)}.${level % 10}`,
    codecString: vp9CodecString({ ...(told ?? found), profile: found.profile, bitDepth: found.bitDepth, level }),
  });
}

function aacDetails(config: Uint8Array): AudioDetails | undefined {
  const asc = parseAudioSpecificConfig(config);
  return asc && details(aacOutputSampleRate(asc), aacChannels(asc), aacProfileName(asc), aacCodecString(asc));
}

/** Audio object types of layers I, II and III inside MPEG-4 (ISO/IEC 14496-3 Table 1.17). */
const LAYERS: Readonly<Record<MpegAudioHeader['layer'], readonly [string, string]>> = {
  1: ['Layer I', 'mp4a.40.32'],
  2: ['Layer II', 'mp4a.40.33'],
  3: ['Layer III', 'mp4a.40.34'],
};

function mpegAudioDetails(firstFrame: Uint8Array | undefined): AudioDetails | undefined {
  const header = firstFrame && parseMpegAudioHeader(firstFrame);
  return header && details(header.sampleRate, header.channels, ...LAYERS[header.layer]);
}

function ac3Details(firstFrame: Uint8Array | undefined): AudioDetails | undefined {
  const info = firstFrame && parseAc3SyncInfo(firstFrame);
  if (info === undefined) return undefined;
  const isEnhanced = info.codec === 'eac3';
  return details(info.sampleRate, info.channels, isEnhanced ? 'E-AC-3' : 'AC-3', isEnhanced ? 'ec-3' : 'ac-3');
}

function video(
  width: number,
  height: number,
  frameRate: number | undefined,
  names: Pick<VideoDetails, 'profile' | 'level' | 'codecString'>,
): VideoDetails {
  return { width, height, ...(frameRate !== undefined && { frameRate }), ...names };
}

function details(sampleRate: number, channels: number, profile: string, codecString: string): AudioDetails {
  return { sampleRate, channels, profile, codecString };
}
