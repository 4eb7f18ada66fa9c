import type { BitReader } from '../../wire/bit-reader.ts';
import { type ColourDescription, readColourDescription, readSampleAspectRatio } from '../h264/vui-parameters.ts';
import { skipH265Hrd } from './hrd-parameters.ts';

/** `num_units_in_tick` and `time_scale`; in H.265 a tick is one picture. */
export interface H265Timing {
  readonly numUnitsInTick: number;
  readonly timeScale: number;
}

/** Video usability information of an H.265 sequence parameter set (ITU-T H.265 §E.2.1), without the HRD numbers. */
export interface H265Vui {
  /** Width to height of one sample, when given. */
  readonly sampleAspectRatio?: readonly [number, number];
  readonly colour?: ColourDescription;
  /** Every picture is one field. */
  readonly fieldSeq: boolean;
  readonly timing?: H265Timing;
  /** `min_spatial_segmentation_idc`, 0–4095; hvcC repeats it. */
  readonly minSpatialSegmentationIdc: number;
}

/** Reads the timing fields that VPS and VUI share, without what follows in either. */
export function readH265Timing(bits: BitReader): H265Timing {
  const timing = { numUnitsInTick: bits.bits(32), timeScale: bits.bits(32) };
  if (bits.flag()) bits.ue(); // num_ticks_poc_diff_one_minus1
  return timing;
}

/** Frames a second, when between 0 and 1,000. */
export function frameRateOf(timing: H265Timing | undefined): number | undefined {
  if (timing === undefined || timing.numUnitsInTick === 0) return undefined;
  const rate = timing.timeScale / timing.numUnitsInTick;
  return rate > 0 && rate <= 1000 ? rate : undefined;
}

/** Reads `vui_parameters()`; `undefined` when they are cut off before the end of the timing. */
export function readH265Vui(bits: BitReader, maxSubLayersMinus1: number): H265Vui | undefined {
  const sampleAspectRatio = readSampleAspectRatio(bits);
  const colour = readColourDescription(bits);
  bits.skip(1); // neutral_chroma_indication_flag
  const fieldSeq = bits.flag();
  bits.skip(1); // frame_field_info_present_flag
  // The default display window is advice for the player; the picture is what the conformance window leaves.
  if (bits.flag()) for (let i = 0; i < 4; i++) bits.ue();
  let timing: H265Timing | undefined;
  const hasTiming = bits.flag();
  if (hasTiming) timing = readH265Timing(bits);
  if (bits.overrun) return undefined;
  if (hasTiming && bits.flag()) skipH265Hrd(bits, true, maxSubLayersMinus1);
  let minSpatialSegmentationIdc = 0;
  if (bits.flag()) {
    bits.skip(3); // tiles_fixed_structure_flag to restricted_ref_pic_lists_flag
    minSpatialSegmentationIdc = bits.ue();
  }
  if (bits.overrun || minSpatialSegmentationIdc > 4095) minSpatialSegmentationIdc = 0;
  return {
    ...(sampleAspectRatio && { sampleAspectRatio }),
    ...(colour && { colour }),
    fieldSeq,
    ...(timing && { timing }),
    minSpatialSegmentationIdc,
  };
}
