import { BitReader } from '../../wire/bit-reader.ts';
import { removeEmulationPrevention } from '../nal-unit.ts';
import { H265_NAL, h265LayerId, h265NalType } from './nal-unit-type.ts';
import { type H265ProfileTierLevel, readProfileTierLevel } from './profile-tier-level.ts';
import { readShortTermRefPicSets } from './short-term-ref-pic-set.ts';
import { frameRateOf, type H265Vui, readH265Vui } from './vui-parameters.ts';

/** Largest picture side in luma samples that is believed; level 7.2 allows 35,840. */
export const MAX_PICTURE_SIDE = 65_536;

const MAX_SPS_ID = 15;
const MAX_LONG_TERM_REF_PICS = 32;

/** What a sequence parameter set of H.265 says (ITU-T H.265 §7.4.3.2). Sizes are in luma samples. */
export interface H265Sps {
  /** `sps_video_parameter_set_id`, 0–15. */
  readonly vpsId: number;
  /** `sps_seq_parameter_set_id`, 0–15. */
  readonly id: number;
  /** `sps_max_sub_layers_minus1` + 1, 1–7. */
  readonly temporalLayers: number;
  readonly temporalIdNesting: boolean;
  readonly profile: H265ProfileTierLevel;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormatIdc: number;
  readonly separateColourPlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly log2MaxPicOrderCntLsb: number;
  /** Pictures that may come before another in decoding and after it in output, in the highest sub-layer. */
  readonly maxNumReorderPics: number;
  /** Size after the conformance window. */
  readonly width: number;
  readonly height: number;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly vui?: H265Vui;
}

/** Reads and drops scaling_list_data() (§7.3.4): at most 20 lists of 65 codes. */
function skipScalingLists(bits: BitReader): void {
  for (let sizeId = 0; sizeId < 4; sizeId++) {
    for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
      if (bits.overrun) return;
      if (!bits.flag()) {
        bits.ue(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      if (sizeId > 1) bits.se(); // scaling_list_dc_coef_minus8
      const coefficients = Math.min(64, 1 << (4 + 2 * sizeId));
      for (let i = 0; i < coefficients; i++) bits.se();
    }
  }
}

/**
 * Parses a sequence parameter set of the base layer, NAL unit header included. Gives `undefined` for anything that is
 * not one, is cut off before its VUI or has values no decoder takes; a broken VUI alone only leaves `vui` out. Never
 * throws.
 */
export function parseH265Sps(nalUnit: Uint8Array): H265Sps | undefined {
  if (h265NalType(nalUnit) !== H265_NAL.sps || h265LayerId(nalUnit) !== 0) return undefined;
  const bits = new BitReader(removeEmulationPrevention(nalUnit));
  bits.skip(16);
  const vpsId = bits.bits(4);
  const maxSubLayersMinus1 = bits.bits(3);
  const temporalIdNesting = bits.flag();
  if (maxSubLayersMinus1 > 6) return undefined;
  const profile = readProfileTierLevel(bits, maxSubLayersMinus1);
  const id = bits.ue();
  const chromaFormatIdc = bits.ue();
  const separateColourPlanes = chromaFormatIdc === 3 && bits.flag();
  const codedWidth = bits.ue();
  const codedHeight = bits.ue();
  const crop = readConformanceWindow(bits, separateColourPlanes ? 0 : chromaFormatIdc);
  const bitDepthLuma = bits.ue() + 8;
  const bitDepthChroma = bits.ue() + 8;
  const log2MaxPicOrderCntLsb = bits.ue() + 4;
  const width = codedWidth - crop.width;
  const height = codedHeight - crop.height;
  const isSane =
    !bits.overrun &&
    id <= MAX_SPS_ID &&
    chromaFormatIdc <= 3 &&
    codedWidth <= MAX_PICTURE_SIDE &&
    codedHeight <= MAX_PICTURE_SIDE &&
    width > 0 &&
    height > 0 &&
    bitDepthLuma <= 16 &&
    bitDepthChroma <= 16 &&
    log2MaxPicOrderCntLsb <= 16;
  if (!isSane) return undefined;
  let maxNumReorderPics = 0;
  for (let i = bits.flag() ? 0 : maxSubLayersMinus1; i <= maxSubLayersMinus1; i++) {
    bits.ue(); // sps_max_dec_pic_buffering_minus1
    maxNumReorderPics = bits.ue();
    bits.ue(); // sps_max_latency_increase_plus1
  }
  for (let i = 0; i < 6; i++) bits.ue(); // log2_min_luma_coding_block_size_minus3 to max_transform_hierarchy_depth_intra
  if (bits.flag() && bits.flag()) skipScalingLists(bits);
  bits.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (bits.flag()) {
    bits.skip(8); // pcm bit depths
    bits.ue(); // log2_min_pcm_luma_coding_block_size_minus3
    bits.ue(); // log2_diff_max_min_pcm_luma_coding_block_size
    bits.skip(1); // pcm_loop_filter_disabled_flag
  }
  if (readShortTermRefPicSets(bits) === undefined) return undefined;
  if (bits.flag()) {
    const count = bits.ue();
    if (count > MAX_LONG_TERM_REF_PICS) return undefined;
    bits.skip(count * (log2MaxPicOrderCntLsb + 1));
  }
  bits.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  const hasVui = bits.flag();
  if (bits.overrun) return undefined;
  const vui = hasVui ? readH265Vui(bits, maxSubLayersMinus1) : undefined;
  return {
    vpsId,
    id,
    temporalLayers: maxSubLayersMinus1 + 1,
    temporalIdNesting,
    profile,
    chromaFormatIdc,
    separateColourPlanes,
    bitDepthLuma,
    bitDepthChroma,
    log2MaxPicOrderCntLsb,
    maxNumReorderPics,
    width,
    height,
    codedWidth,
    codedHeight,
    ...(vui && { vui }),
  };
}

/** Samples cut off in all, left plus right and top plus bottom (§7.4.3.2.1). */
function readConformanceWindow(
  bits: BitReader,
  chromaArrayType: number,
): { readonly width: number; readonly height: number } {
  if (!bits.flag()) return { width: 0, height: 0 };
  const left = bits.ue();
  const right = bits.ue();
  const top = bits.ue();
  const bottom = bits.ue();
  const unitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1;
  const unitY = chromaArrayType === 1 ? 2 : 1;
  return { width: (left + right) * unitX, height: (top + bottom) * unitY };
}

/** Pictures a second from the VUI (fields, where `fieldSeq` says so), when given and between 0 and 1,000. */
export function h265FrameRate(sps: H265Sps): number | undefined {
  return frameRateOf(sps.vui?.timing);
}
