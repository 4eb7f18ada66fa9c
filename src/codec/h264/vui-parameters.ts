import type { BitReader } from '../../wire/bit-reader.ts';

/** Coded picture buffers one HRD description may list (ITU-T H.264 §E.2.2: cpb_cnt_minus1 is 0–31). */
export const MAX_CPB_COUNT = 32;

const EXTENDED_SAR = 255;

/** Pixel aspect ratios by `aspect_ratio_idc` (ITU-T H.264 Table E-1, the same in H.265). */
export const SAMPLE_ASPECT_RATIOS: readonly (readonly [number, number])[] = [
  [0, 0],
  [1, 1],
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
];

/** How samples map to colour (ITU-T H.264 §E.2.1, H.273). 2 means unspecified in each of the three numbers. */
export interface ColourDescription {
  readonly fullRange: boolean;
  readonly colourPrimaries: number;
  readonly transferCharacteristics: number;
  readonly matrixCoefficients: number;
}

/** `num_units_in_tick`, `time_scale` and `fixed_frame_rate_flag`; in H.264 a tick is one field. */
export interface H264Timing {
  readonly numUnitsInTick: number;
  readonly timeScale: number;
  readonly fixedFrameRate: boolean;
}

/** What a decoder has to hold back before it may show a picture (ITU-T H.264 §E.2.1). */
export interface BitstreamRestriction {
  readonly maxNumReorderFrames: number;
  readonly maxDecFrameBuffering: number;
}

/** Video usability information of an H.264 sequence parameter set (ITU-T H.264 §E.1.1), without the HRD numbers. */
export interface H264Vui {
  /** Width to height of one sample, when given. */
  readonly sampleAspectRatio?: readonly [number, number];
  readonly colour?: ColourDescription;
  readonly timing?: H264Timing;
  readonly hasHrd: boolean;
  /** Pictures say by a timing SEI whether they are fields or frames. */
  readonly picStructPresent: boolean;
  readonly bitstreamRestriction?: BitstreamRestriction;
}

/** Reads `aspect_ratio_info_present_flag` and what follows it; shared with H.265. */
export function readSampleAspectRatio(bits: BitReader): readonly [number, number] | undefined {
  if (!bits.flag()) return undefined;
  const idc = bits.bits(8);
  if (idc === EXTENDED_SAR) return [bits.bits(16), bits.bits(16)];
  return SAMPLE_ASPECT_RATIOS[idc];
}

/** Reads `overscan_info_present_flag` to the chroma location; shared with H.265. */
export function readColourDescription(bits: BitReader): ColourDescription | undefined {
  if (bits.flag()) bits.skip(1); // overscan_appropriate_flag
  let colour: ColourDescription | undefined;
  if (bits.flag()) {
    bits.skip(3); // video_format
    const fullRange = bits.flag();
    const described = bits.flag();
    colour = {
      fullRange,
      colourPrimaries: described ? bits.bits(8) : 2,
      transferCharacteristics: described ? bits.bits(8) : 2,
      matrixCoefficients: described ? bits.bits(8) : 2,
    };
  }
  if (bits.flag()) {
    bits.ue(); // chroma_sample_loc_type_top_field
    bits.ue(); // chroma_sample_loc_type_bottom_field
  }
  return colour;
}

function skipHrd(bits: BitReader): void {
  const count = bits.ue() + 1;
  if (count > MAX_CPB_COUNT) {
    bits.overrun = true;
    return;
  }
  bits.skip(8); // bit_rate_scale, cpb_size_scale
  for (let i = 0; i < count; i++) {
    bits.ue(); // bit_rate_value_minus1
    bits.ue(); // cpb_size_value_minus1
    bits.skip(1); // cbr_flag
  }
  bits.skip(20); // delay lengths, time_offset_length
}

/** Reads `vui_parameters()`; `undefined` when they are cut off or out of bounds. */
export function readH264Vui(bits: BitReader): H264Vui | undefined {
  const sampleAspectRatio = readSampleAspectRatio(bits);
  const colour = readColourDescription(bits);
  let timing: H264Timing | undefined;
  if (bits.flag()) timing = { numUnitsInTick: bits.bits(32), timeScale: bits.bits(32), fixedFrameRate: bits.flag() };
  // What was read up to here is good even when the rest is not: some encoders cut the end of the VUI off.
  if (bits.overrun) return undefined;
  const nalHrd = bits.flag();
  if (nalHrd) skipHrd(bits);
  const vclHrd = bits.flag();
  if (vclHrd) skipHrd(bits);
  if (nalHrd || vclHrd) bits.skip(1); // low_delay_hrd_flag
  const picStructPresent = bits.flag();
  const bitstreamRestriction = bits.flag() ? readBitstreamRestriction(bits) : undefined;
  const isWhole = !bits.overrun;
  return {
    ...(sampleAspectRatio && { sampleAspectRatio }),
    ...(colour && { colour }),
    ...(timing && { timing }),
    hasHrd: isWhole && (nalHrd || vclHrd),
    picStructPresent: isWhole && picStructPresent,
    ...(isWhole && bitstreamRestriction && { bitstreamRestriction }),
  };
}

function readBitstreamRestriction(bits: BitReader): BitstreamRestriction {
  bits.skip(1); // motion_vectors_over_pic_boundaries_flag
  bits.ue(); // max_bytes_per_pic_denom
  bits.ue(); // max_bits_per_mb_denom
  bits.ue(); // log2_max_mv_length_horizontal
  bits.ue(); // log2_max_mv_length_vertical
  return { maxNumReorderFrames: bits.ue(), maxDecFrameBuffering: bits.ue() };
}
