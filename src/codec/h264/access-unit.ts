import { BitReader } from '../../wire/bit-reader.ts';
import { removeEmulationPrevention, visitNalUnits } from '../nal-unit.ts';
import { H264_NAL, h264NalType } from './nal-unit-type.ts';

/** What one slice predicts from (ITU-T H.264 Table 7-6). */
export type H264SliceType = 'P' | 'B' | 'I' | 'SP' | 'SI';

const SLICE_TYPES: readonly H264SliceType[] = ['P', 'B', 'I', 'SP', 'SI'];

/** Bytes that hold first_mb_in_slice and slice_type whatever their values. */
const SLICE_START_BYTES = 16;

/** The slice type of a coded slice (types 1, 2 and 5); `undefined` for other NAL units and broken ones. */
export function h264SliceType(nalUnit: Uint8Array): H264SliceType | undefined {
  const type = h264NalType(nalUnit);
  if (type !== H264_NAL.slice && type !== H264_NAL.partitionA && type !== H264_NAL.idrSlice) return undefined;
  const bits = new BitReader(removeEmulationPrevention(nalUnit, SLICE_START_BYTES));
  bits.skip(8);
  bits.ue(); // first_mb_in_slice
  const sliceType = bits.ue();
  return bits.overrun || sliceType > 9 ? undefined : SLICE_TYPES[sliceType % 5];
}

/**
 * Whether an access unit is an IDR picture: its first coded slice has type 5. A recovery point (an I picture with
 * that SEI message) is not one, because pictures after it may refer to pictures before it.
 */
export function isH264Idr(payload: Uint8Array, lengthSize: number): boolean {
  let isIdr = false;
  visitNalUnits(payload, lengthSize, (nalUnit) => {
    const type = h264NalType(nalUnit);
    isIdr = type === H264_NAL.idrSlice;
    return type < H264_NAL.slice || type > H264_NAL.idrSlice;
  });
  return isIdr;
}
