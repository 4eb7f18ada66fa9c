import { h264SliceType, isH264Idr } from '../../src/codec/h264/access-unit.ts';
import {
  parseAvcDecoderConfiguration,
  writeAvcDecoderConfiguration,
} from '../../src/codec/h264/avc-decoder-configuration.ts';
import { parseH264Pps } from '../../src/codec/h264/picture-parameter-set.ts';
import { parseH264Sps } from '../../src/codec/h264/sequence-parameter-set.ts';
import {
  joinAnnexB,
  joinLengthPrefixed,
  splitAnnexB,
  splitLengthPrefixed,
  splitNalUnits,
} from '../../src/codec/nal-unit.ts';
import { videoDetails } from '../../src/codec/track-details.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'sps';

/** H.264: the input as avcC, as NAL units in both carriages, and as SPS, PPS and slice. */
export function run(bytes: Uint8Array): void {
  videoDetails('h264', bytes, bytes);
  const record = parseAvcDecoderConfiguration(bytes);
  if (record !== undefined) {
    const written = writeAvcDecoderConfiguration(record);
    const again = parseAvcDecoderConfiguration(written);
    expectSameBytes(again && writeAvcDecoderConfiguration(again), written, 'avcC written twice');
  }
  const sps = parseH264Sps(bytes);
  if (sps !== undefined && !(sps.width > 0 && sps.height > 0)) throw new RangeError('picture without a size');
  for (const lengthSize of [1, 2, 4]) {
    isH264Idr(bytes, lengthSize);
    for (const nalUnit of splitNalUnits(bytes, lengthSize).slice(0, 16)) {
      parseH264Sps(nalUnit);
      parseH264Pps(nalUnit);
      h264SliceType(nalUnit);
    }
    const joined = joinLengthPrefixed(splitLengthPrefixed(bytes, lengthSize), lengthSize);
    expectSameBytes(
      joinLengthPrefixed(splitLengthPrefixed(joined, lengthSize), lengthSize),
      joined,
      'length-prefixed NAL units joined twice',
    );
  }
  const joined = joinAnnexB(splitAnnexB(bytes));
  expectSameBytes(joinAnnexB(splitAnnexB(joined)), joined, 'Annex B joined twice');
}
