import type { Frame } from '../../codec/frame.ts';
import { type AudioDetails, isOpaqueCodec, type Track } from '../../codec/track.ts';
import {
  AudioPacketType,
  CODEC_ID_AVC,
  FLV_AUDIO,
  FLV_SCRIPT,
  FLV_VIDEO,
  type FlvTypeId,
  FOURCC_BY_AUDIO_CODEC,
  FOURCC_BY_VIDEO_CODEC,
  FRAME_TYPE_COMMAND,
  FRAME_TYPE_INTER,
  FRAME_TYPE_KEY,
  hasCompositionTime,
  isEnhancedCodec,
  LEGACY_CODED_FRAME,
  LEGACY_END_OF_SEQUENCE,
  LEGACY_SEQUENCE_HEADER,
  MultitrackType,
  SOUND_FORMAT_AAC,
  SOUND_FORMAT_ENHANCED,
  SOUND_FORMAT_G711A,
  SOUND_FORMAT_G711U,
  SOUND_FORMAT_MP3,
  VideoPacketType,
} from './flv-codecs.tables.ts';

export interface FlvMuxerOptions {
  /** Whether tracks other than 0 are written, in OneTrack form. Default false: they are left out. */
  readonly multitrack?: boolean;
}

/** A tag or RTMP message body in pieces: a small header, then views that belong to the frame or track. Read only. */
export interface FlvBody {
  readonly typeId: FlvTypeId;
  readonly parts: readonly Uint8Array[];
}

/** A body with its time. */
export interface FlvMessage extends FlvBody {
  /** Decode time in milliseconds, modulo 2^32. */
  readonly timestampMs: number;
}

/** SoundRate 44 kHz, 16 bits, stereo: what FLV v10.1 §E.4.2.1 wants in front of every AAC tag, whatever the stream has. */
const AAC_SOUND_FLAGS = 0x0f;
const AAC_FIRST_BYTE: number = (SOUND_FORMAT_AAC << 4) | AAC_SOUND_FLAGS;
/** Shared by all AAC frames: nobody may write to it. */
const AAC_FRAME_HEADER: Uint8Array = Uint8Array.of(AAC_FIRST_BYTE, LEGACY_CODED_FRAME);
const AAC_SEQUENCE_HEADER: Uint8Array = Uint8Array.of(AAC_FIRST_BYTE, LEGACY_SEQUENCE_HEADER);

const MIN_COMPOSITION_TIME_MS = -0x80_0000;
const MAX_COMPOSITION_TIME_MS = 0x7f_ffff;

/** SoundRate 5.5 kHz, which stands for 8 kHz here, and 16 bits: what encoders put in front of G.711. */
const G711_SOUND_FLAGS = 0x02;
const G711_SAMPLE_RATE = 8000;

/**
 * Whether `toFlvFrame` and `toFlvConfig` have a form for this track: those of Enhanced RTMP's codecs, and of track 0 also
 * opaque codecs, data, and G.711 of 8 kHz with one or two channels.
 */
export function isFlvTrack(track: Track, options: FlvMuxerOptions = {}): boolean {
  const { codec } = track;
  if (isEnhancedCodec(codec)) return track.trackId === 0 || options.multitrack === true;
  if (track.trackId !== 0) return false;
  return track.kind === 'data' || isOpaqueCodec(codec) || g711FirstByte(track) !== undefined;
}

/**
 * The body of one frame: H.264, AAC, MP3 and G.711 of track 0 in their legacy forms, opaque codecs and data as they came, all
 * else by FourCC (Enhanced RTMP v2). `undefined` for a track that is not written (see `isFlvTrack`).
 *
 * Times are rounded so that whole milliseconds stay exact: the timestamp is the decode time rounded down, the
 * composition time the rounded difference, held within its 24 bits.
 */
export function toFlvFrame(frame: Frame, options: FlvMuxerOptions = {}): FlvMessage | undefined {
  const { track, payload } = frame;
  if (!isFlvTrack(track, options)) return undefined;
  const timestampMs = Math.floor(frame.dtsUs / 1000) >>> 0;
  if (track.kind === 'audio') {
    const header = audioFrameHeader(track);
    return { typeId: FLV_AUDIO, timestampMs, parts: header === undefined ? [payload] : [header, payload] };
  }
  if (track.kind === 'video') {
    const header = videoFrameHeader(track, frame);
    return { typeId: FLV_VIDEO, timestampMs, parts: header === undefined ? [payload] : [header, payload] };
  }
  return { typeId: FLV_SCRIPT, timestampMs, parts: [payload] };
}

/**
 * The bodies that tell a decoder how to begin `track`: its sequence header, and after it the newest video metadata.
 * Empty when the codec has no configuration, or for a track that is not written.
 */
export function toFlvConfig(track: Track, options: FlvMuxerOptions = {}): readonly FlvBody[] {
  if (!isFlvTrack(track, options)) return [];
  const bodies: FlvBody[] = [];
  const { codec, config, videoMetadata } = track;
  if (config.length > 0 && isEnhancedCodec(codec)) {
    if (track.kind === 'audio') {
      const isLegacy = codec === 'aac' && track.trackId === 0;
      const header = isLegacy ? AAC_SEQUENCE_HEADER : enhancedAudioHeader(track, AudioPacketType.sequenceStart);
      bodies.push({ typeId: FLV_AUDIO, parts: [header, config] });
    } else if (track.kind === 'video') {
      const isLegacy = codec === 'h264' && track.trackId === 0;
      const header = isLegacy
        ? legacyVideoHeader(FRAME_TYPE_KEY, LEGACY_SEQUENCE_HEADER, 0)
        : enhancedVideoHeader(track, FRAME_TYPE_KEY, VideoPacketType.sequenceStart, undefined);
      bodies.push({ typeId: FLV_VIDEO, parts: [header, config] });
    }
  }
  if (videoMetadata !== undefined && track.kind === 'video' && isEnhancedCodec(codec)) {
    // The frame type of metadata means nothing, but decoders that know no such packet skip commands. In a multitrack
    // packet the frame type is looked at before the packet type, so there it must not be a command.
    const frameType = track.trackId === 0 ? FRAME_TYPE_COMMAND : FRAME_TYPE_KEY;
    const header = enhancedVideoHeader(track, frameType, VideoPacketType.metadata, undefined);
    bodies.push({ typeId: FLV_VIDEO, parts: [header, videoMetadata] });
  }
  return bodies;
}

/** The body that says that no more frames of `track` follow; `undefined` for codecs that have no such thing. */
export function toFlvEndOfSequence(track: Track, options: FlvMuxerOptions = {}): FlvBody | undefined {
  if (!isFlvTrack(track, options) || !isEnhancedCodec(track.codec)) return undefined;
  if (track.kind === 'video') {
    const isLegacy = track.codec === 'h264' && track.trackId === 0;
    const header = isLegacy
      ? legacyVideoHeader(FRAME_TYPE_KEY, LEGACY_END_OF_SEQUENCE, 0)
      : enhancedVideoHeader(track, FRAME_TYPE_KEY, VideoPacketType.sequenceEnd, undefined);
    return { typeId: FLV_VIDEO, parts: [header] };
  }
  if (track.trackId === 0 && (track.codec === 'aac' || track.codec === 'mp3')) return undefined;
  return { typeId: FLV_AUDIO, parts: [enhancedAudioHeader(track, AudioPacketType.sequenceEnd)] };
}

function videoFrameHeader(track: Track, frame: Frame): Uint8Array | undefined {
  const { codec } = track;
  if (isOpaqueCodec(codec)) return undefined;
  const frameType = frame.isKeyFrame ? FRAME_TYPE_KEY : FRAME_TYPE_INTER;
  const compositionTimeMs = Math.min(
    Math.max(Math.round((frame.ptsUs - frame.dtsUs) / 1000), MIN_COMPOSITION_TIME_MS),
    MAX_COMPOSITION_TIME_MS,
  );
  if (codec === 'h264' && track.trackId === 0) {
    return legacyVideoHeader(frameType, LEGACY_CODED_FRAME, compositionTimeMs);
  }
  if (!hasCompositionTime(codec)) {
    return enhancedVideoHeader(track, frameType, VideoPacketType.codedFrames, undefined);
  }
  return compositionTimeMs === 0
    ? enhancedVideoHeader(track, frameType, VideoPacketType.codedFramesX, undefined)
    : enhancedVideoHeader(track, frameType, VideoPacketType.codedFrames, compositionTimeMs);
}

function legacyVideoHeader(frameType: number, packetType: number, compositionTimeMs: number): Uint8Array {
  const header = new Uint8Array(5);
  header[0] = (frameType << 4) | CODEC_ID_AVC;
  header[1] = packetType;
  header[2] = compositionTimeMs >> 16;
  header[3] = compositionTimeMs >> 8;
  header[4] = compositionTimeMs;
  return header;
}

/** First byte, for tracks other than 0 the OneTrack byte, FourCC, track id, and the composition time when given. */
function enhancedVideoHeader(
  track: Track,
  frameType: number,
  packetType: number,
  compositionTimeMs: number | undefined,
): Uint8Array {
  const fourCc = FOURCC_BY_VIDEO_CODEC[track.codec as keyof typeof FOURCC_BY_VIDEO_CODEC];
  const firstNibbles = 0x80 | (frameType << 4);
  const extra = compositionTimeMs === undefined ? 0 : 3;
  const header = enhancedHeader(track.trackId, firstNibbles, packetType, VideoPacketType.multitrack, fourCc, extra);
  if (compositionTimeMs !== undefined) {
    const at = header.length - 3;
    header[at] = compositionTimeMs >> 16;
    header[at + 1] = compositionTimeMs >> 8;
    header[at + 2] = compositionTimeMs;
  }
  return header;
}

function enhancedAudioHeader(track: Track, packetType: number): Uint8Array {
  const fourCc = FOURCC_BY_AUDIO_CODEC[track.codec as keyof typeof FOURCC_BY_AUDIO_CODEC];
  return enhancedHeader(track.trackId, SOUND_FORMAT_ENHANCED << 4, packetType, AudioPacketType.multitrack, fourCc, 0);
}

function enhancedHeader(
  trackId: number,
  highNibble: number,
  packetType: number,
  multitrackPacketType: number,
  fourCc: number,
  extraBytes: number,
): Uint8Array {
  const isMultitrack = trackId !== 0;
  const header = new Uint8Array((isMultitrack ? 7 : 5) + extraBytes);
  let at = 0;
  if (isMultitrack) {
    header[at++] = highNibble | multitrackPacketType;
    header[at++] = (MultitrackType.oneTrack << 4) | packetType;
  } else {
    header[at++] = highNibble | packetType;
  }
  header[at++] = fourCc >>> 24;
  header[at++] = fourCc >>> 16;
  header[at++] = fourCc >>> 8;
  header[at++] = fourCc;
  if (isMultitrack) header[at] = trackId;
  return header;
}

function audioFrameHeader(track: Track): Uint8Array | undefined {
  const { codec } = track;
  if (isOpaqueCodec(codec)) return undefined;
  if (track.trackId === 0) {
    if (codec === 'aac') return AAC_FRAME_HEADER;
    if (codec === 'mp3') return Uint8Array.of(mp3FirstByte(track.audio));
    const g711 = g711FirstByte(track);
    if (g711 !== undefined) return Uint8Array.of(g711);
  }
  return enhancedAudioHeader(track, AudioPacketType.codedFrames);
}

/** SoundFormat and flags of G.711; `undefined` for other codecs, and for a rate or channels that FLV has no value for. */
function g711FirstByte(track: Track): number | undefined {
  const { codec, audio } = track;
  if (codec !== 'g711a' && codec !== 'g711u') return undefined;
  const channels = audio?.channels ?? 1;
  if ((audio?.sampleRate ?? G711_SAMPLE_RATE) !== G711_SAMPLE_RATE || channels < 1 || channels > 2) return undefined;
  const soundFormat = codec === 'g711a' ? SOUND_FORMAT_G711A : SOUND_FORMAT_G711U;
  return (soundFormat << 4) | G711_SOUND_FLAGS | (channels - 1);
}

/**
 * SoundFormat and flags of MP3 (FLV v10.1 §E.4.2.1). Rates that the two bits cannot say get the next one that is near.
 * SoundFormat 14 for 8 kHz is not used: it would make another codec of the track for its readers.
 */
function mp3FirstByte(audio: AudioDetails | undefined): number {
  const sampleRate = audio?.sampleRate ?? 44_100;
  const isStereo = (audio?.channels ?? 2) > 1;
  let rate = 3;
  if (sampleRate <= 8000) rate = 0;
  else if (sampleRate <= 12_000) rate = 1;
  else if (sampleRate <= 24_000) rate = 2;
  return (SOUND_FORMAT_MP3 << 4) | (rate << 2) | 2 | (isStereo ? 1 : 0);
}
