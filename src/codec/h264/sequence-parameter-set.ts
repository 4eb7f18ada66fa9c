import { BitReader } from '../../wire/bit-reader.ts';
import { removeEmulationPrevention } from '../nal-unit.ts';
import { H264_NAL, h264NalType } from './nal-unit-type.ts';
import { type H264Vui, readH264Vui } from './vui-parameters.ts';

/** Largest picture side in luma samples that is believed; level 6.2 allows 16,880. */
export const MAX_PICTURE_SIDE = 32_768;

const MAX_SPS_ID = 31;
const MAX_POC_CYCLE = 255;
const MAX_REF_FRAMES = 16;

/** Profiles whose SPS has the chroma format, the bit depths and the scaling lists (ITU-T H.264 §7.3.2.1.1). */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Whether SPSs of this `profile_idc` tell the chroma format and the bit depths. */
export function isH264HighProfile(profileIdc: number): boolean {
  return HIGH_PROFILES.has(profileIdc);
}

/** What a sequence parameter set of H.264 says (ITU-T H.264 §7.4.2.1.1). Sizes are in luma samples. */
export interface H264Sps {
  readonly profileIdc: number;
  /** The byte with constraint_set0_flag in bit 7 to constraint_set5_flag in bit 2. */
  readonly constraintFlags: number;
  readonly levelIdc: number;
  /** `seq_parameter_set_id`, 0–31. */
  readonly id: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormatIdc: number;
  readonly separateColourPlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly log2MaxFrameNum: number;
  /** `pic_order_cnt_type`, 0–2. With 2 the output order is the decoding order. */
  readonly pocType: number;
  /** Only with `pocType` 0. */
  readonly log2MaxPicOrderCntLsb?: number;
  readonly maxNumRefFrames: number;
  /** False when pictures may be fields or hold macroblock pairs of fields. */
  readonly frameMbsOnly: boolean;
  /** Size after cropping. */
  readonly width: number;
  readonly height: number;
  /** Size in whole macroblocks. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly vui?: H264Vui;
}

/** Reads and drops one `scaling_list()`: 16 or 64 delta codes at most (§7.3.2.1.1.1). */
function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  for (let i = 0; i < size; i++) {
    const next = (last + bits.se() + 256) % 256;
    if (next === 0 || bits.overrun) return;
    last = next;
  }
}

function skipScalingMatrix(bits: BitReader, chromaFormatIdc: number): void {
  const lists = chromaFormatIdc === 3 ? 12 : 8;
  for (let i = 0; i < lists; i++) {
    if (bits.flag()) skipScalingList(bits, i < 6 ? 16 : 64);
  }
}

/**
 * Parses a sequence parameter set or subset SPS, NAL unit header included. Gives `undefined` for anything that is not
 * one, is cut off or has values no decoder takes; a broken VUI alone only leaves `vui` out. Never throws.
 */
export function parseH264Sps(nalUnit: Uint8Array): H264Sps | undefined {
  const type = h264NalType(nalUnit);
  if ((type !== H264_NAL.sps && type !== H264_NAL.subsetSps) || nalUnit.length < 5) return undefined;
  const bits = new BitReader(removeEmulationPrevention(nalUnit));
  bits.skip(8);
  const profileIdc = bits.bits(8);
  const constraintFlags = bits.bits(8);
  const levelIdc = bits.bits(8);
  const id = bits.ue();
  let chromaFormatIdc = 1;
  let separateColourPlanes = false;
  let bitDepthLuma = 8;
  let bitDepthChroma = 8;
  if (isH264HighProfile(profileIdc)) {
    chromaFormatIdc = bits.ue();
    if (chromaFormatIdc === 3) separateColourPlanes = bits.flag();
    bitDepthLuma = bits.ue() + 8;
    bitDepthChroma = bits.ue() + 8;
    bits.skip(1); // qpprime_y_zero_transform_bypass_flag
    if (bits.flag()) skipScalingMatrix(bits, chromaFormatIdc);
  }
  const log2MaxFrameNum = bits.ue() + 4;
  const pocType = bits.ue();
  let log2MaxPicOrderCntLsb: number | undefined;
  if (pocType === 0) log2MaxPicOrderCntLsb = bits.ue() + 4;
  else if (pocType === 1 && !skipPocCycle(bits)) return undefined;
  const maxNumRefFrames = bits.ue();
  bits.skip(1); // gaps_in_frame_num_value_allowed_flag
  const codedWidth = (bits.ue() + 1) * 16;
  const mapUnits = bits.ue() + 1;
  const frameMbsOnly = bits.flag();
  const codedHeight = mapUnits * 16 * (frameMbsOnly ? 1 : 2);
  if (!frameMbsOnly) bits.skip(1); // mb_adaptive_frame_field_flag
  bits.skip(1); // direct_8x8_inference_flag
  const isSane =
    !bits.overrun &&
    id <= MAX_SPS_ID &&
    chromaFormatIdc <= 3 &&
    bitDepthLuma <= 14 &&
    bitDepthChroma <= 14 &&
    log2MaxFrameNum <= 16 &&
    pocType <= 2 &&
    (log2MaxPicOrderCntLsb ?? 4) <= 16 &&
    maxNumRefFrames <= MAX_REF_FRAMES &&
    codedWidth <= MAX_PICTURE_SIDE &&
    codedHeight <= MAX_PICTURE_SIDE;
  if (!isSane) return undefined;
  const crop = readCropping(bits, separateColourPlanes ? 0 : chromaFormatIdc, frameMbsOnly);
  const width = codedWidth - crop.width;
  const height = codedHeight - crop.height;
  if (bits.overrun || width <= 0 || height <= 0) return undefined;
  const vui = bits.flag() ? readH264Vui(bits) : undefined;
  return {
    profileIdc,
    constraintFlags,
    levelIdc,
    id,
    chromaFormatIdc,
    separateColourPlanes,
    bitDepthLuma,
    bitDepthChroma,
    log2MaxFrameNum,
    pocType,
    ...(log2MaxPicOrderCntLsb !== undefined && { log2MaxPicOrderCntLsb }),
    maxNumRefFrames,
    frameMbsOnly,
    width,
    height,
    codedWidth,
    codedHeight,
    ...(vui && { vui }),
  };
}

/** The fields of pic_order_cnt_type 1; false when its count is out of bounds. */
function skipPocCycle(bits: BitReader): boolean {
  bits.skip(1); // delta_pic_order_always_zero_flag
  bits.se(); // offset_for_non_ref_pic
  bits.se(); // offset_for_top_to_bottom_field
  const count = bits.ue();
  if (count > MAX_POC_CYCLE) return false;
  for (let i = 0; i < count; i++) bits.se();
  return true;
}

/** Samples cut off in all, left plus right and top plus bottom (§7.4.2.1.1, equations 7-19 to 7-22). */
function readCropping(
  bits: BitReader,
  chromaArrayType: number,
  frameMbsOnly: boolean,
): { readonly width: number; readonly height: number } {
  if (!bits.flag()) return { width: 0, height: 0 };
  const left = bits.ue();
  const right = bits.ue();
  const top = bits.ue();
  const bottom = bits.ue();
  const unitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1;
  const unitY = (chromaArrayType === 1 ? 2 : 1) * (frameMbsOnly ? 1 : 2);
  return { width: (left + right) * unitX, height: (top + bottom) * unitY };
}

/** Frames a second from the VUI (two ticks make a frame), when given and between 0 and 1,000. */
export function h264FrameRate(sps: H264Sps): number | undefined {
  const timing = sps.vui?.timing;
  if (timing === undefined || timing.numUnitsInTick === 0) return undefined;
  const rate = timing.timeScale / (2 * timing.numUnitsInTick);
  return rate > 0 && rate <= 1000 ? rate : undefined;
}
