import type { AudioCodec, Codec, OpaqueAudioCodec, OpaqueVideoCodec, VideoCodec } from '../../codec/track.ts';

/** FLV tag types and RTMP message types of the same numbers: 8 audio, 9 video, 18 script data (FLV v10.1 §E.4.1). */
export type FlvTypeId = 8 | 9 | 18;

export const FLV_AUDIO = 8;
export const FLV_VIDEO = 9;
export const FLV_SCRIPT = 18;

/** VideoTagHeader.CodecID of AVC (FLV v10.1 §E.4.3.1). */
export const CODEC_ID_AVC = 7;
/** VideoTagHeader.CodecID that Chinese encoders use for HEVC, packed as AVC is. Never in Adobe's text. */
export const CODEC_ID_HEVC_LEGACY = 12;

/** AudioTagHeader.SoundFormat values that are looked into (FLV v10.1 §E.4.2.1). */
export const SOUND_FORMAT_MP3 = 2;
export const SOUND_FORMAT_G711A = 7;
export const SOUND_FORMAT_G711U = 8;
export const SOUND_FORMAT_ENHANCED = 9;
export const SOUND_FORMAT_AAC = 10;

/** FrameType nibble of VideoTagHeader (FLV v10.1 §E.4.3.1). */
export const FRAME_TYPE_KEY = 1;
export const FRAME_TYPE_INTER = 2;
export const FRAME_TYPE_GENERATED_KEY = 4;
export const FRAME_TYPE_COMMAND = 5;

/** AVCPacketType and AACPacketType of the legacy headers. */
export const LEGACY_SEQUENCE_HEADER = 0;
export const LEGACY_CODED_FRAME = 1;
export const LEGACY_END_OF_SEQUENCE = 2;

/** VideoPacketType of Enhanced RTMP v2, ExVideoTagHeader. */
export const VideoPacketType = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  codedFramesX: 3,
  metadata: 4,
  mpeg2TsSequenceStart: 5,
  multitrack: 6,
  modEx: 7,
} as const;

/** AudioPacketType of Enhanced RTMP v2, ExAudioTagHeader. */
export const AudioPacketType = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  multichannelConfig: 4,
  multitrack: 5,
  modEx: 7,
} as const;

/** AvMultitrackType of Enhanced RTMP v2. */
export const MultitrackType = { oneTrack: 0, manyTracks: 1, manyTracksManyCodecs: 2 } as const;

/** Video codecs passed through by their CodecID, see `isOpaqueCodec`. */
export const OPAQUE_VIDEO_BY_ID: ReadonlyMap<number, OpaqueVideoCodec> = new Map([
  [2, 'h263'],
  [3, 'screen'],
  [4, 'vp6'],
  [5, 'vp6a'],
  [6, 'screen2'],
  [9, 'mpeg4'],
]);

/** Audio codecs passed through by their SoundFormat, see `isOpaqueCodec`. */
export const OPAQUE_AUDIO_BY_FORMAT: ReadonlyMap<number, OpaqueAudioCodec> = new Map([
  [0, 'pcm'],
  [1, 'adpcm'],
  [3, 'pcm-le'],
  [4, 'nellymoser16'],
  [5, 'nellymoser8'],
  [6, 'nellymoser'],
  [11, 'speex'],
  [14, 'mp3-8k'],
  [15, 'device'],
]);

/** The four characters as a big-endian number, the way they stand in a tag. */
function fourCc(text: string): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value = value * 256 + text.charCodeAt(i);
  return value;
}

/** Codecs that Enhanced RTMP has a FourCC for. */
type EnhancedVideoCodec = Extract<VideoCodec, 'h264' | 'h265' | 'av1' | 'vp8' | 'vp9'>;
type EnhancedAudioCodec = Extract<AudioCodec, 'aac' | 'mp3' | 'opus' | 'ac3' | 'eac3' | 'flac'>;

/** Video FourCCs of Enhanced RTMP as big-endian numbers. */
export const FOURCC_BY_VIDEO_CODEC: Readonly<Record<EnhancedVideoCodec, number>> = {
  h264: fourCc('avc1'),
  h265: fourCc('hvc1'),
  av1: fourCc('av01'),
  vp8: fourCc('vp08'),
  vp9: fourCc('vp09'),
};

/** Audio FourCCs of Enhanced RTMP as big-endian numbers. */
export const FOURCC_BY_AUDIO_CODEC: Readonly<Record<EnhancedAudioCodec, number>> = {
  aac: fourCc('mp4a'),
  mp3: fourCc('.mp3'),
  opus: fourCc('Opus'),
  ac3: fourCc('ac-3'),
  eac3: fourCc('ec-3'),
  flac: fourCc('fLaC'),
};

function inverted<C extends string>(table: Readonly<Record<C, number>>): ReadonlyMap<number, C> {
  return new Map((Object.entries(table) as [C, number][]).map(([codec, value]) => [value, codec]));
}

export const VIDEO_CODEC_BY_FOURCC: ReadonlyMap<number, EnhancedVideoCodec> = inverted(FOURCC_BY_VIDEO_CODEC);
export const AUDIO_CODEC_BY_FOURCC: ReadonlyMap<number, EnhancedAudioCodec> = inverted(FOURCC_BY_AUDIO_CODEC);

/** Whether Enhanced RTMP has a FourCC for this codec. */
export function isEnhancedCodec(codec: Codec): codec is EnhancedVideoCodec | EnhancedAudioCodec {
  return codec in FOURCC_BY_VIDEO_CODEC || codec in FOURCC_BY_AUDIO_CODEC;
}

/** Codecs whose coded frames carry a composition time in Enhanced RTMP `CodedFrames` packets. */
export function hasCompositionTime(codec: string): boolean {
  return codec === 'h264' || codec === 'h265';
}
