import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';

/**
 * VPCodecConfigurationRecord, "vpcC" without its FullBox header (VP codec ISO media file format binding §2.2), for
 * VP8 and VP9.
 *
 *     profile(8) level(8) bitDepth(4) chromaSubsampling(3) videoFullRangeFlag(1)
 *     colourPrimaries(8) transferCharacteristics(8) matrixCoefficients(8) initializationDataSize(16)=0
 */
export interface VpCodecConfiguration {
  readonly profile: number;
  /** Ten times the level: 10–62; 0 unknown. */
  readonly level: number;
  readonly bitDepth: number;
  /** 0 4:2:0 vertical, 1 4:2:0 colocated, 2 4:2:2, 3 4:4:4. */
  readonly chromaSubsampling: number;
  readonly fullRange: boolean;
  readonly colourPrimaries: number;
  readonly transferCharacteristics: number;
  readonly matrixCoefficients: number;
}

const RECORD_BYTES = 8;
const FULL_BOX_HEADER_BYTES = 4;

/**
 * FFmpeg puts the FullBox header (version 1, flags 0) in front of the record in FLV. Read as a record that would be
 * bit depth 0, which does not exist.
 */
function hasFullBoxHeader(bytes: Uint8Array): boolean {
  if (bytes.length < FULL_BOX_HEADER_BYTES + RECORD_BYTES || bytes[0]! > 1) return false;
  return bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0;
}

/** Parses a vpcC, with or without a FullBox header; `undefined` when it is cut off or has an impossible bit depth. */
export function parseVpCodecConfiguration(bytes: Uint8Array): VpCodecConfiguration | undefined {
  const reader = new ByteReader(bytes, hasFullBoxHeader(bytes) ? FULL_BOX_HEADER_BYTES : 0);
  const profile = reader.u8();
  const level = reader.u8();
  const packed = reader.u8();
  const colourPrimaries = reader.u8();
  const transferCharacteristics = reader.u8();
  const matrixCoefficients = reader.u8();
  reader.skip(2);
  const bitDepth = packed >>> 4;
  if (reader.overrun || bitDepth < 8 || bitDepth > 12) return undefined;
  return {
    profile,
    level,
    bitDepth,
    chromaSubsampling: (packed >>> 1) & 7,
    fullRange: (packed & 1) === 1,
    colourPrimaries,
    transferCharacteristics,
    matrixCoefficients,
  };
}

/** Writes a vpcC without a FullBox header into a new buffer. */
export function writeVpCodecConfiguration(record: VpCodecConfiguration): Uint8Array {
  return new ByteWriter(RECORD_BYTES)
    .u8(record.profile)
    .u8(record.level)
    .u8((record.bitDepth << 4) | (record.chromaSubsampling << 1) | (record.fullRange ? 1 : 0))
    .u8(record.colourPrimaries)
    .u8(record.transferCharacteristics)
    .u8(record.matrixCoefficients)
    .u16(0)
    .finish();
}
