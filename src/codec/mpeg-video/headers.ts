/** Start codes of MPEG-1 and MPEG-2 video (ISO/IEC 11172-2 §2.4.2.3, ISO/IEC 13818-2 Table 6-1). */
export const MPEG_VIDEO_START_CODE = {
  picture: 0x00,
  firstSlice: 0x01,
  lastSlice: 0xaf,
  sequenceHeader: 0xb3,
  extension: 0xb5,
  sequenceEnd: 0xb7,
  group: 0xb8,
} as const;

/** Frames a second by frame_rate_code (ISO/IEC 13818-2 Table 6-4). */
const FRAME_RATES: readonly number[] = [0, 24_000 / 1001, 24, 25, 30_000 / 1001, 30, 50, 60_000 / 1001, 60];

/** What a sequence header tells. */
export interface MpegVideoSequence {
  readonly width: number;
  readonly height: number;
  /** Undefined for a reserved code. */
  readonly frameRate: number | undefined;
}

/**
 * Parses a sequence header; the low twelve bits of each size, which is all of them below 4,096. Undefined when it is cut off
 * or empty.
 *
 *     00 00 01 b3  horizontal_size(12) vertical_size(12) aspect_ratio(4) frame_rate_code(4) …
 * @param offset of the start code
 */
export function parseMpegVideoSequence(bytes: Uint8Array, offset: number): MpegVideoSequence | undefined {
  if (offset + 8 > bytes.length) return undefined;
  const width = (bytes[offset + 4]! << 4) | (bytes[offset + 5]! >>> 4);
  const height = ((bytes[offset + 5]! & 0xf) << 8) | bytes[offset + 6]!;
  const rate = FRAME_RATES[bytes[offset + 7]! & 0xf];
  if (width === 0 || height === 0) return undefined;
  return { width, height, frameRate: rate === 0 ? undefined : rate };
}

/** What a picture header tells. */
export interface MpegVideoPicture {
  /** Place in the order of showing within its group, modulo 1,024. */
  readonly temporalReference: number;
  /** `D` is of MPEG-1 only. */
  readonly codingType: 'I' | 'P' | 'B' | 'D';
}

const CODING_TYPES: readonly (MpegVideoPicture['codingType'] | undefined)[] = [undefined, 'I', 'P', 'B', 'D'];

/**
 * Parses a picture header. Undefined when it is cut off or of no type.
 *
 *     00 00 01 00  temporal_reference(10) picture_coding_type(3) …
 * @param offset of the start code
 */
export function parseMpegVideoPicture(bytes: Uint8Array, offset: number): MpegVideoPicture | undefined {
  if (offset + 6 > bytes.length) return undefined;
  const codingType = CODING_TYPES[(bytes[offset + 5]! >>> 3) & 7];
  if (codingType === undefined) return undefined;
  return { temporalReference: (bytes[offset + 4]! << 2) | (bytes[offset + 5]! >>> 6), codingType };
}
