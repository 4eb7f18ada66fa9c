import { visitNalUnits } from '../nal-unit.ts';
import { H265_NAL, h265NalType } from './nal-unit-type.ts';

/**
 * Whether an access unit is a random access point (IRAP: BLA, IDR or CRA, ITU-T H.265 §3.66): its first coded slice
 * has a type of 16–23.
 */
export function isH265Irap(payload: Uint8Array, lengthSize: number): boolean {
  let isIrap = false;
  visitNalUnits(payload, lengthSize, (nalUnit) => {
    const type = h265NalType(nalUnit);
    isIrap = type >= H265_NAL.blaWLp && type <= H265_NAL.lastIrap;
    return type > H265_NAL.lastVcl;
  });
  return isIrap;
}
