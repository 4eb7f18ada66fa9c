import { BitReader } from '../../wire/bit-reader.ts';

/** Start codes of MPEG-4 visual (ISO/IEC 14496-2 Table 6-3). */
export const MPEG4_START_CODE = {
  firstVideoObjectLayer: 0x20,
  lastVideoObjectLayer: 0x2f,
  visualObjectSequence: 0xb0,
  groupOfVop: 0xb3,
  visualObject: 0xb5,
  vop: 0xb6,
} as const;

const EXTENDED_ASPECT_RATIO = 15;
const RECTANGULAR = 0;
/** Bits of the vbv parameters, marker bits among them. */
const VBV_BITS = 79;
/** Bytes of a VOP that hold its time whatever it is, short of some minutes without a picture. */
const VOP_HEADER_BYTES = 40;

/** What a video object layer tells (ISO/IEC 14496-2 §6.2.3). */
export interface VideoObjectLayer {
  /** Ticks a second of VOP times, 1–65535. */
  readonly timeIncrementResolution: number;
  /** Ticks from VOP to VOP, when they are evenly spaced. */
  readonly fixedTimeIncrement: number | undefined;
  /** Undefined for other than rectangular shapes. */
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/** Parses a video object layer behind its start code; undefined when it is cut off or has no resolution. */
export function parseVideoObjectLayer(bytes: Uint8Array): VideoObjectLayer | undefined {
  const bits = new BitReader(bytes);
  bits.skip(9); // random_accessible_vol, video_object_type_indication
  let version = 1;
  if (bits.flag()) {
    version = bits.bits(4);
    bits.skip(3);
  }
  if (bits.bits(4) === EXTENDED_ASPECT_RATIO) bits.skip(16);
  if (bits.flag()) {
    bits.skip(3); // chroma_format, low_delay
    if (bits.flag()) bits.skip(VBV_BITS);
  }
  const shape = bits.bits(2);
  if (shape === 3 && version !== 1) bits.skip(4);
  bits.skip(1);
  const timeIncrementResolution = bits.bits(16);
  bits.skip(1);
  if (bits.overrun || timeIncrementResolution === 0) return undefined;
  const increment = bits.flag() ? bits.bits(incrementBits(timeIncrementResolution)) : 0;
  let width: number | undefined;
  let height: number | undefined;
  if (shape === RECTANGULAR) {
    bits.skip(1);
    width = bits.bits(13);
    bits.skip(1);
    height = bits.bits(13);
  }
  const fixedTimeIncrement = increment === 0 ? undefined : increment;
  return bits.overrun ? undefined : { timeIncrementResolution, fixedTimeIncrement, width, height };
}

/** What the head of a VOP tells. */
export interface VideoObjectPlane {
  readonly codingType: 'I' | 'P' | 'B' | 'S';
  /** Whole seconds since the time base: that of the last VOP that is no B, for a B of the one before. */
  readonly moduloTimeBase: number;
  /** Ticks on top of that. */
  readonly timeIncrement: number;
}

const CODING_TYPES = ['I', 'P', 'B', 'S'] as const;

/** Parses a VOP behind its start code (§6.2.5); undefined when it is cut off. */
export function parseVideoObjectPlane(bytes: Uint8Array, layer: VideoObjectLayer): VideoObjectPlane | undefined {
  const bits = new BitReader(bytes.subarray(0, VOP_HEADER_BYTES));
  const codingType = CODING_TYPES[bits.bits(2)]!;
  let moduloTimeBase = 0;
  while (bits.flag()) moduloTimeBase++;
  bits.skip(1);
  const timeIncrement = bits.bits(incrementBits(layer.timeIncrementResolution));
  return bits.overrun ? undefined : { codingType, moduloTimeBase, timeIncrement };
}

/** Bits that hold the values below the resolution, at least one. */
function incrementBits(resolution: number): number {
  return Math.max(1, 32 - Math.clz32(resolution - 1));
}
