import { BitReader } from '../../wire/bit-reader.ts';
import { removeEmulationPrevention } from '../nal-unit.ts';
import { H264_NAL, h264NalType } from './nal-unit-type.ts';
import type { H264Pps } from './picture-parameter-set.ts';
import type { H264Sps } from './sequence-parameter-set.ts';

/** Bytes that hold a slice header up to pic_order_cnt_lsb whatever its values. */
const SLICE_HEADER_BYTES = 48;

/**
 * The order in which H.264 pictures are shown, told from their first slices in decoding order (ITU-T H.264 §8.2.1). Knows
 * pic_order_cnt_type 0 and 2; for type 1, which hardly anyone writes, it knows nothing. Of a memory_management_control_operation
 * 5, which starts the count anew without an IDR picture, nothing is seen.
 */
export class H264PictureOrder {
  #previousMsb = 0;
  #previousLsb = 0;
  #decoded = 0;

  /**
   * PicOrderCnt of the picture whose first coded slice is `slice`, counted from the last IDR picture; undefined when it
   * can't be told. Call it once for each picture, in order.
   */
  next(slice: Uint8Array, sps: H264Sps, pps: H264Pps | undefined): number | undefined {
    const isIdr = h264NalType(slice) === H264_NAL.idrSlice;
    if (isIdr) {
      this.#previousMsb = 0;
      this.#previousLsb = 0;
      this.#decoded = 0;
    }
    if (sps.pocType === 2) return 2 * this.#decoded++;
    const bitsOfLsb = sps.log2MaxPicOrderCntLsb;
    if (sps.pocType !== 0 || bitsOfLsb === undefined || pps === undefined) return undefined;
    const bits = new BitReader(removeEmulationPrevention(slice, SLICE_HEADER_BYTES));
    const isReference = (bits.bits(8) & 0x60) !== 0;
    bits.ue(); // first_mb_in_slice
    bits.ue(); // slice_type
    bits.ue(); // pic_parameter_set_id
    if (sps.separateColourPlanes) bits.skip(2);
    bits.skip(sps.log2MaxFrameNum);
    const isField = !sps.frameMbsOnly && bits.flag();
    if (isField) bits.skip(1); // bottom_field_flag
    if (isIdr) bits.ue(); // idr_pic_id
    const lsb = bits.bits(bitsOfLsb);
    if (bits.overrun) return undefined;
    const max = 2 ** bitsOfLsb;
    let msb = this.#previousMsb;
    if (lsb < this.#previousLsb && this.#previousLsb - lsb >= max / 2) msb += max;
    else if (lsb > this.#previousLsb && lsb - this.#previousLsb > max / 2) msb -= max;
    if (isReference) {
      this.#previousMsb = msb;
      this.#previousLsb = lsb;
    }
    return msb + lsb;
  }
}
