import { audioSpecificConfigFromAdts, parseAdtsHeader } from '../../codec/aac/adts.ts';
import { writeAudioSpecificConfig } from '../../codec/aac/audio-specific-config.ts';
import { readProgramConfigElement } from '../../codec/aac/program-config-element.ts';
import { parseAc3SyncInfo } from '../../codec/ac3/sync-info.ts';
import { parseMpegAudioHeader } from '../../codec/mp3/mpeg-audio-frame.ts';
import type { AudioCodec } from '../../codec/track.ts';
import { BitReader } from '../../wire/bit-reader.ts';

/** What the header of one audio frame says. */
export interface FrameFacts {
  readonly codec: AudioCodec;
  /** Header and payload. */
  readonly sizeBytes: number;
  /** Where the payload of the neutral frame begins. */
  readonly payloadOffset: number;
  readonly samples: number;
  readonly sampleRate: number;
  /** Stays the same while the track does. */
  readonly format: number;
}

/** A codec whose frames can be found in a stream of bytes by their headers. */
export interface AudioFraming {
  /** The first byte of every frame. */
  readonly syncByte: number;
  /** Bytes that `facts` needs. */
  readonly headerBytes: number;
  /** `undefined` where no frame begins. */
  facts(bytes: Uint8Array, offset: number): FrameFacts | undefined;
  /** `Track.config` for a frame; `undefined` for one that cannot be described. */
  config(frame: Uint8Array): Uint8Array | undefined;
}

const NO_CONFIG: Uint8Array = new Uint8Array(0);
const ID_PCE = 5;

/** AAC in ADTS. Frames of several raw data blocks are told apart by `samples` 0: they cannot be split. */
export const ADTS_FRAMING: AudioFraming = {
  syncByte: 0xff,
  headerBytes: 7,
  facts(bytes, offset) {
    const header = parseAdtsHeader(bytes, offset);
    if (header === undefined) return undefined;
    return {
      codec: 'aac',
      sizeBytes: header.frameBytes,
      payloadOffset: header.headerBytes,
      samples: header.rawDataBlocks === 1 ? 1024 : 0,
      sampleRate: header.sampleRate,
      format: (header.sampleRate * 8 + header.channelConfiguration) * 4 + header.objectType - 1,
    };
  },
  config(frame) {
    const header = parseAdtsHeader(frame);
    if (header === undefined) return undefined;
    const config = audioSpecificConfigFromAdts(header);
    if (config.channelConfiguration !== 0) return writeAudioSpecificConfig(config);
    // The channels are described at the start of the payload.
    const bits = new BitReader(frame.subarray(header.headerBytes));
    if (bits.bits(3) !== ID_PCE) return undefined;
    const programConfig = readProgramConfigElement(bits);
    return programConfig && writeAudioSpecificConfig({ ...config, programConfig });
  },
};

/** MPEG audio: layer III as `mp3`, layer II as `mp2`. Layer I, which nobody sends, counts as bytes that are no frame. */
export const MPEG_AUDIO_FRAMING: AudioFraming = {
  syncByte: 0xff,
  headerBytes: 4,
  facts(bytes, offset) {
    const header = parseMpegAudioHeader(bytes, offset);
    if (header === undefined || header.layer === 1) return undefined;
    return {
      codec: header.layer === 3 ? 'mp3' : 'mp2',
      sizeBytes: header.frameBytes,
      payloadOffset: 0,
      samples: header.samples,
      sampleRate: header.sampleRate,
      format: (header.sampleRate * 4 + header.layer) * 4 + header.channels,
    };
  },
  config: () => NO_CONFIG,
};

/** AC-3 and E-AC-3, told apart by their headers. */
export const AC3_FRAMING: AudioFraming = {
  syncByte: 0x0b,
  headerBytes: 12,
  facts(bytes, offset) {
    const info = parseAc3SyncInfo(bytes.subarray(offset, offset + 12));
    if (info === undefined) return undefined;
    return {
      codec: info.codec,
      sizeBytes: info.frameBytes,
      payloadOffset: 0,
      samples: info.streamType === 1 ? 0 : info.samples,
      sampleRate: info.sampleRate,
      format: info.sampleRate * 16 + info.channels,
    };
  },
  config: () => NO_CONFIG,
};
