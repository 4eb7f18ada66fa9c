import { BitReader } from '../../wire/bit-reader.ts';
import {
  AUDIO_OBJECT_TYPE,
  type AudioSpecificConfig,
  parseAudioSpecificConfig,
  readAudioSpecificConfig,
} from './audio-specific-config.ts';

/** Most bytes of a StreamMuxConfig looked at; real ones have about six. */
export const MAX_STREAM_MUX_CONFIG_BYTES = 1024;

/**
 * StreamMuxConfig of LATM (ISO/IEC 14496-3 §1.7.3.1) with one program of one layer, which is all that is in use.
 *
 *     audioMuxVersion(1) [audioMuxVersionA(1) taraBufferFullness] allStreamsSameTimeFraming(1) numSubFrames(6)
 *     numProgram(4)=0 numLayer(3)=0 [ascLen] AudioSpecificConfig frameLengthType(3) latmBufferFullness(8) or frameLength(9)
 *     otherDataPresent(1) [otherDataLenBits] crcCheckPresent(1) [crcCheckSum(8)]
 */
export interface StreamMuxConfig {
  readonly audio: AudioSpecificConfig;
  /** `audio` in bytes, the form of `Track.config`. */
  readonly audioConfig: Uint8Array;
  /** Access units in each AudioMuxElement, 1–64. */
  readonly subFrames: number;
  /** Bytes of every access unit; `undefined` when each has its length in front. */
  readonly fixedFrameBytes?: number;
  /** Bits of other data behind the access units of an AudioMuxElement. */
  readonly otherDataBits: number;
}

/** frameLengthType, latmBufferFullness, otherDataPresent and crcCheckPresent. */
const SMALLEST_REST_BITS = 13;

/** LatmGetValue(): up to four bytes. */
function readLatmValue(bits: BitReader): number {
  let bytes = bits.bits(2) + 1;
  let value = 0;
  while (bytes-- > 0) value = value * 256 + bits.bits(8);
  return value;
}

/** Object types whose configuration is read to its end, so that what follows can be found without a length. */
const READ_WHOLE: ReadonlySet<number> = new Set([
  AUDIO_OBJECT_TYPE.aacMain,
  AUDIO_OBJECT_TYPE.aacLc,
  AUDIO_OBJECT_TYPE.aacSsr,
  AUDIO_OBJECT_TYPE.aacLtp,
  AUDIO_OBJECT_TYPE.erAacLc,
  AUDIO_OBJECT_TYPE.erAacLd,
]);

/** `bitCount` bits from bit `start` on, in a new buffer with zero bits at the end. */
function copyBits(source: Uint8Array, start: number, bitCount: number): Uint8Array {
  const bits = new BitReader(source);
  bits.skip(start);
  const bytes = new Uint8Array(Math.ceil(bitCount / 8));
  for (let i = 0; i < bytes.length; i++) {
    const count = Math.min(8, bitCount - i * 8);
    bytes[i] = bits.bits(count) << (8 - count);
  }
  return bytes;
}

interface SizedConfig {
  readonly audio: AudioSpecificConfig;
  readonly audioConfig: Uint8Array;
}

/**
 * Where the backward-compatible extension (§1.6.2.1, syncExtensionType) that begins at bit `at` ends; `at` when none does.
 * GStreamer copies it from a container into a configuration without a length. It can be told from what else may stand
 * there: its first bits would be a reserved frameLengthType.
 */
function extensionEnd(source: Uint8Array, at: number): number {
  const bits = new BitReader(source);
  bits.skip(at);
  if (bits.bits(11) !== 0x2b7 || bits.bits(5) !== AUDIO_OBJECT_TYPE.sbr) return at;
  if (bits.flag() && bits.bits(4) === 0xf) bits.skip(24); // extensionSamplingFrequency
  const end = bits.position;
  const hasPs = bits.bits(11) === 0x548;
  bits.skip(1); // psPresentFlag
  return hasPs && !bits.overrun ? bits.position : end;
}

function readAudio(source: Uint8Array, bits: BitReader, hasLength: boolean): SizedConfig | undefined {
  if (!hasLength) {
    const start = bits.position;
    const audio = readAudioSpecificConfig(bits, false);
    if (audio === undefined || !READ_WHOLE.has(audio.objectType)) return undefined;
    bits.skip(extensionEnd(source, bits.position) - bits.position);
    if (bits.overrun) return undefined;
    const audioConfig = copyBits(source, start, bits.position - start);
    return { audio: parseAudioSpecificConfig(audioConfig) ?? audio, audioConfig };
  }
  const bitCount = readLatmValue(bits);
  if (bitCount > MAX_STREAM_MUX_CONFIG_BYTES * 8 || bitCount > bits.bitsLeft) return undefined;
  const audioConfig = copyBits(source, bits.position, bitCount);
  bits.skip(bitCount);
  const audio = readAudioSpecificConfig(new BitReader(audioConfig), true);
  return audio && { audio, audioConfig };
}

/**
 * Reads a StreamMuxConfig at the reader's place; `undefined` when it is cut off or has more than this reads.
 * @param source the bytes that `bits` reads
 */
export function readStreamMuxConfig(source: Uint8Array, bits: BitReader): StreamMuxConfig | undefined {
  const hasVersion = bits.flag();
  if (hasVersion && bits.flag()) return undefined; // audioMuxVersionA 1 is reserved
  if (hasVersion) readLatmValue(bits); // taraBufferFullness
  const isSameTimeFraming = bits.flag();
  const subFrames = bits.bits(6) + 1;
  if (!isSameTimeFraming || bits.bits(4) !== 0 || bits.bits(3) !== 0) return undefined;
  const config = readAudio(source, bits, hasVersion);
  if (config === undefined) return undefined;
  // GStreamer leaves out what follows, which is then as it mostly is.
  if (bits.bitsLeft < SMALLEST_REST_BITS) return { ...config, subFrames, otherDataBits: 0 };
  const frameLengthType = bits.bits(3);
  let fixedFrameBytes: number | undefined;
  if (frameLengthType === 0)
    bits.skip(8); // latmBufferFullness
  else if (frameLengthType === 1) fixedFrameBytes = bits.bits(9) + 20;
  else return undefined;
  let otherDataBits = 0;
  if (bits.flag()) {
    if (hasVersion) {
      otherDataBits = readLatmValue(bits);
    } else {
      let isMore = true;
      while (isMore && !bits.overrun) {
        isMore = bits.flag();
        otherDataBits = (otherDataBits * 256 + bits.bits(8)) % 2 ** 32;
      }
    }
  }
  if (bits.flag()) bits.skip(8); // crcCheckSum
  if (bits.overrun) return undefined;
  return { ...config, subFrames, ...(fixedFrameBytes !== undefined && { fixedFrameBytes }), otherDataBits };
}

/** Parses a StreamMuxConfig that is alone, as the `config` of RFC 6416 has it. Never throws. */
export function parseStreamMuxConfig(bytes: Uint8Array): StreamMuxConfig | undefined {
  const source = bytes.subarray(0, MAX_STREAM_MUX_CONFIG_BYTES);
  return readStreamMuxConfig(source, new BitReader(source));
}
