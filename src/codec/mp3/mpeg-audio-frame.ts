/** Bytes of an MPEG audio frame header. */
export const MPEG_AUDIO_HEADER_BYTES = 4;

/** Kilobits a second by bitrate_index: MPEG-1 layers I, II, III, then MPEG-2 and 2.5 layer I and layers II and III. */
const BITRATES: readonly (readonly number[])[] = [
  [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

const MPEG1_SAMPLE_RATES: readonly number[] = [44_100, 48_000, 32_000];

/** MPEG audio frame header (ISO/IEC 11172-3 §2.4.1.3, ISO/IEC 13818-3 §2.4.1.3, and the unofficial MPEG-2.5). */
export interface MpegAudioHeader {
  readonly version: '1' | '2' | '2.5';
  readonly layer: 1 | 2 | 3;
  readonly hasCrc: boolean;
  readonly bitrateBps: number;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** Header and payload. */
  readonly frameBytes: number;
  /** Samples of each channel. */
  readonly samples: number;
}

/**
 * Parses the header at `offset`; `undefined` when it is cut off, not MPEG audio, has reserved values or a free-format
 * bit rate (whose frame size no header tells).
 *
 *     sync(11) version(2) layer(2) protection_absent(1) bitrate_index(4) sampling_frequency(2) padding(1) private(1)
 *     mode(2) mode_extension(2) copyright(1) original(1) emphasis(2)
 */
export function parseMpegAudioHeader(bytes: Uint8Array, offset = 0): MpegAudioHeader | undefined {
  if (bytes.length - offset < MPEG_AUDIO_HEADER_BYTES) return undefined;
  const b1 = bytes[offset + 1]!;
  const b2 = bytes[offset + 2]!;
  const b3 = bytes[offset + 3]!;
  if (bytes[offset] !== 0xff || (b1 & 0xe0) !== 0xe0) return undefined;
  const versionBits = (b1 >>> 3) & 3;
  const layerBits = (b1 >>> 1) & 3;
  if (versionBits === 1 || layerBits === 0) return undefined;
  const version = versionBits === 3 ? '1' : versionBits === 2 ? '2' : '2.5';
  const layer = layerBits === 3 ? 1 : layerBits === 2 ? 2 : 3;
  const row = version === '1' ? layer - 1 : layer === 1 ? 3 : 4;
  const kbps = BITRATES[row]?.[b2 >>> 4] ?? 0;
  const mpeg1Rate = MPEG1_SAMPLE_RATES[(b2 >>> 2) & 3];
  if (kbps === 0 || mpeg1Rate === undefined) return undefined;
  const sampleRate = mpeg1Rate / (version === '1' ? 1 : version === '2' ? 2 : 4);
  const padding = (b2 >>> 1) & 1;
  const samples = layer === 1 ? 384 : layer === 3 && version !== '1' ? 576 : 1152;
  // Layer I counts in slots of four bytes.
  const slotBytes = layer === 1 ? 4 : 1;
  const frameBytes = (Math.floor((samples * kbps * 1000) / (8 * slotBytes * sampleRate)) + padding) * slotBytes;
  return {
    version,
    layer,
    hasCrc: (b1 & 1) === 0,
    bitrateBps: kbps * 1000,
    sampleRate,
    channels: b3 >>> 6 === 3 ? 1 : 2,
    frameBytes,
    samples,
  };
}
