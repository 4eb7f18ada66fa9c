import { equalBytes } from '../wire/equal-bytes.ts';
import { avcConfigurationFromNalUnits, writeAvcDecoderConfiguration } from './h264/avc-decoder-configuration.ts';
import { H264_NAL, h264NalType } from './h264/nal-unit-type.ts';
import { hevcConfigurationFromNalUnits, writeHevcDecoderConfiguration } from './h265/hevc-decoder-configuration.ts';
import { H265_NAL, h265NalType } from './h265/nal-unit-type.ts';
import { MAX_PARAMETER_SET_BYTES } from './nal-unit.ts';

/** Most parameter sets kept for one configuration; the newest stay. */
export const MAX_PARAMETER_SETS = 64;

/** The configuration record (avcC, hvcC) of a stream whose parameter sets come one by one, out of band or in it. */
export class ParameterSetCollector {
  readonly #isH265: boolean;
  #sets: readonly Uint8Array[] = [];
  #config: Uint8Array = new Uint8Array(0);

  constructor(codec: 'h264' | 'h265') {
    this.#isH265 = codec === 'h265';
  }

  /** The newest record, with 4-byte lengths; empty until there is one. */
  get config(): Uint8Array {
    return this.#config;
  }

  /** Whether a NAL unit of this type goes into the record: SPS, PPS, SPS extension, or VPS, SPS, PPS. */
  isParameterSet(nalType: number): boolean {
    return this.#isH265
      ? nalType >= H265_NAL.vps && nalType <= H265_NAL.pps
      : nalType === H264_NAL.sps || nalType === H264_NAL.pps || nalType === H264_NAL.spsExtension;
  }

  /**
   * Takes the parameter sets of one access unit, in order; keeps copies. Where an SPS is, the whole set is, and a
   * picture parameter set alone adds to those there are. Gives the record when it differs from the one before.
   */
  add(parameterSets: readonly Uint8Array[]): Uint8Array | undefined {
    const found = parameterSets.filter((one) => one.length > 0 && one.length <= MAX_PARAMETER_SET_BYTES);
    const unknown = found.filter((one) => !this.#sets.some((known) => equalBytes(one, known)));
    if (unknown.length === 0) return undefined;
    const startsAnew = found.some((one) => this.#isSps(one));
    const sets = (startsAnew ? found : [...this.#sets, ...unknown]).slice(-MAX_PARAMETER_SETS);
    const config = this.#record(sets);
    this.#sets = sets.map((one) => one.slice());
    if (config === undefined || equalBytes(config, this.#config)) return undefined;
    this.#config = config;
    return config;
  }

  #isSps(nalUnit: Uint8Array): boolean {
    return this.#isH265 ? h265NalType(nalUnit) === H265_NAL.sps : h264NalType(nalUnit) === H264_NAL.sps;
  }

  #record(sets: readonly Uint8Array[]): Uint8Array | undefined {
    if (this.#isH265) {
      const record = hevcConfigurationFromNalUnits(sets);
      return record && writeHevcDecoderConfiguration(record);
    }
    const record = avcConfigurationFromNalUnits(sets);
    return record && writeAvcDecoderConfiguration(record);
  }
}
