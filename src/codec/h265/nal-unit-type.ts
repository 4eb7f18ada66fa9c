/** NAL unit types of H.265 that Millrace tells apart (ITU-T H.265 Table 7-1). */
export const H265_NAL = {
  trailN: 0,
  trailR: 1,
  raslN: 8,
  raslR: 9,
  blaWLp: 16,
  idrWRadl: 19,
  idrNLp: 20,
  cra: 21,
  lastIrap: 23,
  lastVcl: 31,
  vps: 32,
  sps: 33,
  pps: 34,
  accessUnitDelimiter: 35,
  endOfSequence: 36,
  endOfBitstream: 37,
  fillerData: 38,
  prefixSei: 39,
  suffixSei: 40,
} as const;

/** `nal_unit_type` of an H.265 NAL unit, 0–63; 63 (unspecified) when its two header bytes are not there. */
export function h265NalType(nalUnit: Uint8Array): number {
  return nalUnit.length < 2 ? 63 : (nalUnit[0]! >>> 1) & 0x3f;
}

/** `nuh_layer_id`, 0 for the base layer, which is all that Millrace reads. */
export function h265LayerId(nalUnit: Uint8Array): number {
  return nalUnit.length < 2 ? 0 : ((nalUnit[0]! & 1) << 5) | (nalUnit[1]! >>> 3);
}
