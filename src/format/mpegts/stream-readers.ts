import { AC3_FRAMING, ADTS_FRAMING, MPEG_AUDIO_FRAMING } from '../elementary/audio-framing.ts';
import { AnnexBReader } from './annex-b-reader.ts';
import type { ElementaryReader } from './elementary-reader.ts';
import { FramedAudioReader } from './framed-audio-reader.ts';
import { OpusReader } from './opus-reader.ts';
import { type ElementaryStream, findDescriptor, registrationOf } from './program-tables.ts';
import {
  DescriptorTag,
  FORMAT_AC3,
  FORMAT_EAC3,
  FORMAT_HEVC,
  FORMAT_OPUS,
  OPUS_EXTENSION_TAG,
  StreamType,
} from './stream-types.tables.ts';

/** How the frames of one elementary stream are read. */
export interface StreamReading {
  readonly kind: 'video' | 'audio';
  readonly begin: (trackId: number) => ElementaryReader;
}

const H264: StreamReading = { kind: 'video', begin: (trackId) => new AnnexBReader('h264', trackId) };
const H265: StreamReading = { kind: 'video', begin: (trackId) => new AnnexBReader('h265', trackId) };
const AAC: StreamReading = { kind: 'audio', begin: (trackId) => new FramedAudioReader(ADTS_FRAMING, trackId) };
const MP3: StreamReading = { kind: 'audio', begin: (trackId) => new FramedAudioReader(MPEG_AUDIO_FRAMING, trackId) };
const AC3: StreamReading = { kind: 'audio', begin: (trackId) => new FramedAudioReader(AC3_FRAMING, trackId) };

/** How to read a stream of the program map; `undefined` for what Millrace does not read. */
export function readingOf(stream: ElementaryStream): StreamReading | undefined {
  switch (stream.streamType) {
    case StreamType.h264:
      return H264;
    case StreamType.h265:
      return H265;
    case StreamType.aacAdts:
      return AAC;
    case StreamType.mpeg1Audio:
    case StreamType.mpeg2Audio:
      return MP3;
    case StreamType.ac3:
    case StreamType.eac3:
      return AC3;
    case StreamType.privateData:
      return privateReading(stream.descriptors);
    default:
      return undefined;
  }
}

/** Private PES data says what it is in its descriptors. */
function privateReading(descriptors: Uint8Array): StreamReading | undefined {
  switch (registrationOf(descriptors)) {
    case FORMAT_OPUS:
      return opusReading(descriptors);
    case FORMAT_HEVC:
      return H265;
    case FORMAT_AC3:
    case FORMAT_EAC3:
      return AC3;
    default: {
      const isDvb =
        findDescriptor(descriptors, DescriptorTag.dvbAc3) !== undefined ||
        findDescriptor(descriptors, DescriptorTag.dvbEac3) !== undefined;
      return isDvb ? AC3 : undefined;
    }
  }
}

/** Layouts beyond stereo need a channel mapping that the short form of the descriptor leaves to Vorbis order. */
function opusReading(descriptors: Uint8Array): StreamReading | undefined {
  const extension = findDescriptor(descriptors, DescriptorTag.dvbExtension);
  const code = extension !== undefined && extension[0] === OPUS_EXTENSION_TAG ? extension[1] : 2;
  if (code !== 1 && code !== 2) return undefined;
  return { kind: 'audio', begin: (trackId) => new OpusReader(trackId, code) };
}
