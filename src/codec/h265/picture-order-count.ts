import { BitReader } from '../../wire/bit-reader.ts';
import { removeEmulationPrevention } from '../nal-unit.ts';
import { H265_NAL, h265NalType } from './nal-unit-type.ts';
import type { H265Pps } from './picture-parameter-set.ts';
import type { H265Sps } from './sequence-parameter-set.ts';

/** Bytes that hold a slice segment header up to slice_pic_order_cnt_lsb whatever its values. */
const SLICE_HEADER_BYTES = 48;

/** First types of pictures that others may not refer to across sub-layers: even ones up to RSV_VCL_N14 (Table 7-1). */
const LAST_SUB_LAYER_TYPE = 15;

/** The order in which H.265 pictures are shown, told from their first slice segments in decoding order (ITU-T H.265 §8.3.1). */
export class H265PictureOrder {
  #previousMsb = 0;
  #previousLsb = 0;

  /**
   * PicOrderCntVal of the picture whose first slice segment is `slice`; undefined when it can't be told. Call it once for
   * each picture of the base layer, in order.
   */
  next(slice: Uint8Array, sps: H265Sps, pps: H265Pps | undefined): number | undefined {
    const type = h265NalType(slice);
    if (type === H265_NAL.idrWRadl || type === H265_NAL.idrNLp) {
      this.#previousMsb = 0;
      this.#previousLsb = 0;
      return 0;
    }
    if (pps === undefined) return undefined;
    const bits = new BitReader(removeEmulationPrevention(slice, SLICE_HEADER_BYTES));
    bits.skip(16);
    bits.skip(1); // first_slice_segment_in_pic_flag
    const isIrap = type >= H265_NAL.blaWLp && type <= H265_NAL.lastIrap;
    if (isIrap) bits.skip(1); // no_output_of_prior_pics_flag
    bits.ue(); // slice_pic_parameter_set_id
    bits.skip(pps.extraSliceHeaderBits);
    bits.ue(); // slice_type
    if (pps.outputFlagPresent) bits.skip(1);
    if (sps.separateColourPlanes) bits.skip(2);
    const lsb = bits.bits(sps.log2MaxPicOrderCntLsb);
    if (bits.overrun) return undefined;
    const max = 2 ** sps.log2MaxPicOrderCntLsb;
    // BLA pictures start the count anew; of a CRA picture that begins the stream the same comes out.
    const isBla = type >= H265_NAL.blaWLp && type < H265_NAL.idrWRadl;
    let msb = isBla ? 0 : this.#previousMsb;
    if (!isBla) {
      if (lsb < this.#previousLsb && this.#previousLsb - lsb >= max / 2) msb += max;
      else if (lsb > this.#previousLsb && lsb - this.#previousLsb > max / 2) msb -= max;
    }
    const temporalId = (slice[1]! & 7) - 1;
    const isLeading = type >= 6 && type <= H265_NAL.raslR;
    const isSubLayerNonReference = type <= LAST_SUB_LAYER_TYPE && type % 2 === 0;
    if (temporalId === 0 && !isLeading && !isSubLayerNonReference) {
      this.#previousMsb = msb;
      this.#previousLsb = lsb;
    }
    return msb + lsb;
  }
}
