import { AUDIO_OBJECT_TYPE, writeAudioSpecificConfig } from '../../codec/aac/audio-specific-config.ts';
import type { AudioCodec, VideoCodec } from '../../codec/track.ts';
import type { SampleOrder } from '../mp4/sample-order.ts';

/** How the frames of a track are coded. */
export interface TrackCodec {
  readonly codec: VideoCodec | AudioCodec;
  /** `Track.config`; empty when the frames have to tell. */
  readonly config: Uint8Array;
  /** For codecs whose frames are plain samples: bytes of one sample of one channel, and how they lie in the file. */
  readonly plain?: { readonly sampleBytes: number; readonly order: SampleOrder };
}

/** What of a track entry decides on the codec. */
export interface CodecFacts {
  readonly codecId: string;
  readonly codecPrivate: Uint8Array;
  readonly sampleRate: number;
  readonly outputSampleRate: number;
  readonly channels: number;
  readonly bitDepth: number;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Codecs whose CodecPrivate is `Track.config` as it is, by the Matroska codec registry. */
const WITH_PRIVATE: ReadonlyMap<string, VideoCodec | AudioCodec> = new Map<string, VideoCodec | AudioCodec>([
  ['V_MPEG4/ISO/AVC', 'h264'],
  ['V_MPEGH/ISO/HEVC', 'h265'],
  ['V_AV1', 'av1'],
  ['V_MPEG4/ISO/SP', 'mp4v'],
  ['V_MPEG4/ISO/ASP', 'mp4v'],
  ['V_MPEG4/ISO/AP', 'mp4v'],
  ['A_AAC', 'aac'],
  ['A_OPUS', 'opus'],
]);

/** Codecs whose frames say everything. */
const SELF_DESCRIBED: ReadonlyMap<string, VideoCodec | AudioCodec> = new Map<string, VideoCodec | AudioCodec>([
  ['V_VP8', 'vp8'],
  ['V_VP9', 'vp9'],
  ['V_MPEG1', 'mpeg-video'],
  ['V_MPEG2', 'mpeg-video'],
  ['V_MJPEG', 'jpeg'],
  ['A_MPEG/L3', 'mp3'],
  ['A_MPEG/L2', 'mp2'],
  ['A_AC3', 'ac3'],
  ['A_AC3/BSID9', 'ac3'],
  ['A_AC3/BSID10', 'ac3'],
  ['A_EAC3', 'eac3'],
]);

/** Formats of Video for Windows by the four characters of their name. */
const VFW_CODECS: ReadonlyMap<string, VideoCodec> = new Map([
  ['XVID', 'mp4v'],
  ['DIVX', 'mp4v'],
  ['DX50', 'mp4v'],
  ['FMP4', 'mp4v'],
  ['MP4V', 'mp4v'],
  ['MJPG', 'jpeg'],
  ['MPG1', 'mpeg-video'],
  ['MPG2', 'mpeg-video'],
  ['DVSD', 'dv'],
] as const);

const BITMAP_INFO_HEADER_BYTES = 40;
const WAVE_FORMAT_BYTES = 18;
const FLAC_HEADER_BYTES = 42;
const FLAC_MAGIC = 'fLaC';
const LAST_METADATA_BLOCK = 0x80;
/** The first byte of three packets in Xiph lacing. */
const THREE_PACKETS = 2;

/** The codec of a track entry; undefined for one Millrace does not carry. */
export function codecOfTrack(facts: CodecFacts): TrackCodec | undefined {
  const { codecId, codecPrivate } = facts;
  const withPrivate = WITH_PRIVATE.get(codecId);
  if (withPrivate !== undefined) return { codec: withPrivate, config: codecPrivate };
  const selfDescribed = SELF_DESCRIBED.get(codecId);
  if (selfDescribed !== undefined) return { codec: selfDescribed, config: NO_BYTES };
  switch (codecId) {
    case 'V_THEORA':
      return codecPrivate[0] === THREE_PACKETS ? { codec: 'theora', config: codecPrivate } : undefined;
    case 'A_VORBIS':
      return codecPrivate[0] === THREE_PACKETS ? { codec: 'vorbis', config: codecPrivate } : undefined;
    case 'A_FLAC': {
      const config = flacHeader(codecPrivate);
      return config && { codec: 'flac', config };
    }
    case 'A_PCM/INT/BIG':
      return linear(facts.bitDepth, 'big');
    case 'A_PCM/INT/LIT':
      return linear(facts.bitDepth, 'little');
    case 'A_MS/ACM':
      return waveFormat(facts);
    case 'V_MS/VFW/FOURCC':
      return bitmapInfo(codecPrivate);
    default:
      // The old names of AAC stand for its configuration.
      return codecId.startsWith('A_AAC/') ? { codec: 'aac', config: oldAacConfig(facts) } : undefined;
  }
}

/** `fLaC` and STREAMINFO, which comes first; the other metadata blocks are left out. */
function flacHeader(codecPrivate: Uint8Array): Uint8Array | undefined {
  if (codecPrivate.length < FLAC_HEADER_BYTES) return undefined;
  const header = codecPrivate.slice(0, FLAC_HEADER_BYTES);
  if (String.fromCharCode(...header.subarray(0, FLAC_MAGIC.length)) !== FLAC_MAGIC) return undefined;
  header[FLAC_MAGIC.length] = header[FLAC_MAGIC.length]! | LAST_METADATA_BLOCK;
  return header;
}

function linear(bitDepth: number, order: 'big' | 'little'): TrackCodec | undefined {
  switch (bitDepth) {
    case 8:
      return { codec: 'l8', config: NO_BYTES, plain: { sampleBytes: 1, order: 'network' } };
    case 16:
      return {
        codec: 'l16',
        config: NO_BYTES,
        plain: { sampleBytes: 2, order: order === 'big' ? 'network' : 'little-16' },
      };
    case 24:
      return {
        codec: 'l24',
        config: NO_BYTES,
        plain: { sampleBytes: 3, order: order === 'big' ? 'network' : 'little-24' },
      };
    default:
      return undefined;
  }
}

/**
 * WAVEFORMATEX, little-endian:
 *
 *     format(16) channels(16) samples/s(32) bytes/s(32) block align(16) bits(16) extra size(16) extra …
 */
function waveFormat({ codecPrivate, bitDepth }: CodecFacts): TrackCodec | undefined {
  if (codecPrivate.length < WAVE_FORMAT_BYTES - 2) return undefined;
  const bits = codecPrivate[14]! | (codecPrivate[15]! << 8);
  switch (codecPrivate[0]! | (codecPrivate[1]! << 8)) {
    case 0x0001:
      return linear(bits === 0 ? bitDepth : bits, 'little');
    case 0x0006:
      return { codec: 'g711a', config: NO_BYTES, plain: { sampleBytes: 1, order: 'network' } };
    case 0x0007:
      return { codec: 'g711u', config: NO_BYTES, plain: { sampleBytes: 1, order: 'network' } };
    case 0x0050:
      return { codec: 'mp2', config: NO_BYTES };
    case 0x0055:
      return { codec: 'mp3', config: NO_BYTES };
    case 0x00ff:
      return { codec: 'aac', config: codecPrivate.slice(WAVE_FORMAT_BYTES) };
    case 0x2000:
      return { codec: 'ac3', config: NO_BYTES };
    default:
      return undefined;
  }
}

/** BITMAPINFOHEADER: the name of the format stands at byte 16, what its decoder needs behind the header. */
function bitmapInfo(codecPrivate: Uint8Array): TrackCodec | undefined {
  if (codecPrivate.length < BITMAP_INFO_HEADER_BYTES) return undefined;
  const codec = VFW_CODECS.get(String.fromCharCode(...codecPrivate.subarray(16, 20)).toUpperCase());
  if (codec === undefined) return undefined;
  return { codec, config: codec === 'mp4v' ? codecPrivate.slice(BITMAP_INFO_HEADER_BYTES) : NO_BYTES };
}

/** For `A_AAC/MPEG4/LC/SBR` and the like; empty when the rate and channels have to be enough. */
function oldAacConfig({ codecId, sampleRate, outputSampleRate, channels }: CodecFacts): Uint8Array {
  if (!codecId.endsWith('/SBR') || sampleRate === 0 || channels === 0 || channels > 7) return NO_BYTES;
  const sbrRate = outputSampleRate > sampleRate ? outputSampleRate : sampleRate * 2;
  return writeAudioSpecificConfig({
    objectType: AUDIO_OBJECT_TYPE.aacLc,
    sampleRate,
    channelConfiguration: channels,
    frameLength: 1024,
    sbr: { signalling: 'hierarchical', sampleRate: sbrRate },
    ps: false,
  });
}
