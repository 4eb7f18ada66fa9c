/** Bytes of the element. */
export const VIDEO_ORIENTATION_BYTES = 1;

/** How a picture has to be turned to be seen upright. */
export interface VideoOrientation {
  /** The back camera took it. */
  readonly isBackCamera: boolean;
  /** Mirrored from left to right, before it is rotated. */
  readonly isFlipped: boolean;
  /** Degrees clockwise. */
  readonly rotation: 0 | 90 | 180 | 270;
}

const BACK_CAMERA = 0x08;
const FLIP = 0x04;
const ROTATION = 0x03;
const ROTATIONS = [0, 90, 180, 270] as const;

/**
 * The byte of coordination of video orientation (3GPP TS 26.114 §7.4.5); `undefined` when there is none. Reserved bits
 * are taken away, so that two equal bytes mean the same; `toVideoOrientation` tells what it means.
 *
 *     reserved(4) C(1) F(1) R1(1) R0(1)
 */
export function readVideoOrientation(bytes: Uint8Array, at: number, sizeBytes: number): number | undefined {
  if (sizeBytes < VIDEO_ORIENTATION_BYTES || at < 0 || at + sizeBytes > bytes.length) return undefined;
  return bytes[at]! & (BACK_CAMERA | FLIP | ROTATION);
}

/** What the byte means. */
export function toVideoOrientation(byte: number): VideoOrientation {
  return {
    isBackCamera: (byte & BACK_CAMERA) !== 0,
    isFlipped: (byte & FLIP) !== 0,
    rotation: ROTATIONS[byte & ROTATION]!,
  };
}

/** The byte of an orientation. */
export function videoOrientationByte({ isBackCamera, isFlipped, rotation }: VideoOrientation): number {
  return (isBackCamera ? BACK_CAMERA : 0) | (isFlipped ? FLIP : 0) | (rotation / 90);
}
