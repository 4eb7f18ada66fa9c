/** NAL unit types of H.264 that Millrace tells apart (ITU-T H.264 Table 7-1). */
export const H264_NAL = {
  slice: 1,
  partitionA: 2,
  partitionB: 3,
  partitionC: 4,
  idrSlice: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  accessUnitDelimiter: 9,
  endOfSequence: 10,
  endOfStream: 11,
  fillerData: 12,
  spsExtension: 13,
  prefix: 14,
  subsetSps: 15,
  auxiliarySlice: 19,
  sliceExtension: 20,
} as const;

/** `nal_unit_type` of an H.264 NAL unit, 0–31; 0 (unspecified) when it is empty. */
export function h264NalType(nalUnit: Uint8Array): number {
  return (nalUnit[0] ?? 0) & 0x1f;
}
