import { ByteWriter } from '../../wire/byte-writer.ts';
import { OBU_TYPE, visitObus, writeObu } from './obu.ts';
import { type Av1SequenceHeader, parseAv1SequenceHeader } from './sequence-header.ts';

const HEADER_BYTES = 4;
const MARKER_AND_VERSION = 0x81;

/**
 * AV1CodecConfigurationRecord, "av1C" (AV1 codec ISO media file format binding §2.3).
 *
 *     marker(1)=1 version(7)=1 seq_profile(3) seq_level_idx_0(5)
 *     seq_tier_0(1) high_bitdepth(1) twelve_bit(1) monochrome(1) subsampling_x(1) subsampling_y(1) sample_position(2)
 *     000 initial_presentation_delay_present(1) initial_presentation_delay_minus_one(4)  configOBUs
 */
export interface Av1CodecConfiguration {
  readonly profile: number;
  readonly levelIdx: number;
  readonly tier: number;
  readonly bitDepth: 8 | 10 | 12;
  readonly monochrome: boolean;
  readonly subsamplingX: boolean;
  readonly subsamplingY: boolean;
  readonly chromaSamplePosition: number;
  /** Frames to decode before the first is shown, 1–16, when given. */
  readonly initialPresentationDelay?: number;
  /** The sequence header OBU and perhaps metadata; may be empty. A view into the parsed bytes. */
  readonly configObus: Uint8Array;
}

/** Parses an av1C; `undefined` when it is cut off or has another version. Never throws. */
export function parseAv1CodecConfiguration(bytes: Uint8Array): Av1CodecConfiguration | undefined {
  if (bytes.length < HEADER_BYTES || bytes[0] !== MARKER_AND_VERSION) return undefined;
  const second = bytes[1]!;
  const third = bytes[2]!;
  const fourth = bytes[3]!;
  return {
    profile: second >>> 5,
    levelIdx: second & 0x1f,
    tier: third >>> 7,
    bitDepth: (third & 0x40) === 0 ? 8 : (third & 0x20) === 0 ? 10 : 12,
    monochrome: (third & 0x10) !== 0,
    subsamplingX: (third & 8) !== 0,
    subsamplingY: (third & 4) !== 0,
    chromaSamplePosition: third & 3,
    ...((fourth & 0x10) !== 0 && { initialPresentationDelay: (fourth & 0xf) + 1 }),
    configObus: bytes.subarray(HEADER_BYTES),
  };
}

/** Writes an av1C into a new buffer. */
export function writeAv1CodecConfiguration(record: Av1CodecConfiguration): Uint8Array {
  const delay = record.initialPresentationDelay;
  return new ByteWriter(HEADER_BYTES + record.configObus.length)
    .u8(MARKER_AND_VERSION)
    .u8((record.profile << 5) | record.levelIdx)
    .u8(
      (record.tier << 7) |
        (record.bitDepth > 8 ? 0x40 : 0) |
        (record.bitDepth === 12 ? 0x20 : 0) |
        (record.monochrome ? 0x10 : 0) |
        (record.subsamplingX ? 8 : 0) |
        (record.subsamplingY ? 4 : 0) |
        record.chromaSamplePosition,
    )
    .u8(delay === undefined ? 0 : 0x10 | (delay - 1))
    .raw(record.configObus)
    .finish();
}

/** The first sequence header among OBUs (a temporal unit or `configObus`) that can be read. */
export function findAv1SequenceHeader(obus: Uint8Array): Av1SequenceHeader | undefined {
  let header: Av1SequenceHeader | undefined;
  visitObus(obus, (obu) => {
    if (obu.type === OBU_TYPE.sequenceHeader) header = parseAv1SequenceHeader(obu.payload);
    return header === undefined;
  });
  return header;
}

/** The record for a temporal unit that has a sequence header, as MPEG-TS and RTP bring it; otherwise `undefined`. */
export function av1ConfigurationFromTemporalUnit(temporalUnit: Uint8Array): Av1CodecConfiguration | undefined {
  let record: Av1CodecConfiguration | undefined;
  visitObus(temporalUnit, (obu) => {
    const header = obu.type === OBU_TYPE.sequenceHeader ? parseAv1SequenceHeader(obu.payload) : undefined;
    if (header === undefined) return true;
    const { profile, levelIdx, tier, color } = header;
    const { bitDepth, monochrome, subsamplingX, subsamplingY, chromaSamplePosition } = color;
    const configObus = writeObu(OBU_TYPE.sequenceHeader, obu.payload);
    record = {
      profile,
      levelIdx,
      tier,
      bitDepth,
      monochrome,
      subsamplingX,
      subsamplingY,
      chromaSamplePosition,
      configObus,
    };
    return false;
  });
  return record;
}
