import { BitReader } from '../../wire/bit-reader.ts';
import { removeEmulationPrevention } from '../nal-unit.ts';
import { H264_NAL, h264NalType } from './nal-unit-type.ts';

/** The first fields of a picture parameter set (ITU-T H.264 §7.3.2.2); slice groups and what follows are not read. */
export interface H264Pps {
  /** `pic_parameter_set_id`, 0–255. */
  readonly id: number;
  /** `seq_parameter_set_id`, 0–31. */
  readonly spsId: number;
  /** True for CABAC, false for CAVLC. */
  readonly entropyCodingMode: boolean;
  readonly bottomFieldPicOrderInFramePresent: boolean;
  /** `num_slice_groups_minus1` + 1, 1–8. */
  readonly sliceGroups: number;
}

/** Parses the start of a picture parameter set, NAL unit header included; `undefined` for anything else. */
export function parseH264Pps(nalUnit: Uint8Array): H264Pps | undefined {
  if (h264NalType(nalUnit) !== H264_NAL.pps) return undefined;
  const bits = new BitReader(removeEmulationPrevention(nalUnit, 32));
  bits.skip(8);
  const id = bits.ue();
  const spsId = bits.ue();
  const entropyCodingMode = bits.flag();
  const bottomFieldPicOrderInFramePresent = bits.flag();
  const sliceGroups = bits.ue() + 1;
  if (bits.overrun || id > 255 || spsId > 31 || sliceGroups > 8) return undefined;
  return { id, spsId, entropyCodingMode, bottomFieldPicOrderInFramePresent, sliceGroups };
}
