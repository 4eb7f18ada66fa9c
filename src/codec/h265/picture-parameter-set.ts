import { BitReader } from '../../wire/bit-reader.ts';
import { removeEmulationPrevention } from '../nal-unit.ts';
import { H265_NAL, h265LayerId, h265NalType } from './nal-unit-type.ts';

/** The first fields of a picture parameter set (ITU-T H.265 §7.3.2.3.1): those that slice headers need. */
export interface H265Pps {
  /** `pps_pic_parameter_set_id`, 0–63. */
  readonly id: number;
  /** `pps_seq_parameter_set_id`, 0–15. */
  readonly spsId: number;
  readonly dependentSliceSegmentsEnabled: boolean;
  readonly outputFlagPresent: boolean;
  /** Bits before slice_type in a slice header, 0–7. */
  readonly extraSliceHeaderBits: number;
}

/** Parses the start of a picture parameter set, NAL unit header included; `undefined` for anything else. */
export function parseH265Pps(nalUnit: Uint8Array): H265Pps | undefined {
  if (h265NalType(nalUnit) !== H265_NAL.pps || h265LayerId(nalUnit) !== 0) return undefined;
  const bits = new BitReader(removeEmulationPrevention(nalUnit, 16));
  bits.skip(16);
  const id = bits.ue();
  const spsId = bits.ue();
  const dependentSliceSegmentsEnabled = bits.flag();
  const outputFlagPresent = bits.flag();
  const extraSliceHeaderBits = bits.bits(3);
  if (bits.overrun || id > 63 || spsId > 15) return undefined;
  return { id, spsId, dependentSliceSegmentsEnabled, outputFlagPresent, extraSliceHeaderBits };
}
