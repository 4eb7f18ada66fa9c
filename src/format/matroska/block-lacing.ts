import { readVint } from './ebml-element.ts';

const LACING_XIPH = 1;
const LACING_FIXED = 2;
const LACING_EBML = 3;

/**
 * Splits what follows the header of a block into its frames (RFC 9559 §10.3). Views of `bytes`; undefined when the sizes of the
 * frames do not add up. Empty frames are left out.
 *
 *     lacing 0: frame            1 (Xiph): count-1(8) {255 …, rest} frames
 *     2 (fixed): count-1(8) frames of equal size     3 (EBML): count-1(8) size(vint) {difference(vint, signed)} frames
 *
 * @param lacing two bits out of the flags of the block
 */
export function splitLaces(bytes: Uint8Array, lacing: number): Uint8Array[] | undefined {
  if (lacing === 0) return bytes.length === 0 ? [] : [bytes];
  const count = (bytes[0] ?? 0) + 1;
  if (bytes.length === 0) return undefined;
  const head = lacing === LACING_FIXED ? fixedSizes(bytes, count) : readSizes(bytes, count, lacing);
  if (head === undefined) return undefined;
  const frames: Uint8Array[] = [];
  let at = head.end;
  for (const size of head.sizes) {
    if (size < 0 || size > bytes.length - at) return undefined;
    if (size > 0) frames.push(bytes.subarray(at, at + size));
    at += size;
  }
  // The last frame takes the rest.
  if (lacing !== LACING_FIXED && at < bytes.length) frames.push(bytes.subarray(at));
  return frames;
}

/** Sizes of the frames, but for one that takes the rest, and where the frames begin. */
interface LaceSizes {
  readonly sizes: readonly number[];
  readonly end: number;
}

function fixedSizes(bytes: Uint8Array, count: number): LaceSizes | undefined {
  const size = (bytes.length - 1) / count;
  return Number.isInteger(size) ? { sizes: Array.from({ length: count }, () => size), end: 1 } : undefined;
}

function readSizes(bytes: Uint8Array, count: number, lacing: number): LaceSizes | undefined {
  const sizes: number[] = [];
  let at = 1;
  while (sizes.length < count - 1) {
    if (lacing === LACING_XIPH) {
      let size = 0;
      let byte: number | undefined;
      do {
        byte = bytes[at++];
        if (byte === undefined) return undefined;
        size += byte;
      } while (byte === 255);
      sizes.push(size);
    } else if (lacing === LACING_EBML) {
      const vint = readVint(bytes, at);
      if (vint === undefined || vint.value === Number.POSITIVE_INFINITY) return undefined;
      at += vint.bytes;
      const last = sizes.at(-1);
      // Differences have half of their range below zero.
      sizes.push(last === undefined ? vint.value : last + vint.value - (2 ** (7 * vint.bytes - 1) - 1));
    }
  }
  return { sizes, end: at };
}
