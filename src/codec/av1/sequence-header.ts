import { BitReader } from '../../wire/bit-reader.ts';

/** `seq_level_idx` that stands for no limit at all. */
export const AV1_LEVEL_MAXIMUM = 31;

/** What colours the samples stand for (AV1 specification §6.4.2). */
export interface Av1ColorConfig {
  readonly bitDepth: 8 | 10 | 12;
  readonly monochrome: boolean;
  /** Absent when color_description_present_flag is 0: all three unspecified. */
  readonly description?: {
    readonly colorPrimaries: number;
    readonly transferCharacteristics: number;
    readonly matrixCoefficients: number;
  };
  readonly fullRange: boolean;
  readonly subsamplingX: boolean;
  readonly subsamplingY: boolean;
  /** 0 unknown, 1 vertical, 2 colocated. */
  readonly chromaSamplePosition: number;
}

/** What a sequence header OBU says (AV1 specification §5.5). */
export interface Av1SequenceHeader {
  /** 0 Main, 1 High, 2 Professional. */
  readonly profile: number;
  readonly stillPicture: boolean;
  readonly reducedStillPictureHeader: boolean;
  /** `seq_level_idx[0]`: 4 × (major - 2) + minor, or 31. */
  readonly levelIdx: number;
  /** `seq_tier[0]`: 1 is the high tier. */
  readonly tier: number;
  /** Largest frame size of the sequence. */
  readonly width: number;
  readonly height: number;
  /** Frames a second, when timing is given and equal for all frames. */
  readonly frameRate?: number;
  readonly color: Av1ColorConfig;
  readonly filmGrainParamsPresent: boolean;
}

/** Reads uvlc() (§4.10.3), which differs from ue(v) only above 31 zeros. */
function readUvlc(bits: BitReader): number {
  let zeros = 0;
  while (!bits.flag()) {
    if (bits.overrun || ++zeros > 32) {
      bits.overrun = true;
      return 0;
    }
  }
  return zeros >= 32 ? 0xffff_ffff : 2 ** zeros - 1 + bits.bits(zeros);
}

/** timing_info() (§5.5.3). */
function readFrameRate(bits: BitReader): number | undefined {
  const numUnitsInDisplayTick = bits.bits(32);
  const timeScale = bits.bits(32);
  const isEqual = bits.flag();
  if (!isEqual || numUnitsInDisplayTick === 0) return undefined;
  const rate = timeScale / (numUnitsInDisplayTick * (readUvlc(bits) + 1));
  return rate > 0 && rate <= 1000 ? rate : undefined;
}

interface OperatingPoint {
  readonly levelIdx: number;
  readonly tier: number;
}

/** The operating points (at most 32); gives the first, which is the best. */
function readOperatingPoints(bits: BitReader, bufferDelayLength: number): OperatingPoint {
  const hasDisplayDelay = bits.flag();
  const count = bits.bits(5) + 1;
  let first: OperatingPoint | undefined;
  for (let i = 0; i < count; i++) {
    bits.skip(12); // operating_point_idc
    const levelIdx = bits.bits(5);
    const tier = levelIdx > 7 ? bits.bit() : 0;
    first ??= { levelIdx, tier };
    if (bufferDelayLength > 0 && bits.flag()) bits.skip(2 * bufferDelayLength + 1);
    if (hasDisplayDelay && bits.flag()) bits.skip(4);
  }
  return first ?? { levelIdx: 0, tier: 0 };
}

/** color_config() (§5.5.2). */
function readColorConfig(bits: BitReader, profile: number): Av1ColorConfig {
  const isHigh = bits.flag();
  const bitDepth = isHigh ? (profile === 2 && bits.flag() ? 12 : 10) : 8;
  const monochrome = profile !== 1 && bits.flag();
  const description = bits.flag()
    ? { colorPrimaries: bits.bits(8), transferCharacteristics: bits.bits(8), matrixCoefficients: bits.bits(8) }
    : undefined;
  const isSrgb =
    description?.colorPrimaries === 1 &&
    description.transferCharacteristics === 13 &&
    description.matrixCoefficients === 0;
  let fullRange = true;
  let subsamplingX = false;
  let subsamplingY = false;
  let chromaSamplePosition = 0;
  if (monochrome) {
    fullRange = bits.flag();
    subsamplingX = true;
    subsamplingY = true;
  } else if (!isSrgb) {
    fullRange = bits.flag();
    if (profile === 0) {
      subsamplingX = true;
      subsamplingY = true;
    } else if (profile === 2) {
      subsamplingX = bitDepth === 12 ? bits.flag() : true;
      subsamplingY = bitDepth === 12 && subsamplingX && bits.flag();
    }
    if (subsamplingX && subsamplingY) chromaSamplePosition = bits.bits(2);
  }
  if (!monochrome) bits.skip(1); // separate_uv_delta_q
  return {
    bitDepth,
    monochrome,
    ...(description && { description }),
    fullRange,
    subsamplingX,
    subsamplingY,
    chromaSamplePosition,
  };
}

/** The coding tools between the frame size and the colours, none of which Millrace needs. */
function skipTools(bits: BitReader, isReduced: boolean): void {
  if (!isReduced && bits.flag()) bits.skip(7); // frame id lengths
  bits.skip(3); // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
  if (!isReduced) {
    bits.skip(4); // enable_interintra_compound to enable_dual_filter
    const hasOrderHint = bits.flag();
    if (hasOrderHint) bits.skip(2); // enable_jnt_comp, enable_ref_frame_mvs
    const choosesScreenContentTools = bits.flag();
    const mayHaveScreenContent = choosesScreenContentTools || bits.flag();
    if (mayHaveScreenContent && !bits.flag()) bits.skip(1); // seq_force_integer_mv
    if (hasOrderHint) bits.skip(3); // order_hint_bits_minus_1
  }
  bits.skip(3); // enable_superres, enable_cdef, enable_restoration
}

/** Parses the payload of a sequence header OBU; `undefined` when it is cut off or has a reserved profile. */
export function parseAv1SequenceHeader(payload: Uint8Array): Av1SequenceHeader | undefined {
  const bits = new BitReader(payload);
  const profile = bits.bits(3);
  const stillPicture = bits.flag();
  const isReduced = bits.flag();
  let frameRate: number | undefined;
  let point: OperatingPoint;
  if (isReduced) {
    point = { levelIdx: bits.bits(5), tier: 0 };
  } else {
    let bufferDelayLength = 0;
    if (bits.flag()) {
      frameRate = readFrameRate(bits);
      if (bits.flag()) {
        bufferDelayLength = bits.bits(5) + 1;
        bits.skip(42); // num_units_in_decoding_tick and two lengths
      }
    }
    point = readOperatingPoints(bits, bufferDelayLength);
  }
  const widthBits = bits.bits(4) + 1;
  const heightBits = bits.bits(4) + 1;
  const width = bits.bits(widthBits) + 1;
  const height = bits.bits(heightBits) + 1;
  skipTools(bits, isReduced);
  const color = readColorConfig(bits, profile);
  const filmGrainParamsPresent = bits.flag();
  if (bits.overrun || profile > 2) return undefined;
  return {
    profile,
    stillPicture,
    reducedStillPictureHeader: isReduced,
    levelIdx: point.levelIdx,
    tier: point.tier,
    width,
    height,
    ...(frameRate !== undefined && { frameRate }),
    color,
    filmGrainParamsPresent,
  };
}

/** Profile for people: `Main`, `High`, `Professional`. */
export function av1ProfileName(profile: number): string {
  return ['Main', 'High', 'Professional'][profile] ?? `profile ${profile}`;
}

/** Level for people: `4.1` for index 9; `maximum` for 31. */
export function av1LevelName(levelIdx: number): string {
  return levelIdx === AV1_LEVEL_MAXIMUM ? 'maximum' : `${2 + (levelIdx >>> 2)}.${levelIdx & 3}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/**
 * `av01.0.04M.08` (AV1 codec ISO media file format binding §5). The colour part, all or nothing by that section, is
 * there only when it differs from its defaults: 4:2:0, BT.709, studio range.
 */
export function av1CodecString(header: Av1SequenceHeader): string {
  const { color } = header;
  const level = `${twoDigits(header.levelIdx)}${header.tier === 1 ? 'H' : 'M'}`;
  const short = `av01.${header.profile}.${level}.${twoDigits(color.bitDepth)}`;
  const chroma = `${color.subsamplingX ? 1 : 0}${color.subsamplingY ? 1 : 0}${color.chromaSamplePosition}`;
  const primaries = twoDigits(color.description?.colorPrimaries ?? 1);
  const transfer = twoDigits(color.description?.transferCharacteristics ?? 1);
  const matrix = twoDigits(color.description?.matrixCoefficients ?? 1);
  const long = `.${color.monochrome ? 1 : 0}.${chroma}.${primaries}.${transfer}.${matrix}.${color.fullRange ? 1 : 0}`;
  return long === '.0.110.01.01.01.0' ? short : short + long;
}
