/** How tracks of a stream are described, whichever protocol or container they came by. */

/** Video codecs by their usual short names. */
export type VideoCodec =
  | 'h264'
  | 'h265'
  | 'av1'
  | 'vp8'
  | 'vp9'
  | 'mpeg-video'
  | 'mp4v'
  | 'theora'
  | 'dv'
  | 'jpeg'
  | 'mp2t'
  | OpaqueVideoCodec;

/** Audio codecs by their usual short names. */
export type AudioCodec =
  | 'aac'
  | 'mp2'
  | 'mp3'
  | 'opus'
  | 'vorbis'
  | 'ac3'
  | 'eac3'
  | 'flac'
  | 'g711a'
  | 'g711u'
  | 'g722'
  | 'l8'
  | 'l16'
  | 'l20'
  | 'l24'
  | 'dvi4'
  | 'amr'
  | 'amr-wb'
  | OpaqueAudioCodec;

/** Old FLV video codecs Millrace carries between FLV and RTMP but does not look into (FLV v10.1 §E.4.3.1). */
export type OpaqueVideoCodec = 'h263' | 'screen' | 'vp6' | 'vp6a' | 'screen2' | 'mpeg4';

/** Old FLV audio codecs Millrace carries between FLV and RTMP but does not look into (FLV v10.1 §E.4.2.1). */
export type OpaqueAudioCodec =
  | 'pcm'
  | 'adpcm'
  | 'pcm-le'
  | 'nellymoser16'
  | 'nellymoser8'
  | 'nellymoser'
  | 'speex'
  | 'mp3-8k'
  | 'device';

export type Codec = VideoCodec | AudioCodec | 'amf0';

/**
 * One track as it is from some frame on. Tracks are immutable: when the decoder configuration changes, a new Track with
 * the same `kind` and `trackId` takes the old one's place, and the frames after it point at the new one.
 */
export interface Track {
  readonly kind: 'video' | 'audio' | 'data';
  /** 0 for the default track of its kind; 1–255 for the others of Enhanced RTMP multitrack. */
  readonly trackId: number;
  readonly codec: Codec;
  /**
   * Decoder configuration, exactly as the publisher sent it: avcC (h264), hvcC (h265), av1C (av1), vpcC without its
   * FullBox header (vp8, vp9), AudioSpecificConfig (aac), `OpusHead` (opus), `fLaC`+STREAMINFO (flac), the visual object
   * sequence up to the first VOP (mp4v), the three header packets in Xiph lacing (vorbis, theora: RFC 5215 §3.2.1 form
   * `count-1, sizes, packets`). Empty for codecs that have none.
   */
  readonly config: Uint8Array;
  /** AMF0 payload of the newest Enhanced RTMP video metadata frame (`colorInfo` and so on), when there was one. */
  readonly videoMetadata?: Uint8Array;
  /** What could be read from `config`; absent when it could not be read (a bad SPS is tolerated). */
  readonly video?: VideoDetails;
  readonly audio?: AudioDetails;
}

/** Picture size in luma samples after cropping, and what else the parameter sets tell. */
export interface VideoDetails {
  readonly width: number;
  readonly height: number;
  /** Frames a second from VUI timing, when given. */
  readonly frameRate?: number;
  /** For people: `High`, `Main 10`, … */
  readonly profile: string;
  /** For people: `4.1`. */
  readonly level: string;
  /** RFC 6381 `codecs` value: `avc1.64001f`, `hvc1.1.6.L93.B0`, `av01.0.04M.08`, … */
  readonly codecString: string;
}

export interface AudioDetails {
  /** Output sample rate in Hz (for HE-AAC the rate after SBR). */
  readonly sampleRate: number;
  readonly channels: number;
  /** For people: `LC`, `HE-AAC`, `HE-AACv2`, `Layer III`, … */
  readonly profile: string;
  /** RFC 6381 `codecs` value: `mp4a.40.2`, `opus`, … */
  readonly codecString: string;
}

const OPAQUE: ReadonlySet<string> = new Set<OpaqueVideoCodec | OpaqueAudioCodec>([
  'h263',
  'screen',
  'vp6',
  'vp6a',
  'screen2',
  'mpeg4',
  'pcm',
  'adpcm',
  'pcm-le',
  'nellymoser16',
  'nellymoser8',
  'nellymoser',
  'speex',
  'mp3-8k',
  'device',
]);

/** Whether frames of this codec hold a whole FLV tag body (first byte included), to be passed on untouched. */
export function isOpaqueCodec(codec: Codec): codec is OpaqueVideoCodec | OpaqueAudioCodec {
  return OPAQUE.has(codec);
}

/** A small number that tells the tracks of one stream apart: equal exactly for the same kind and id. */
export function trackSlot(track: Track): number {
  return track.trackId + (track.kind === 'video' ? 0 : track.kind === 'audio' ? 256 : 512);
}
