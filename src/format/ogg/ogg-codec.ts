import { parseOpusHead } from '../../codec/opus/opus-head.ts';
import { opusPacketDurationUs } from '../../codec/opus/opus-packet.ts';
import type { Track } from '../../codec/track.ts';
import { audioDetails } from '../../codec/track-details.ts';
import { writeXiphLacing } from '../../codec/xiph/xiph-lacing.ts';

/** Longest frame of Theora believed, microseconds: a minute. */
export const MAX_THEORA_FRAME_US = 60_000_000;

/** How one codec lies in Ogg. */
export interface OggCodec {
  /** Header packets before the first packet of media, the first one included. */
  readonly headerPackets: number;
  /** The track, when all header packets are there; undefined when they make no sense. */
  toTrack(headers: readonly Uint8Array[], trackId: number): Track | undefined;
  /** Microseconds from the start to the granule position of a page. */
  granuleToUs(granulePosition: number): number;
  /** How long a packet lasts, microseconds; undefined when the packet alone does not tell. */
  durationUs(packet: Uint8Array): number | undefined;
  isKeyFrame(packet: Uint8Array): boolean;
}

/** The codec whose stream begins with this packet; undefined for those that are not played. */
export function oggCodecOf(first: Uint8Array): OggCodec | undefined {
  if (beginsWith(first, 'OpusHead')) return opusCodec(first);
  if (beginsWith(first, '\x01vorbis')) return vorbisCodec(first);
  if (beginsWith(first, '\x80theora')) return theoraCodec(first);
  return undefined;
}

/** RFC 7845: granule positions count 48 kHz samples, those to be skipped at the start included. */
function opusCodec(head: Uint8Array): OggCodec | undefined {
  const parsed = parseOpusHead(head);
  if (parsed === undefined) return undefined;
  return {
    headerPackets: 2,
    toTrack: (_headers, trackId) => {
      const audio = audioDetails('opus', head);
      return { kind: 'audio', trackId, codec: 'opus', config: head, ...(audio === undefined ? {} : { audio }) };
    },
    granuleToUs: (granulePosition) => (granulePosition * 1_000_000) / 48_000,
    durationUs: opusPacketDurationUs,
    isKeyFrame: () => true,
  };
}

/** Vorbis I §4.2.2: identification header with channels at byte 11 and the rate behind it, little-endian. */
function vorbisCodec(identification: Uint8Array): OggCodec | undefined {
  if (identification.length < 30) return undefined;
  const channels = identification[11]!;
  const sampleRate = u32le(identification, 12);
  if (channels === 0 || sampleRate === 0) return undefined;
  return {
    headerPackets: 3,
    toTrack: (headers, trackId) => ({
      kind: 'audio',
      trackId,
      codec: 'vorbis',
      config: writeXiphLacing(headers),
      audio: { sampleRate, channels, profile: 'Vorbis', codecString: 'vorbis' },
    }),
    granuleToUs: (granulePosition) => (granulePosition * 1_000_000) / sampleRate,
    durationUs: () => undefined,
    isKeyFrame: () => true,
  };
}

/**
 * Theora §6.2: identification header, big-endian: macroblocks (16, 16), picture (24, 24), offset (8, 8), frame rate
 * (32 / 32), aspect (24, 24), colour (8), bit rate (24), quality (6), keyframe granule shift (5).
 */
function theoraCodec(identification: Uint8Array): OggCodec | undefined {
  if (identification.length < 42) return undefined;
  const width = (identification[14]! << 16) | (identification[15]! << 8) | identification[16]!;
  const height = (identification[17]! << 16) | (identification[18]! << 8) | identification[19]!;
  const numerator = u32be(identification, 22);
  const denominator = u32be(identification, 26);
  if (numerator === 0 || denominator === 0) return undefined;
  const shift = ((identification[40]! & 3) << 3) | (identification[41]! >>> 5);
  const frameUs = (denominator * 1_000_000) / numerator;
  if (frameUs > MAX_THEORA_FRAME_US) return undefined;
  return {
    headerPackets: 3,
    toTrack: (headers, trackId) => ({
      kind: 'video',
      trackId,
      codec: 'theora',
      config: writeXiphLacing(headers),
      video: {
        width,
        height,
        frameRate: numerator / denominator,
        profile: 'Theora',
        level: '',
        codecString: 'theora',
      },
    }),
    // Frames up to the last key frame, and since.
    granuleToUs: (granulePosition) => {
      const step = 2 ** shift;
      return (Math.floor(granulePosition / step) + (granulePosition % step)) * frameUs;
    },
    durationUs: () => frameUs,
    // An empty packet repeats the frame before.
    isKeyFrame: (packet) => packet.length > 0 && (packet[0]! & 0xc0) === 0,
  };
}

function beginsWith(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}

function u32be(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function u32le(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 3]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 1]! << 8) | bytes[at]!) >>> 0;
}
