import { BitWriter } from '../bit-writer.ts';
import { AUDIO_OBJECT_TYPE, type AudioSpecificConfig } from './audio-specific-config.ts';
import { writeProgramConfigElement } from './program-config-element.ts';
import { AAC_SAMPLE_RATES, samplingFrequencyIndex } from './sampling-frequency.ts';

/** Bytes of an ADTS header without CRC. */
export const ADTS_HEADER_BYTES = 7;

/** Largest value of the 13-bit aac_frame_length, header included. */
export const MAX_ADTS_FRAME_BYTES = 8191;

const CRC_BYTES = 2;
const ID_PCE = 5;
const BUFFER_FULLNESS_VARIABLE = 0x7ff;

/**
 * ADTS header (ISO/IEC 13818-7 §6.2, ISO/IEC 14496-3 §1.A.2.2).
 *
 *     syncword(12)=fff ID(1) layer(2)=0 protection_absent(1)
 *     profile(2) sampling_frequency_index(4) private(1) channel_configuration(3) original(1) home(1)
 *     copyright(2) aac_frame_length(13) adts_buffer_fullness(11) number_of_raw_data_blocks_in_frame(2) [crc(16)]
 */
export interface AdtsHeader {
  /** Audio object type, 1–4: the profile field plus 1. */
  readonly objectType: number;
  readonly sampleRate: number;
  /** 0–7; 0 when a program_config_element in the frame describes the channels. */
  readonly channelConfiguration: number;
  /** 7, or 9 with a CRC. */
  readonly headerBytes: number;
  /** Header and payload. */
  readonly frameBytes: number;
  /** `number_of_raw_data_blocks_in_frame` + 1, 1–4. */
  readonly rawDataBlocks: number;
}

/** Parses the header at `offset`; `undefined` when it is cut off, not ADTS or has reserved values. */
export function parseAdtsHeader(bytes: Uint8Array, offset = 0): AdtsHeader | undefined {
  if (bytes.length - offset < ADTS_HEADER_BYTES) return undefined;
  const b1 = bytes[offset + 1]!;
  // The layer bits tell ADTS from MPEG audio, which has the same syncword.
  if (bytes[offset] !== 0xff || (b1 & 0xf6) !== 0xf0) return undefined;
  const b2 = bytes[offset + 2]!;
  const b3 = bytes[offset + 3]!;
  const b6 = bytes[offset + 6]!;
  const sampleRate = AAC_SAMPLE_RATES[(b2 >>> 2) & 0xf];
  const headerBytes = (b1 & 1) === 1 ? ADTS_HEADER_BYTES : ADTS_HEADER_BYTES + CRC_BYTES;
  const frameBytes = ((b3 & 3) << 11) | (bytes[offset + 4]! << 3) | (bytes[offset + 5]! >>> 5);
  if (sampleRate === undefined || frameBytes < headerBytes) return undefined;
  return {
    objectType: (b2 >>> 6) + 1,
    sampleRate,
    channelConfiguration: ((b2 & 1) << 2) | (b3 >>> 6),
    headerBytes,
    frameBytes,
    rawDataBlocks: (b6 & 3) + 1,
  };
}

/** The AudioSpecificConfig that says the same as an ADTS header. Write it with `writeAudioSpecificConfig`. */
export function audioSpecificConfigFromAdts(header: AdtsHeader): AudioSpecificConfig {
  return {
    objectType: header.objectType,
    sampleRate: header.sampleRate,
    channelConfiguration: header.channelConfiguration,
    frameLength: 1024,
    ps: false,
  };
}

/** Makes ADTS headers for the frames of one track. */
export interface AdtsFraming {
  /** Bytes in front of each payload: 7, or more when a program_config_element has to go with it. */
  readonly headerBytes: number;
  /** Largest payload that fits. */
  readonly maxPayloadBytes: number;
  /** Writes the `headerBytes` bytes for a payload of `payloadBytes` at `offset` of a caller's buffer. */
  writeHeader(target: Uint8Array, offset: number, payloadBytes: number): void;
}

/**
 * The ADTS framing for a configuration; `undefined` when ADTS cannot express it: an object type above 4, a rate
 * outside the table, or a channelConfiguration above 7. HE-AAC goes as its AAC-LC core, which decoders expect.
 */
export function createAdtsFraming(config: AudioSpecificConfig): AdtsFraming | undefined {
  const rateIndex = samplingFrequencyIndex(config.sampleRate);
  const { objectType, channelConfiguration, programConfig } = config;
  const isExpressible =
    objectType >= AUDIO_OBJECT_TYPE.aacMain && objectType <= AUDIO_OBJECT_TYPE.aacLtp && channelConfiguration <= 7;
  if (rateIndex === undefined || !isExpressible) return undefined;
  let element: Uint8Array = new Uint8Array(0);
  if (channelConfiguration === 0 && programConfig !== undefined) {
    // Ends on a byte boundary, so the payload can follow as it is.
    const bits = new BitWriter().bits(3, ID_PCE);
    writeProgramConfigElement(bits, programConfig);
    element = bits.finish();
  }
  const headerBytes = ADTS_HEADER_BYTES + element.length;
  return {
    headerBytes,
    maxPayloadBytes: MAX_ADTS_FRAME_BYTES - headerBytes,
    writeHeader(target, offset, payloadBytes) {
      const frameBytes = headerBytes + payloadBytes;
      target[offset] = 0xff;
      target[offset + 1] = 0xf1;
      target[offset + 2] = ((objectType - 1) << 6) | (rateIndex << 2) | (channelConfiguration >>> 2);
      target[offset + 3] = ((channelConfiguration & 3) << 6) | ((frameBytes >>> 11) & 3);
      target[offset + 4] = frameBytes >>> 3;
      target[offset + 5] = ((frameBytes & 7) << 5) | (BUFFER_FULLNESS_VARIABLE >>> 6);
      target[offset + 6] = (BUFFER_FULLNESS_VARIABLE & 0x3f) << 2;
      target.set(element, offset + ADTS_HEADER_BYTES);
    },
  };
}

/** One whole ADTS frame found in a stream; `payload` is a view of it without header and CRC. */
export interface AdtsFrame {
  readonly header: AdtsHeader;
  readonly payload: Uint8Array;
}

/**
 * Splits a stream into its whole ADTS frames, stepping over bytes that are none. `consumedBytes` is where the rest
 * begins that has to wait for more bytes: give it again in front of them. That rest is under 8,192 bytes.
 */
export function splitAdtsFrames(bytes: Uint8Array): {
  readonly frames: readonly AdtsFrame[];
  readonly consumedBytes: number;
} {
  const frames: AdtsFrame[] = [];
  let at = 0;
  while (bytes.length - at >= ADTS_HEADER_BYTES) {
    const header = parseAdtsHeader(bytes, at);
    if (header === undefined) {
      const next = bytes.indexOf(0xff, at + 1);
      at = next < 0 ? bytes.length : next;
      continue;
    }
    if (header.frameBytes > bytes.length - at) break;
    frames.push({ header, payload: bytes.subarray(at + header.headerBytes, at + header.frameBytes) });
    at += header.frameBytes;
  }
  return { frames, consumedBytes: at };
}
