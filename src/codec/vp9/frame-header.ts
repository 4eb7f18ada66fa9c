import { BitReader } from '../../wire/bit-reader.ts';

/** Bytes of the uncompressed header up to the frame size of a key frame. */
const KEY_FRAME_HEADER_BYTES = 16;

const FRAME_MARKER = 2;
const SYNC_CODE = 0x498342;
const COLOR_SPACE_RGB = 7;

/** What a key frame says about its pictures. */
export interface Vp9KeyFrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: 8 | 10 | 12;
  /** `color_space`: 0 unknown, 1 BT.601, 2 BT.709, 5 BT.2020, 7 RGB, … */
  readonly colorSpace: number;
  readonly fullRange: boolean;
  readonly subsamplingX: boolean;
  readonly subsamplingY: boolean;
}

/** What the start of a VP9 frame says (VP9 bitstream specification §6.2). */
export interface Vp9FrameHeader {
  /** 0–3. */
  readonly profile: number;
  /** The frame only shows an earlier one again. */
  readonly showExistingFrame: boolean;
  readonly isKeyFrame: boolean;
  readonly isShown: boolean;
  /** Only in key frames. */
  readonly keyFrame?: Vp9KeyFrameInfo;
}

/** Parses the first frame header of a frame or superframe; `undefined` when it is cut off or not VP9. */
export function parseVp9FrameHeader(frame: Uint8Array): Vp9FrameHeader | undefined {
  const bits = new BitReader(frame.subarray(0, KEY_FRAME_HEADER_BYTES));
  if (bits.bits(2) !== FRAME_MARKER) return undefined;
  const profile = bits.bit() | (bits.bit() << 1);
  if (profile === 3 && bits.flag()) return undefined; // reserved_zero
  if (bits.flag()) return { profile, showExistingFrame: true, isKeyFrame: false, isShown: true };
  const isKeyFrame = !bits.flag();
  const isShown = bits.flag();
  bits.skip(1); // error_resilient_mode
  if (bits.overrun) return undefined;
  if (!isKeyFrame) return { profile, showExistingFrame: false, isKeyFrame, isShown };
  const keyFrame = readKeyFrame(bits, profile);
  return keyFrame && { profile, showExistingFrame: false, isKeyFrame, isShown, keyFrame };
}

function readKeyFrame(bits: BitReader, profile: number): Vp9KeyFrameInfo | undefined {
  if (bits.bits(24) !== SYNC_CODE) return undefined;
  const bitDepth = profile < 2 ? 8 : bits.flag() ? 12 : 10;
  const colorSpace = bits.bits(3);
  let fullRange = true;
  // Profiles 1 and 3 are those for everything but 4:2:0.
  const isOdd = (profile & 1) === 1;
  let subsamplingX = !isOdd;
  let subsamplingY = !isOdd;
  if (colorSpace !== COLOR_SPACE_RGB) {
    fullRange = bits.flag();
    if (isOdd) {
      subsamplingX = bits.flag();
      subsamplingY = bits.flag();
    }
  }
  if (isOdd) bits.skip(1); // reserved_zero
  const width = bits.bits(16) + 1;
  const height = bits.bits(16) + 1;
  if (bits.overrun) return undefined;
  return { width, height, bitDepth, colorSpace, fullRange, subsamplingX, subsamplingY };
}
