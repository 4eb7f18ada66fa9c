import { isH265Irap } from '../../src/codec/h265/access-unit.ts';
import {
  hevcConfigurationFromNalUnits,
  parseHevcDecoderConfiguration,
  writeHevcDecoderConfiguration,
} from '../../src/codec/h265/hevc-decoder-configuration.ts';
import { parseH265Pps } from '../../src/codec/h265/picture-parameter-set.ts';
import { parseH265Sps } from '../../src/codec/h265/sequence-parameter-set.ts';
import { parseH265Vps } from '../../src/codec/h265/video-parameter-set.ts';
import { splitNalUnits } from '../../src/codec/nal-unit.ts';
import { videoDetails } from '../../src/codec/track-details.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'vps';

/** H.265: the input as hvcC, as NAL units, and as VPS, SPS and PPS. */
export function run(bytes: Uint8Array): void {
  videoDetails('h265', bytes, bytes);
  const record = parseHevcDecoderConfiguration(bytes);
  if (record !== undefined) {
    const written = writeHevcDecoderConfiguration(record);
    const again = parseHevcDecoderConfiguration(written);
    expectSameBytes(again && writeHevcDecoderConfiguration(again), written, 'hvcC written twice');
  }
  parseH265Vps(bytes);
  parseH265Pps(bytes);
  const sps = parseH265Sps(bytes);
  if (sps !== undefined && !(sps.width > 0 && sps.height > 0)) throw new RangeError('picture without a size');
  isH265Irap(bytes, 4);
  hevcConfigurationFromNalUnits(splitNalUnits(bytes, 4));
}
