import type { Vp9KeyFrameInfo } from './frame-header.ts';
import type { VpCodecConfiguration } from './vp-codec-configuration.ts';

/** Ten times the level, largest picture in luma samples, largest side (VP9 levels; those that differ in rate left out). */
const LEVEL_LIMITS: readonly (readonly [number, number, number])[] = [
  [10, 36_864, 512],
  [11, 73_728, 768],
  [20, 122_880, 960],
  [21, 245_760, 1_344],
  [30, 552_960, 2_048],
  [31, 983_040, 2_752],
  [40, 2_228_224, 4_160],
  [50, 8_912_896, 8_384],
  [60, 35_651_584, 16_832],
];

/** The lowest level (times ten) whose picture size is enough; bit rate and frame rate are not looked at. */
export function vp9LevelForSize(width: number, height: number): number {
  const side = Math.max(width, height);
  return LEVEL_LIMITS.find(([, samples, maxSide]) => width * height <= samples && side <= maxSide)?.[0] ?? 62;
}

/** `color_space` of the bitstream as H.273 primaries, transfer and matrix; 2 is unspecified. */
const COLOUR_SPACES: readonly (readonly [number, number, number])[] = [
  [2, 2, 2],
  [6, 6, 6],
  [1, 1, 1],
  [6, 6, 6],
  [7, 7, 7],
  [9, 14, 9],
  [2, 2, 2],
  [1, 13, 0],
];

/** The record that describes a stream by its first key frame. */
export function vp9ConfigurationFromKeyFrame(profile: number, keyFrame: Vp9KeyFrameInfo): VpCodecConfiguration {
  const [colourPrimaries, transferCharacteristics, matrixCoefficients] = COLOUR_SPACES[keyFrame.colorSpace] ?? [
    2, 2, 2,
  ];
  // 4:4:0 has no number of its own here.
  const chromaSubsampling = keyFrame.subsamplingX ? (keyFrame.subsamplingY ? 1 : 2) : 3;
  return {
    profile,
    level: vp9LevelForSize(keyFrame.width, keyFrame.height),
    bitDepth: keyFrame.bitDepth,
    chromaSubsampling,
    fullRange: keyFrame.fullRange,
    colourPrimaries,
    transferCharacteristics,
    matrixCoefficients,
  };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/**
 * `vp09.00.40.08` (VP codec ISO media file format binding §4). The colour part is there only when it is known and
 * differs from its defaults: 4:2:0, BT.709, studio range.
 */
export function vp9CodecString(record: VpCodecConfiguration): string {
  const short = `vp09.${twoDigits(record.profile)}.${twoDigits(record.level)}.${twoDigits(record.bitDepth)}`;
  const orDefault = (value: number): number => (value === 2 ? 1 : value);
  const numbers = [
    Math.max(record.chromaSubsampling, 1),
    orDefault(record.colourPrimaries),
    orDefault(record.transferCharacteristics),
    orDefault(record.matrixCoefficients),
    record.fullRange ? 1 : 0,
  ];
  const long = numbers.map((value) => `.${twoDigits(value)}`).join('');
  return long === '.01.01.01.01.00' ? short : short + long;
}
