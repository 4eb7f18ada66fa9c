import { createAdtsFraming } from '../../codec/aac/adts.ts';
import { parseAudioSpecificConfig } from '../../codec/aac/audio-specific-config.ts';
import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { AnnexBAccessUnitWriter } from './annex-b-access-unit.ts';
import { opusChannelConfigCode, writeOpusControlHeader } from './opus-access-unit.ts';
import { STREAM_ID_AUDIO, STREAM_ID_PRIVATE_1, STREAM_ID_VIDEO } from './pes-packet.ts';
import type { ElementaryStream } from './program-tables.ts';
import {
  DescriptorTag,
  FORMAT_AC3,
  FORMAT_EAC3,
  FORMAT_HEVC,
  FORMAT_OPUS,
  OPUS_EXTENSION_TAG,
  StreamType,
} from './stream-types.tables.ts';

/** How one track goes into a transport stream. */
export interface ElementaryForm {
  readonly stream: ElementaryStream;
  /** stream_id of its PES packets. */
  readonly streamId: number;
  /** The frame's bytes in pieces; empty for a frame this form cannot hold. */
  readonly write: (frame: Frame) => readonly Uint8Array[];
}

const NO_DESCRIPTORS: Uint8Array = new Uint8Array(0);
const NO_PARTS: readonly Uint8Array[] = [];

/** PIDs of the default tracks are those SRS uses; further tracks follow their track id. */
const PID_VIDEO = 0x100;
const PID_AAC = 0x101;
const PID_MP3 = 0x102;
const PID_OTHER_AUDIO = 0x103;
const PID_FURTHER_VIDEO = 0x200;
const PID_FURTHER_AUDIO = 0x300;

function pidOf(track: Track): number {
  if (track.kind === 'video') return track.trackId === 0 ? PID_VIDEO : PID_FURTHER_VIDEO + track.trackId;
  if (track.trackId !== 0) return PID_FURTHER_AUDIO + track.trackId;
  if (track.codec === 'aac') return PID_AAC;
  return track.codec === 'mp3' ? PID_MP3 : PID_OTHER_AUDIO;
}

function registration(format: number, ...more: readonly number[]): Uint8Array {
  return Uint8Array.of(DescriptorTag.registration, 4, format >>> 24, format >>> 16, format >>> 8, format, ...more);
}

const wholePayload = (frame: Frame): readonly Uint8Array[] => [frame.payload];

/**
 * The form of `track`, or `undefined` when MPEG-TS (as Millrace writes it) cannot carry it: H.264, H.265, AAC, MP3,
 * AC-3, E-AC-3 and Opus of up to eight channels in Vorbis order can be carried. AV1 is left out: its mapping is a draft
 * that the usual players do not read; so are VP8, VP9, FLAC, opaque codecs and data messages, which have none.
 */
export function elementaryForm(track: Track): ElementaryForm | undefined {
  const pid = pidOf(track);
  switch (track.codec) {
    case 'h264':
    case 'h265': {
      const writer = new AnnexBAccessUnitWriter(track);
      const stream =
        track.codec === 'h264'
          ? { pid, streamType: StreamType.h264, descriptors: NO_DESCRIPTORS }
          : { pid, streamType: StreamType.h265, descriptors: registration(FORMAT_HEVC) };
      return { stream, streamId: STREAM_ID_VIDEO, write: (frame) => writer.write(frame.payload, frame.isKeyFrame) };
    }
    case 'aac': {
      const config = parseAudioSpecificConfig(track.config);
      const framing = config && createAdtsFraming(config);
      if (framing === undefined) return undefined;
      return {
        stream: { pid, streamType: StreamType.aacAdts, descriptors: NO_DESCRIPTORS },
        streamId: STREAM_ID_AUDIO,
        write: ({ payload }) => {
          if (payload.length > framing.maxPayloadBytes) return NO_PARTS;
          const header = new Uint8Array(framing.headerBytes);
          framing.writeHeader(header, 0, payload.length);
          return [header, payload];
        },
      };
    }
    case 'mp3': {
      // Below 32 kHz it is MPEG-2 audio (ISO/IEC 13818-3).
      const streamType = (track.audio?.sampleRate ?? 44_100) < 32_000 ? StreamType.mpeg2Audio : StreamType.mpeg1Audio;
      return {
        stream: { pid, streamType, descriptors: NO_DESCRIPTORS },
        streamId: STREAM_ID_AUDIO,
        write: wholePayload,
      };
    }
    case 'ac3':
      return {
        stream: { pid, streamType: StreamType.ac3, descriptors: registration(FORMAT_AC3) },
        streamId: STREAM_ID_PRIVATE_1,
        write: wholePayload,
      };
    case 'eac3':
      return {
        stream: { pid, streamType: StreamType.eac3, descriptors: registration(FORMAT_EAC3) },
        streamId: STREAM_ID_PRIVATE_1,
        write: wholePayload,
      };
    case 'opus': {
      const code = opusChannelConfigCode(track.config);
      if (code === undefined) return undefined;
      const descriptors = registration(FORMAT_OPUS, DescriptorTag.dvbExtension, 2, OPUS_EXTENSION_TAG, code);
      return {
        stream: { pid, streamType: StreamType.privateData, descriptors },
        streamId: STREAM_ID_PRIVATE_1,
        write: (frame) => [writeOpusControlHeader(frame.payload.length), frame.payload],
      };
    }
    default:
      return undefined;
  }
}
