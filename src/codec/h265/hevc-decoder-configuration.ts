import { BitReader } from '../../wire/bit-reader.ts';
import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { H265_NAL, h265NalType } from './nal-unit-type.ts';
import { parseH265Pps } from './picture-parameter-set.ts';
import { type H265ProfileTierLevel, readGeneralProfile } from './profile-tier-level.ts';
import { parseH265Sps } from './sequence-parameter-set.ts';

const HEAD_BYTES = 23;
const GENERAL_PROFILE_BYTES = 12;
const MAX_ARRAYS = 255;

/** NAL units of one type in hvcC. */
export interface HevcNalArray {
  /** All NAL units of this type are here and none in the stream. */
  readonly isComplete: boolean;
  readonly nalType: number;
  readonly nalUnits: readonly Uint8Array[];
}

/**
 * HEVCDecoderConfigurationRecord, "hvcC" (ISO/IEC 14496-15 §8.3.3.1). The NAL units are views into the parsed bytes.
 *
 *     version(8)=1 space(2) tier(1) profile(5) compatibility(32) constraints(48) level(8)
 *     1111 min_spatial_segmentation(12) 111111 parallelism(2) 111111 chroma_format(2)
 *     11111 luma-8(3) 11111 chroma-8(3) avgFrameRate(16)
 *     constantFrameRate(2) numTemporalLayers(3) temporalIdNested(1) lengthSizeMinusOne(2)
 *     numOfArrays(8) {complete(1) 0 NAL_unit_type(6) numNalus(16) {length(16) NAL unit}}
 */
export interface HevcDecoderConfiguration {
  readonly profile: H265ProfileTierLevel;
  readonly minSpatialSegmentationIdc: number;
  /** 0 unknown, 1 slices, 2 tiles, 3 wavefronts. */
  readonly parallelismType: number;
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Frames in 256 seconds; 0 unknown. */
  readonly avgFrameRate: number;
  /** 0 unknown, 1 constant, 2 constant in each temporal layer. */
  readonly constantFrameRate: number;
  /** 0 unknown. */
  readonly numTemporalLayers: number;
  readonly temporalIdNested: boolean;
  /** Bytes of the length before each NAL unit: 1, 2 or 4 (3 is not allowed but understood). */
  readonly lengthSize: number;
  readonly arrays: readonly HevcNalArray[];
}

/**
 * Whether bytes begin like an hvcC: version 1, or 0 as writers older than the standard have it, but then with a
 * profile behind it, so that an Annex B start code is not taken for one.
 */
export function isHevcDecoderConfiguration(bytes: Uint8Array): boolean {
  return bytes[0] === 1 || (bytes[0] === 0 && bytes[1] !== 0);
}

/**
 * Parses an hvcC; `undefined` when it is cut off or `isHevcDecoderConfiguration` says no. Bytes after the record are ignored. Never throws.
 */
export function parseHevcDecoderConfiguration(bytes: Uint8Array): HevcDecoderConfiguration | undefined {
  if (bytes.length < HEAD_BYTES || !isHevcDecoderConfiguration(bytes)) return undefined;
  const reader = new ByteReader(bytes, 1);
  const profile = readGeneralProfile(new BitReader(reader.view(GENERAL_PROFILE_BYTES)));
  const minSpatialSegmentationIdc = reader.u16() & 0xfff;
  const parallelismType = reader.u8() & 3;
  const chromaFormatIdc = reader.u8() & 3;
  const bitDepthLuma = (reader.u8() & 7) + 8;
  const bitDepthChroma = (reader.u8() & 7) + 8;
  const avgFrameRate = reader.u16();
  const packed = reader.u8();
  const arrayCount = reader.u8();
  const arrays: HevcNalArray[] = [];
  for (let i = 0; i < arrayCount && !reader.overrun; i++) {
    const head = reader.u8();
    const count = reader.u16();
    const nalUnits: Uint8Array[] = [];
    for (let j = 0; j < count && !reader.overrun; j++) {
      const nalUnit = reader.view(reader.u16());
      if (nalUnit.length > 0) nalUnits.push(nalUnit);
    }
    arrays.push({ isComplete: (head & 0x80) !== 0, nalType: head & 0x3f, nalUnits });
  }
  if (reader.overrun) return undefined;
  return {
    profile,
    minSpatialSegmentationIdc,
    parallelismType,
    chromaFormatIdc,
    bitDepthLuma,
    bitDepthChroma,
    avgFrameRate,
    constantFrameRate: packed >>> 6,
    numTemporalLayers: (packed >>> 3) & 7,
    temporalIdNested: (packed & 4) !== 0,
    lengthSize: (packed & 3) + 1,
    arrays,
  };
}

/** Writes an hvcC into a new buffer. At most 255 arrays fit; more are left out. */
export function writeHevcDecoderConfiguration(record: HevcDecoderConfiguration): Uint8Array {
  const { profile } = record;
  const writer = new ByteWriter(256);
  writer.u8(1).u8((profile.profileSpace << 6) | (profile.isHighTier ? 0x20 : 0) | profile.profileIdc);
  writer.u32(profile.compatibilityFlags).raw(profile.constraintFlags).u8(profile.levelIdc);
  writer.u16(0xf000 | record.minSpatialSegmentationIdc);
  writer.u8(0xfc | record.parallelismType).u8(0xfc | record.chromaFormatIdc);
  writer.u8(0xf8 | (record.bitDepthLuma - 8)).u8(0xf8 | (record.bitDepthChroma - 8));
  writer.u16(record.avgFrameRate);
  writer.u8(
    (record.constantFrameRate << 6) |
      (record.numTemporalLayers << 3) |
      (record.temporalIdNested ? 4 : 0) |
      (record.lengthSize - 1),
  );
  const arrays = record.arrays.slice(0, MAX_ARRAYS);
  writer.u8(arrays.length);
  for (const array of arrays) {
    writer.u8((array.isComplete ? 0x80 : 0) | array.nalType).u16(array.nalUnits.length);
    for (const nalUnit of array.nalUnits) writer.u16(nalUnit.length).raw(nalUnit);
  }
  return writer.finish();
}

/** The first NAL unit of a type, whichever array it lies in (the array's own type is not trusted). */
export function findHevcNalUnit(record: HevcDecoderConfiguration, nalType: number): Uint8Array | undefined {
  for (const { nalUnits } of record.arrays) {
    for (const nalUnit of nalUnits) if (h265NalType(nalUnit) === nalType) return nalUnit;
  }
  return undefined;
}

/**
 * The record for parameter sets found in an Annex B stream (MPEG-TS, RTP), with 4-byte lengths. `undefined` when the
 * SPS among them cannot be read or one of the three kinds is missing.
 */
export function hevcConfigurationFromNalUnits(nalUnits: readonly Uint8Array[]): HevcDecoderConfiguration | undefined {
  const arrays: HevcNalArray[] = [];
  for (const nalType of [H265_NAL.vps, H265_NAL.sps, H265_NAL.pps]) {
    // A picture parameter set that was cut on the way would spoil the record for decoders that read all of it.
    const ofType = nalUnits.filter((nalUnit) =>
      nalType === H265_NAL.pps ? parseH265Pps(nalUnit) !== undefined : h265NalType(nalUnit) === nalType,
    );
    if (ofType.length === 0) return undefined;
    arrays.push({ isComplete: true, nalType, nalUnits: ofType });
  }
  const spsUnit = arrays[1]?.nalUnits[0];
  const sps = spsUnit && parseH265Sps(spsUnit);
  if (sps === undefined) return undefined;
  return {
    profile: sps.profile,
    minSpatialSegmentationIdc: sps.vui?.minSpatialSegmentationIdc ?? 0,
    parallelismType: 0,
    chromaFormatIdc: sps.chromaFormatIdc,
    bitDepthLuma: sps.bitDepthLuma,
    bitDepthChroma: sps.bitDepthChroma,
    avgFrameRate: 0,
    constantFrameRate: 0,
    numTemporalLayers: sps.temporalLayers,
    temporalIdNested: sps.temporalIdNesting,
    lengthSize: 4,
    arrays,
  };
}
