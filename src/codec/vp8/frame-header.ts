/** What the first bytes of a VP8 frame say (RFC 6386 §9.1). */
export interface Vp8FrameHeader {
  readonly isKeyFrame: boolean;
  /** `version`, 0–3 defined: which filters the decoder uses. */
  readonly version: number;
  readonly isShown: boolean;
  /** Only in key frames, before scaling. */
  readonly size?: { readonly width: number; readonly height: number };
}

const KEY_FRAME_HEADER_BYTES = 10;

/**
 * Parses a frame header; `undefined` when it is cut off or a key frame lacks its start code.
 *
 *     size(19) show_frame(1) version(3) not_key(1), little-endian; key frames: 9d 01 2a scale(2) width(14) scale(2) height(14)
 */
export function parseVp8FrameHeader(frame: Uint8Array): Vp8FrameHeader | undefined {
  const tag = frame[0];
  if (tag === undefined || frame.length < 3) return undefined;
  const isKeyFrame = (tag & 1) === 0;
  const common = { isKeyFrame, version: (tag >>> 1) & 7, isShown: (tag & 0x10) !== 0 };
  if (!isKeyFrame) return common;
  if (frame.length < KEY_FRAME_HEADER_BYTES) return undefined;
  if (frame[3] !== 0x9d || frame[4] !== 0x01 || frame[5] !== 0x2a) return undefined;
  const width = frame[6]! | ((frame[7]! & 0x3f) << 8);
  const height = frame[8]! | ((frame[9]! & 0x3f) << 8);
  return { ...common, size: { width, height } };
}
