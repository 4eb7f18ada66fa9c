import {
  AUDIO_OBJECT_TYPE,
  parseAudioSpecificConfig,
  writeAudioSpecificConfig,
} from '../../codec/aac/audio-specific-config.ts';
import { parseAc3SyncInfo } from '../../codec/ac3/sync-info.ts';
import {
  av1ConfigurationFromTemporalUnit,
  writeAv1CodecConfiguration,
} from '../../codec/av1/av1-codec-configuration.ts';
import { parseMpegAudioHeader } from '../../codec/mp3/mpeg-audio-frame.ts';
import { findStartCode, splitNalUnits } from '../../codec/nal-unit.ts';
import { ParameterSetCollector } from '../../codec/parameter-set-collector.ts';
import { sampleAudioDetails } from '../../codec/sample-audio.ts';
import type { AudioCodec, AudioDetails, Track, VideoCodec } from '../../codec/track.ts';
import { audioDetails, nalLengthSize, videoDetails } from '../../codec/track-details.ts';
import { parseVp9FrameHeader } from '../../codec/vp9/frame-header.ts';
import { vp9ConfigurationFromKeyFrame } from '../../codec/vp9/profile-level.ts';
import { writeVpCodecConfiguration } from '../../codec/vp9/vp-codec-configuration.ts';

/** What a container says of a track. */
export interface TrackFacts {
  readonly kind: 'video' | 'audio';
  readonly trackId: number;
  readonly codec: VideoCodec | AudioCodec;
  /** Empty when the container has none. */
  readonly config: Uint8Array;
  /** Hz, 0 unknown or video. */
  readonly sampleRate: number;
  readonly channels: number;
}

const VOP_START_CODE = 0xb6;
const MPEG4_HEADERS_LIMIT_BYTES = 4096;

/**
 * The track a container describes, with what it leaves out taken from the first frame that can be decoded: parameter sets
 * that come in band only (avc3, hev1), the record of VP9 and AV1, the headers of MPEG-4 video, which layer MPEG audio is.
 */
export function completeTrack(facts: TrackFacts, firstFrame: Uint8Array | undefined): Track {
  const { kind, trackId, sampleRate, channels } = facts;
  if (kind === 'video') {
    const codec = facts.codec as VideoCodec;
    const config = videoConfig(codec, facts.config, firstFrame);
    const video = videoDetails(codec, config, firstFrame);
    return { kind, trackId, codec, config, ...(video && { video }) };
  }
  const codec = audioCodec(facts.codec as AudioCodec, firstFrame);
  const config = codec === 'aac' ? aacConfig(facts) : facts.config;
  const told = sampleRate > 0 && channels > 0 ? sampleAudioDetails(codec, sampleRate, channels) : undefined;
  const audio: AudioDetails | undefined = audioDetails(codec, config, firstFrame) ?? told;
  return { kind, trackId, codec, config, ...(audio && { audio }) };
}

function videoConfig(codec: VideoCodec, config: Uint8Array, firstFrame: Uint8Array | undefined): Uint8Array {
  if (firstFrame === undefined) return config;
  switch (codec) {
    case 'h264':
    case 'h265':
      return videoDetails(codec, config) === undefined ? parameterSets(codec, config, firstFrame) : config;
    case 'av1': {
      const record = videoDetails(codec, config) === undefined && av1ConfigurationFromTemporalUnit(firstFrame);
      return record ? writeAv1CodecConfiguration(record) : config;
    }
    case 'vp9': {
      const header = config.length === 0 ? parseVp9FrameHeader(firstFrame) : undefined;
      if (header?.keyFrame === undefined) return config;
      return writeVpCodecConfiguration(vp9ConfigurationFromKeyFrame(header.profile, header.keyFrame));
    }
    case 'mp4v':
      return config.length === 0 ? mpeg4Headers(firstFrame) : config;
    default:
      return config;
  }
}

/** A record of the parameter sets in the frame, whose NAL units stay behind lengths of the size they have. */
function parameterSets(codec: 'h264' | 'h265', config: Uint8Array, firstFrame: Uint8Array): Uint8Array {
  const lengthSize = nalLengthSize({ kind: 'video', trackId: 0, codec, config });
  const collector = new ParameterSetCollector(codec);
  const isH265 = codec === 'h265';
  const found = splitNalUnits(firstFrame, lengthSize).filter((nalUnit) => {
    return collector.isParameterSet(isH265 ? (nalUnit[0]! >>> 1) & 0x3f : nalUnit[0]! & 0x1f);
  });
  const record = collector.add(found)?.slice();
  if (record === undefined) return config;
  const at = isH265 ? 21 : 4;
  record[at] = (record[at]! & 0xfc) | (lengthSize - 1);
  return record;
}

/** What stands in front of the first VOP (ISO/IEC 14496-2 §6.2): the visual object sequence, when it begins there. */
function mpeg4Headers(frame: Uint8Array): Uint8Array {
  const looked = frame.subarray(0, MPEG4_HEADERS_LIMIT_BYTES);
  for (let at = findStartCode(looked, 0); at + 3 < looked.length; at = findStartCode(looked, at + 3)) {
    if (looked[at + 3] === VOP_START_CODE) return looked.slice(0, at);
  }
  return new Uint8Array(0);
}

/** Containers name all layers of MPEG audio alike, and some AC-3 and E-AC-3. */
function audioCodec(codec: AudioCodec, firstFrame: Uint8Array | undefined): AudioCodec {
  if (firstFrame === undefined) return codec;
  if (codec === 'mp3') return parseMpegAudioHeader(firstFrame)?.layer === 2 ? 'mp2' : 'mp3';
  if (codec === 'ac3' || codec === 'eac3') return parseAc3SyncInfo(firstFrame)?.codec ?? codec;
  return codec;
}

/** AAC-LC of the rate and channels the container tells, when it has no AudioSpecificConfig. */
function aacConfig({ config, sampleRate, channels }: TrackFacts): Uint8Array {
  if (parseAudioSpecificConfig(config) !== undefined) return config;
  const channelConfiguration = channels === 8 ? 7 : channels;
  if (config.length > 0 || sampleRate === 0 || channelConfiguration === 0 || channelConfiguration > 7) return config;
  const objectType = AUDIO_OBJECT_TYPE.aacLc;
  return writeAudioSpecificConfig({ objectType, sampleRate, channelConfiguration, frameLength: 1024, ps: false });
}
