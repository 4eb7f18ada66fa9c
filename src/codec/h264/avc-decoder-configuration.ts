import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { H264_NAL, h264NalType } from './nal-unit-type.ts';
import { parseH264Pps } from './picture-parameter-set.ts';
import { isH264HighProfile, parseH264Sps } from './sequence-parameter-set.ts';

/** The fields at the end of avcC that high profiles have (ISO/IEC 14496-15 §5.3.3.1.2). */
export interface AvcHighFields {
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly spsExtensions: readonly Uint8Array[];
}

/**
 * AVCDecoderConfigurationRecord, "avcC" (ISO/IEC 14496-15 §5.3.3.1). The NAL units are views into the parsed bytes.
 *
 *     version(8)=1 profile(8) compatibility(8) level(8) 111111 lengthSizeMinusOne(2)
 *     111 numOfSPS(5) {length(16) SPS}  numOfPPS(8) {length(16) PPS}
 *     high profiles: 111111 chroma_format(2) 11111 luma-8(3) 11111 chroma-8(3) numOfSPSExt(8) {length(16) SPSExt}
 */
export interface AvcDecoderConfiguration {
  readonly profileIdc: number;
  readonly constraintFlags: number;
  readonly levelIdc: number;
  /** Bytes of the length before each NAL unit: 1, 2 or 4 (3 is not allowed but understood). */
  readonly lengthSize: number;
  readonly sequenceParameterSets: readonly Uint8Array[];
  readonly pictureParameterSets: readonly Uint8Array[];
  /** Absent for low profiles, and for high ones whose writer left them out, as many do. */
  readonly high?: AvcHighFields;
}

const MAX_SPS_COUNT = 31;
const MAX_PPS_COUNT = 255;

function readNalUnits(reader: ByteReader, count: number): Uint8Array[] {
  const nalUnits: Uint8Array[] = [];
  for (let i = 0; i < count && !reader.overrun; i++) {
    const nalUnit = reader.view(reader.u16());
    if (nalUnit.length > 0) nalUnits.push(nalUnit);
  }
  return nalUnits;
}

function hasHighFields(profileIdc: number): boolean {
  return profileIdc !== 66 && profileIdc !== 77 && profileIdc !== 88;
}

/**
 * Parses an avcC; `undefined` when it is cut off before the end of its PPSs or its version is not 1. Missing or broken
 * high-profile fields are left out, and bytes after the record are ignored. Never throws.
 */
export function parseAvcDecoderConfiguration(bytes: Uint8Array): AvcDecoderConfiguration | undefined {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== 1) return undefined;
  const profileIdc = reader.u8();
  const constraintFlags = reader.u8();
  const levelIdc = reader.u8();
  const lengthSize = (reader.u8() & 3) + 1;
  const sequenceParameterSets = readNalUnits(reader, reader.u8() & 0x1f);
  const pictureParameterSets = readNalUnits(reader, reader.u8());
  if (reader.overrun) return undefined;
  const high = hasHighFields(profileIdc) && reader.remaining >= 4 ? readHighFields(reader) : undefined;
  return {
    profileIdc,
    constraintFlags,
    levelIdc,
    lengthSize,
    sequenceParameterSets,
    pictureParameterSets,
    ...(high && { high }),
  };
}

function readHighFields(reader: ByteReader): AvcHighFields | undefined {
  const chromaFormatIdc = reader.u8() & 3;
  const bitDepthLuma = (reader.u8() & 7) + 8;
  const bitDepthChroma = (reader.u8() & 7) + 8;
  const spsExtensions = readNalUnits(reader, reader.u8());
  return reader.overrun ? undefined : { chromaFormatIdc, bitDepthLuma, bitDepthChroma, spsExtensions };
}

function writeNalUnits(writer: ByteWriter, nalUnits: readonly Uint8Array[], maxCount: number): void {
  for (const nalUnit of nalUnits.slice(0, maxCount)) writer.u16(nalUnit.length).raw(nalUnit);
}

/**
 * Writes an avcC into a new buffer. At most 31 SPSs and 255 PPSs fit; more are left out. `high` is written only for
 * profiles that have it.
 */
export function writeAvcDecoderConfiguration(record: AvcDecoderConfiguration): Uint8Array {
  const writer = new ByteWriter(128);
  writer.u8(1).u8(record.profileIdc).u8(record.constraintFlags).u8(record.levelIdc);
  writer.u8(0xfc | (record.lengthSize - 1));
  writer.u8(0xe0 | Math.min(record.sequenceParameterSets.length, MAX_SPS_COUNT));
  writeNalUnits(writer, record.sequenceParameterSets, MAX_SPS_COUNT);
  writer.u8(Math.min(record.pictureParameterSets.length, MAX_PPS_COUNT));
  writeNalUnits(writer, record.pictureParameterSets, MAX_PPS_COUNT);
  const high = record.high;
  if (high !== undefined && hasHighFields(record.profileIdc)) {
    writer.u8(0xfc | high.chromaFormatIdc);
    writer.u8(0xf8 | (high.bitDepthLuma - 8)).u8(0xf8 | (high.bitDepthChroma - 8));
    writer.u8(Math.min(high.spsExtensions.length, MAX_PPS_COUNT));
    writeNalUnits(writer, high.spsExtensions, MAX_PPS_COUNT);
  }
  return writer.finish();
}

/**
 * The record for parameter sets found in an Annex B stream (MPEG-TS, RTP), with 4-byte lengths. `undefined` without an
 * SPS or a readable PPS; an SPS that cannot be read only leaves `high` out.
 */
export function avcConfigurationFromNalUnits(nalUnits: readonly Uint8Array[]): AvcDecoderConfiguration | undefined {
  const sequenceParameterSets = nalUnits.filter((nalUnit) => h264NalType(nalUnit) === H264_NAL.sps);
  // A set that was cut on the way would spoil the record for decoders that read all of it.
  const pictureParameterSets = nalUnits.filter((nalUnit) => parseH264Pps(nalUnit) !== undefined);
  const spsExtensions = nalUnits.filter((nalUnit) => h264NalType(nalUnit) === H264_NAL.spsExtension);
  const first = sequenceParameterSets[0];
  if (first === undefined || first.length < 4 || pictureParameterSets.length === 0) return undefined;
  const sps = parseH264Sps(first);
  const high =
    sps !== undefined && isH264HighProfile(sps.profileIdc)
      ? {
          chromaFormatIdc: sps.chromaFormatIdc,
          bitDepthLuma: sps.bitDepthLuma,
          bitDepthChroma: sps.bitDepthChroma,
          spsExtensions,
        }
      : undefined;
  return {
    profileIdc: first[1]!,
    constraintFlags: first[2]!,
    levelIdc: first[3]!,
    lengthSize: 4,
    sequenceParameterSets,
    pictureParameterSets,
    ...(high && { high }),
  };
}
