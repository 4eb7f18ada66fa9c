import {
  av1ConfigurationFromTemporalUnit,
  parseAv1CodecConfiguration,
  writeAv1CodecConfiguration,
} from '../../src/codec/av1/av1-codec-configuration.ts';
import { OBU_TYPE, splitObus, stripTemporalDelimiters } from '../../src/codec/av1/obu.ts';
import { parseAv1SequenceHeader } from '../../src/codec/av1/sequence-header.ts';
import { isAv1KeyFrame } from '../../src/codec/av1/temporal-unit.ts';
import { videoDetails } from '../../src/codec/track-details.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'av1';

/** AV1: the input as av1C, as temporal unit and as sequence header. */
export function run(bytes: Uint8Array): void {
  videoDetails('av1', bytes, bytes);
  const record = parseAv1CodecConfiguration(bytes);
  if (record !== undefined) {
    const written = writeAv1CodecConfiguration(record);
    const again = parseAv1CodecConfiguration(written);
    expectSameBytes(again && writeAv1CodecConfiguration(again), written, 'av1C written twice');
  }
  parseAv1SequenceHeader(bytes);
  isAv1KeyFrame(bytes);
  av1ConfigurationFromTemporalUnit(bytes);
  const stripped = stripTemporalDelimiters(bytes);
  if (splitObus(stripped).some((obu) => obu.type === OBU_TYPE.temporalDelimiter)) {
    throw new RangeError('a temporal delimiter was left');
  }
  expectSameBytes(stripTemporalDelimiters(stripped), stripped, 'temporal units stripped twice');
}
