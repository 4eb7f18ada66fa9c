import type { Frame } from '../../codec/frame.ts';
import type { AudioCodec, Track } from '../../codec/track.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { FileWindow } from '../file-window.ts';
import { HALF_ROUNDING_US, type MediaFile, type OpenMediaFile, type RandomAccess } from '../media-file.ts';

/** Codes of the `ProtocolError`s of WAV files. */
export type WavErrorCode = 'wav/not-wav' | 'wav/unsupported-format' | 'wav/no-data';

/** Most chunks looked at before the samples. */
export const MAX_WAV_CHUNKS = 256;

/** Samples of a frame last about this long, microseconds: a few packets' worth. */
const FRAME_US = 20_000;

const FORMAT_PCM = 1;
const FORMAT_ALAW = 6;
const FORMAT_MULAW = 7;
const FORMAT_IMA_ADPCM = 0x11;
const FORMAT_EXTENSIBLE = 0xfffe;
const MAX_CHANNELS = 8;
const MAX_SAMPLE_RATE = 384_000;

interface WavFormat {
  readonly codec: AudioCodec;
  readonly channels: number;
  readonly sampleRate: number;
  /** Bytes and samples (of each channel) that belong together: a sample of every channel, or an ADPCM block. */
  readonly blockBytes: number;
  readonly blockSamples: number;
  readonly toNetwork: (bytes: Uint8Array) => void;
}

/**
 * RIFF WAVE (`.wav`): linear PCM of 8, 16 and 24 bits, A-law, µ-law, and IMA ADPCM of one channel. Chunks it does not know
 * (`LIST` and so on) are passed over. Floating point is refused.
 */
export const openWavFile: OpenMediaFile = async (file) => {
  const window = new FileWindow(file);
  const head = await window.view(0, 12);
  if (head.length < 12 || text(head, 0) !== 'RIFF' || text(head, 8) !== 'WAVE') {
    throw wavError('wav/not-wav', 'no RIFF WAVE header');
  }
  let format: WavFormat | undefined;
  let at = 12;
  for (let chunk = 0; chunk < MAX_WAV_CHUNKS; chunk++) {
    const header = await window.view(at, 8);
    if (header.length < 8) break;
    const name = text(header, 0);
    const sizeBytes = u32(header, 4);
    at += 8;
    if (name === 'fmt ') format = parseFormat(await window.view(at, Math.min(sizeBytes, 64)));
    else if (name === 'data') {
      if (format === undefined) break;
      // Writers that never came back to fill in the size leave 0 or the largest value.
      const rest = file.sizeBytes - at;
      const dataBytes = sizeBytes === 0 || sizeBytes > rest ? rest : sizeBytes;
      return new WavFile(file, format, at, dataBytes);
    }
    at += sizeBytes + (sizeBytes & 1);
  }
  throw wavError('wav/no-data', 'no samples behind a format');
};

class WavFile implements MediaFile {
  readonly tracks: readonly Track[];
  readonly isSeekable = true;
  readonly durationUs: number;
  readonly #file: RandomAccess;
  readonly #format: WavFormat;
  readonly #dataOffset: number;
  readonly #blocks: number;
  readonly #frameBlocks: number;
  readonly #track: Track;
  #next = 0;

  constructor(file: RandomAccess, format: WavFormat, dataOffset: number, dataBytes: number) {
    const { codec, channels, sampleRate, blockBytes, blockSamples } = format;
    this.#file = file;
    this.#format = format;
    this.#dataOffset = dataOffset;
    this.#blocks = Math.floor(dataBytes / blockBytes);
    this.#frameBlocks = Math.max(1, Math.round((FRAME_US * sampleRate) / (1_000_000 * blockSamples)));
    this.#track = {
      kind: 'audio',
      trackId: 0,
      codec,
      config: new Uint8Array(0),
      audio: { sampleRate, channels, profile: '', codecString: codec },
    };
    this.tracks = [this.#track];
    this.durationUs = this.#timeUs(this.#blocks);
  }

  seek(targetUs: number): Promise<number> {
    const { sampleRate, blockSamples } = this.#format;
    const block = Math.floor(((Math.max(0, targetUs) + HALF_ROUNDING_US) * sampleRate) / (1_000_000 * blockSamples));
    this.#next = Math.max(0, Math.min(block, this.#blocks - 1));
    return Promise.resolve(this.#timeUs(this.#next));
  }

  async next(): Promise<Frame | undefined> {
    const blocks = Math.min(this.#frameBlocks, this.#blocks - this.#next);
    if (blocks <= 0) return undefined;
    const { blockBytes, toNetwork } = this.#format;
    const payload = await this.#file.read(this.#dataOffset + this.#next * blockBytes, blocks * blockBytes);
    if (payload.length < blocks * blockBytes) return undefined;
    toNetwork(payload);
    const timeUs = this.#timeUs(this.#next);
    this.#next += blocks;
    return { track: this.#track, dtsUs: timeUs, ptsUs: timeUs, isKeyFrame: true, payload };
  }

  #timeUs(block: number): number {
    return Math.round((block * this.#format.blockSamples * 1_000_000) / this.#format.sampleRate);
  }
}

/** WAVEFORMATEX (Microsoft Multimedia Registration Kit): all fields little-endian. */
function parseFormat(bytes: Uint8Array): WavFormat {
  if (bytes.length < 16) throw wavError('wav/unsupported-format', 'the format is cut short');
  const tag = u16(bytes, 0);
  // The first two bytes of the sub-format GUID are the old format tag.
  const kind = tag === FORMAT_EXTENSIBLE && bytes.length >= 26 ? u16(bytes, 24) : tag;
  const channels = u16(bytes, 2);
  const sampleRate = u32(bytes, 4);
  const blockAlign = u16(bytes, 12);
  const bits = u16(bytes, 14);
  if (channels === 0 || channels > MAX_CHANNELS || sampleRate === 0 || sampleRate > MAX_SAMPLE_RATE) {
    throw wavError('wav/unsupported-format', `${channels} channels at ${sampleRate} Hz`);
  }
  const pcm = (codec: AudioCodec, bytesEach: number, toNetwork: (b: Uint8Array) => void): WavFormat => {
    return { codec, channels, sampleRate, blockBytes: bytesEach * channels, blockSamples: 1, toNetwork };
  };
  if (kind === FORMAT_ALAW) return pcm('g711a', 1, keep);
  if (kind === FORMAT_MULAW) return pcm('g711u', 1, keep);
  if (kind === FORMAT_PCM && bits === 8) return pcm('l8', 1, keep);
  if (kind === FORMAT_PCM && bits === 16) return pcm('l16', 2, swap16);
  if (kind === FORMAT_PCM && bits === 24) return pcm('l24', 3, swap24);
  if (kind === FORMAT_IMA_ADPCM && channels === 1 && blockAlign > 4) {
    // A header of one whole sample, then two samples a byte.
    const blockSamples = (blockAlign - 4) * 2 + 1;
    return { codec: 'dvi4', channels, sampleRate, blockBytes: blockAlign, blockSamples, toNetwork: imaToDvi4 };
  }
  throw wavError('wav/unsupported-format', `format 0x${kind.toString(16)} with ${bits} bits and ${channels} channels`);
}

function keep(): void {
  // One byte a sample has no order.
}

function swap16(bytes: Uint8Array): void {
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    const low = bytes[i]!;
    bytes[i] = bytes[i + 1]!;
    bytes[i + 1] = low;
  }
}

function swap24(bytes: Uint8Array): void {
  for (let i = 0; i + 2 < bytes.length; i += 3) {
    const low = bytes[i]!;
    bytes[i] = bytes[i + 2]!;
    bytes[i + 2] = low;
  }
}

/** RFC 3551 §4.5.1: the predictor in network order, and the first sample of a byte in its upper half. */
function imaToDvi4(block: Uint8Array): void {
  swap16(block.subarray(0, 2));
  for (let i = 4; i < block.length; i++) {
    const byte = block[i]!;
    block[i] = ((byte & 0xf) << 4) | (byte >>> 4);
  }
}

function text(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4));
}

function u16(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8);
}

function u32(bytes: Uint8Array, offset: number): number {
  return (u16(bytes, offset) | (u16(bytes, offset + 2) << 16)) >>> 0;
}

function wavError(code: WavErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}
