import { parseAudioSpecificConfig } from '../../codec/aac/audio-specific-config.ts';
import { parseAc3SyncInfo } from '../../codec/ac3/sync-info.ts';
import { parseFlacStreamInfo } from '../../codec/flac/stream-info.ts';
import { parseMpegAudioHeader } from '../../codec/mp3/mpeg-audio-frame.ts';
import { opusPacketDurationUs } from '../../codec/opus/opus-packet.ts';
import type { Codec } from '../../codec/track.ts';
import { isLongVorbisBlock, parseVorbisIdentification, parseVorbisModes } from '../../codec/vorbis/vorbis-headers.ts';
import { parseXiphLacing } from '../../codec/xiph/xiph-lacing.ts';

/** Microseconds a frame of audio lasts, not rounded; 0 when neither it nor the track tells. */
export type FrameDuration = (frame: Uint8Array) => number;

/**
 * How long the frames of a track last, by what its codec puts into them.
 * @param fallbackUs for codecs and frames that do not tell
 */
export function frameDurationOf(codec: Codec, config: Uint8Array, fallbackUs: number): FrameDuration {
  switch (codec) {
    case 'aac': {
      const asc = parseAudioSpecificConfig(config);
      return asc === undefined ? () => fallbackUs : constant(asc.frameLength, asc.sampleRate);
    }
    case 'flac': {
      const info = parseFlacStreamInfo(config);
      const isFixed = info !== undefined && info.minBlockSize === info.maxBlockSize;
      return isFixed ? constant(info.maxBlockSize, info.sampleRate) : () => fallbackUs;
    }
    case 'vorbis':
      return vorbisDuration(config, fallbackUs);
    case 'opus':
      return (frame) => opusPacketDurationUs(frame) ?? fallbackUs;
    case 'mp2':
    case 'mp3':
      return (frame) => perSecond(parseMpegAudioHeader(frame)) ?? fallbackUs;
    case 'ac3':
    case 'eac3':
      return (frame) => perSecond(parseAc3SyncInfo(frame)) ?? fallbackUs;
    default:
      return () => fallbackUs;
  }
}

/** A block overlaps the one before it by half of the shorter one, so what it adds is a quarter of both (Vorbis I §4.3.8). */
function vorbisDuration(config: Uint8Array, fallbackUs: number): FrameDuration {
  const [identification, , setup] = parseXiphLacing(config) ?? [];
  const stream = identification && parseVorbisIdentification(identification);
  const modes = setup && parseVorbisModes(setup);
  if (stream === undefined || modes === undefined) return () => fallbackUs;
  let before: number | undefined;
  return (frame) => {
    const isLong = isLongVorbisBlock(frame, modes);
    if (isLong === undefined) return 0;
    const size = stream.blockSizes[isLong ? 1 : 0];
    const samples = ((before ?? size) + size) / 4;
    before = size;
    return (samples * 1_000_000) / stream.sampleRate;
  };
}

function constant(samples: number, sampleRate: number): FrameDuration {
  const us = (samples * 1_000_000) / sampleRate;
  return () => us;
}

function perSecond(header: { readonly samples: number; readonly sampleRate: number } | undefined): number | undefined {
  return header && (header.samples * 1_000_000) / header.sampleRate;
}
