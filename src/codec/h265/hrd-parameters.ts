import type { BitReader } from '../../wire/bit-reader.ts';

/** Coded picture buffers one HRD description may list (ITU-T H.265 §E.3.2: cpb_cnt_minus1 is 0–31). */
export const MAX_CPB_COUNT = 32;

function skipSubLayerHrd(bits: BitReader, cpbCount: number, hasSubPictures: boolean): void {
  for (let i = 0; i < cpbCount && !bits.overrun; i++) {
    bits.ue(); // bit_rate_value_minus1
    bits.ue(); // cpb_size_value_minus1
    if (hasSubPictures) {
      bits.ue(); // cpb_size_du_value_minus1
      bits.ue(); // bit_rate_du_value_minus1
    }
    bits.skip(1); // cbr_flag
  }
}

/** Reads and drops hrd_parameters() (ITU-T H.265 §E.2.2); sets `overrun` when a count is out of bounds. */
export function skipH265Hrd(bits: BitReader, hasCommonInfo: boolean, maxSubLayersMinus1: number): void {
  let nalHrd = false;
  let vclHrd = false;
  let hasSubPictures = false;
  if (hasCommonInfo) {
    nalHrd = bits.flag();
    vclHrd = bits.flag();
    if (nalHrd || vclHrd) {
      hasSubPictures = bits.flag();
      if (hasSubPictures) bits.skip(19);
      bits.skip(8); // bit_rate_scale, cpb_size_scale
      if (hasSubPictures) bits.skip(4); // cpb_size_du_scale
      bits.skip(15); // delay lengths
    }
  }
  for (let i = 0; i <= maxSubLayersMinus1 && !bits.overrun; i++) {
    const isFixedGenerally = bits.flag();
    const isFixedWithinCvs = isFixedGenerally || bits.flag();
    let isLowDelay = false;
    if (isFixedWithinCvs)
      bits.ue(); // elemental_duration_in_tc_minus1
    else isLowDelay = bits.flag();
    const cpbCount = isLowDelay ? 1 : bits.ue() + 1;
    if (cpbCount > MAX_CPB_COUNT) {
      bits.overrun = true;
      return;
    }
    if (nalHrd) skipSubLayerHrd(bits, cpbCount, hasSubPictures);
    if (vclHrd) skipSubLayerHrd(bits, cpbCount, hasSubPictures);
  }
}
