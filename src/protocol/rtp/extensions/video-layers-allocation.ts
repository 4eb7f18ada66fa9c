import { BitCursor } from './bit-cursor.ts';

/** Most streams (encodings of simulcast) one element tells of. */
export const MAX_ALLOCATED_STREAMS = 4;

/** Most spatial layers a stream has. */
export const MAX_ALLOCATED_SPATIAL_LAYERS = 4;

const MAX_LEB128_BYTES = 5;
const MAX_KBPS = 0xffff_ffff;
const LAYER_SIZE_BITS = 40;

/** One spatial layer the sender sends at present. */
export interface AllocatedLayer {
  /** Index of its stream, in the order of encodings. */
  readonly stream: number;
  readonly spatialId: number;
  /** For each temporal layer, from the lowest on, with all below it; kb/s. */
  readonly targetBitratesKbps: readonly number[];
  /** Pixels; 0 when not told. */
  readonly width: number;
  /** Pixels; 0 when not told. */
  readonly height: number;
  /** Most frames a second; 0 when not told. */
  readonly maxFrameRate: number;
}

/** The layers a sender sends at present (webrtc.org/experiments/rtp-hdrext/video-layers-allocation00). */
export interface VideoLayersAllocation {
  /** Index of the stream the packet belongs to. */
  readonly stream: number;
  /** How many streams there are. */
  readonly streamCount: number;
  /** Those sent, by stream and spatial id; empty when nothing is. */
  readonly layers: readonly AllocatedLayer[];
}

/**
 * Reads the element; `undefined` when it is cut off. It comes seldom, so this makes objects.
 *
 *     RID(2) NS(2) sl_bm(4)  [sl_bm of each stream(4), to a whole byte]  {temporal layers − 1(2)}, to a whole byte
 *     {kb/s(leb128)}  [{width − 1(16) height − 1(16) frame rate(8)}]
 */
export function readVideoLayersAllocation(
  bytes: Uint8Array,
  at: number,
  sizeBytes: number,
): VideoLayersAllocation | undefined {
  if (sizeBytes < 1 || at < 0 || at + sizeBytes > bytes.length) return undefined;
  const bits = new BitCursor();
  bits.set(bytes, at, at + sizeBytes);
  const stream = bits.bits(2);
  const streamCount = bits.bits(2) + 1;
  const common = bits.bits(4);
  // One byte of zeros: the sender is paused.
  if (sizeBytes === 1) return common === 0 ? { stream, streamCount, layers: [] } : undefined;
  const masks = Array.from({ length: streamCount }, () => (common === 0 ? bits.bits(4) : common));
  if (common === 0 && streamCount % 2 === 1) bits.bits(4);
  const ids = masks.flatMap((mask, index) =>
    Array.from({ length: MAX_ALLOCATED_SPATIAL_LAYERS }, (_, spatialId) => ({ stream: index, spatialId })).filter(
      ({ spatialId }) => ((mask >>> spatialId) & 1) === 1,
    ),
  );
  const temporalLayers = ids.map(() => bits.bits(2) + 1);
  bits.bits((8 - (bits.position & 7)) & 7);
  const bitrates = temporalLayers.map((count) => Array.from({ length: count }, () => readLeb128(bits)));
  const hasSizes = sizeBytes * 8 - bits.position >= ids.length * LAYER_SIZE_BITS;
  const layers = ids.map((id, i) => ({
    ...id,
    targetBitratesKbps: bitrates[i]!,
    width: hasSizes ? bits.bits(16) + 1 : 0,
    height: hasSizes ? bits.bits(16) + 1 : 0,
    maxFrameRate: hasSizes ? bits.bits(8) : 0,
  }));
  const isWhole = !bits.overrun && stream < streamCount && bitrates.flat().every((kbps) => kbps <= MAX_KBPS);
  return isWhole ? { stream, streamCount, layers } : undefined;
}

/** `Infinity` for a number that does not end in time. */
function readLeb128(bits: BitCursor): number {
  let value = 0;
  for (let i = 0; i < MAX_LEB128_BYTES; i++) {
    const byte = bits.bits(8);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return value;
  }
  return Number.POSITIVE_INFINITY;
}
