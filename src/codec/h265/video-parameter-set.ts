import { BitReader } from '../../wire/bit-reader.ts';
import { removeEmulationPrevention } from '../nal-unit.ts';
import { H265_NAL, h265LayerId, h265NalType } from './nal-unit-type.ts';
import { type H265ProfileTierLevel, readProfileTierLevel } from './profile-tier-level.ts';
import { type H265Timing, readH265Timing } from './vui-parameters.ts';

const MAX_LAYER_SETS = 1024;

/** What a video parameter set says (ITU-T H.265 §7.4.3.1), up to its timing; HRDs and extensions are not read. */
export interface H265Vps {
  /** `vps_video_parameter_set_id`, 0–15. */
  readonly id: number;
  /** `vps_max_layers_minus1` + 1, 1–64. */
  readonly layers: number;
  /** `vps_max_sub_layers_minus1` + 1, 1–7. */
  readonly temporalLayers: number;
  readonly temporalIdNesting: boolean;
  readonly profile: H265ProfileTierLevel;
  readonly timing?: H265Timing;
}

/** Parses a video parameter set, NAL unit header included; `undefined` for anything else. Never throws. */
export function parseH265Vps(nalUnit: Uint8Array): H265Vps | undefined {
  if (h265NalType(nalUnit) !== H265_NAL.vps || h265LayerId(nalUnit) !== 0) return undefined;
  const bits = new BitReader(removeEmulationPrevention(nalUnit));
  bits.skip(16);
  const id = bits.bits(4);
  bits.skip(2); // vps_base_layer_internal_flag, vps_base_layer_available_flag
  const layers = bits.bits(6) + 1;
  const maxSubLayersMinus1 = bits.bits(3);
  const temporalIdNesting = bits.flag();
  if (maxSubLayersMinus1 > 6 || bits.bits(16) !== 0xffff) return undefined;
  const profile = readProfileTierLevel(bits, maxSubLayersMinus1);
  for (let i = bits.flag() ? 0 : maxSubLayersMinus1; i <= maxSubLayersMinus1; i++) {
    bits.ue(); // vps_max_dec_pic_buffering_minus1
    bits.ue(); // vps_max_num_reorder_pics
    bits.ue(); // vps_max_latency_increase_plus1
  }
  const maxLayerId = bits.bits(6);
  const layerSets = bits.ue() + 1;
  if (layerSets > MAX_LAYER_SETS) return undefined;
  bits.skip((layerSets - 1) * (maxLayerId + 1)); // layer_id_included_flag
  const timing = bits.flag() ? readH265Timing(bits) : undefined;
  if (bits.overrun) return undefined;
  return { id, layers, temporalLayers: maxSubLayersMinus1 + 1, temporalIdNesting, profile, ...(timing && { timing }) };
}
