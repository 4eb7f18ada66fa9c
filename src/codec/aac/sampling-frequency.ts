import type { BitReader } from '../../wire/bit-reader.ts';
import type { BitWriter } from '../bit-writer.ts';

/** Sample rates in Hz by `samplingFrequencyIndex` (ISO/IEC 14496-3 Table 1.18); 13 and 14 are reserved. */
export const AAC_SAMPLE_RATES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];

/** The index that says the rate follows in 24 bits. */
const ESCAPE_INDEX = 15;

/** The index of a rate in Hz, or `undefined` when it takes the escape. */
export function samplingFrequencyIndex(sampleRate: number): number | undefined {
  const index = AAC_SAMPLE_RATES.indexOf(sampleRate);
  return index < 0 ? undefined : index;
}

/** Reads a sample rate in Hz, escape included; 0 for a reserved index. */
export function readSamplingFrequency(bits: BitReader): number {
  const index = bits.bits(4);
  return index === ESCAPE_INDEX ? bits.bits(24) : (AAC_SAMPLE_RATES[index] ?? 0);
}

/** Writes a sample rate in Hz, as an index where there is one. */
export function writeSamplingFrequency(bits: BitWriter, sampleRate: number): void {
  const index = samplingFrequencyIndex(sampleRate);
  if (index === undefined) bits.bits(4, ESCAPE_INDEX).bits(24, sampleRate);
  else bits.bits(4, index);
}
