import { parseAvcDecoderConfiguration } from '../codec/h264/avc-decoder-configuration.ts';
import { parseH264Sps } from '../codec/h264/sequence-parameter-set.ts';
import { parseHevcDecoderConfiguration } from '../codec/h265/hevc-decoder-configuration.ts';
import { parseH265Sps } from '../codec/h265/sequence-parameter-set.ts';
import type { Track } from '../codec/track.ts';

/** Most pictures that may come before one that is shown earlier: the largest decoded picture buffer there is. */
export const MAX_REORDER_DEPTH = 16;

/** Frames after which a guessed depth gives way to what was seen. */
export const OBSERVED_FRAMES = 100;

/** Pictures are shown by at most this much earlier than one before them; what goes back further is another clock. */
const MAX_BACKWARD_STEP_US = 3_000_000;

/** A step forward that long leaves nothing to be ordered. */
const MAX_FORWARD_STEP_US = 10_000_000;

const H264_BASELINE = 66;
const DEFAULT_FRAME_RATE = 30;

/** How many pictures at most are decoded before one that is shown earlier. */
export interface ReorderDepth {
  /** 0 where pictures are shown in the order they are decoded. */
  readonly frames: number;
  /** The stream says so, or can't be otherwise; else it is what streams of its kind usually have. */
  readonly isTold: boolean;
}

const IN_ORDER: ReorderDepth = { frames: 0, isTold: true };

/** What the configuration of a track says of the order of its pictures (ITU-T H.264 §E.2.1, H.265 §7.4.3.2.1). */
export function reorderDepthOf(track: Track): ReorderDepth {
  switch (track.codec) {
    case 'h264':
      return h264Depth(track.config);
    case 'h265':
      return h265Depth(track.config);
    case 'mpeg-video':
    case 'mp4v':
      // One anchor picture is decoded before the B pictures in front of it, when there are any.
      return { frames: 1, isTold: false };
    default:
      return IN_ORDER;
  }
}

function h264Depth(config: Uint8Array): ReorderDepth {
  const nalUnit = parseAvcDecoderConfiguration(config)?.sequenceParameterSets[0];
  const sps = nalUnit && parseH264Sps(nalUnit);
  if (sps === undefined) return { frames: 2, isTold: false };
  if (sps.pocType === 2 || sps.profileIdc === H264_BASELINE) return IN_ORDER;
  const told = sps.vui?.bitstreamRestriction?.maxNumReorderFrames;
  // Pictures of one field each are twice as many as frames.
  const perFrame = sps.frameMbsOnly ? 1 : 2;
  if (told !== undefined) return { frames: Math.min(MAX_REORDER_DEPTH, told * perFrame), isTold: true };
  // A B picture has two references; with more there are usually pyramids of two levels.
  return { frames: sps.maxNumRefFrames <= 1 ? 0 : 2 * perFrame, isTold: false };
}

function h265Depth(config: Uint8Array): ReorderDepth {
  for (const { nalUnits } of parseHevcDecoderConfiguration(config)?.arrays ?? []) {
    for (const nalUnit of nalUnits) {
      const sps = parseH265Sps(nalUnit);
      if (sps !== undefined) return { frames: Math.min(MAX_REORDER_DEPTH, sps.maxNumReorderPics), isTold: true };
    }
  }
  return { frames: 2, isTold: false };
}

/**
 * Finds decode times where only presentation times are told, in decode order. With a reorder depth of n, the picture that
 * is shown (i − n)th is known for certain when the ith is decoded, and its time is a decode time the ith can have: never
 * after its own presentation, never before the decode time of the one in front.
 *
 * Pictures that come more out of order than the depth allows raise it; the few until then are shown a little late, so
 * that even for them decode times neither go back nor exceed presentation times.
 */
export class DecodeTimes {
  /** Decode time of the picture accepted last, microseconds. */
  dtsUs = 0;
  /** Its presentation time: as given, but for pictures that broke the depth. */
  ptsUs = 0;
  /** The largest presentation times since the last restart, ascending, in the first `#count` places. */
  readonly #largest: Float64Array = new Float64Array(MAX_REORDER_DEPTH + 2);
  #count = 0;
  #depth = 0;
  #seenDepth = 0;
  /** Frames until a guessed depth is settled; 0 when it is. */
  #unsettledFrames = 0;
  #frameUs = 0;
  #hasDecodeTime = false;

  constructor(depth: ReorderDepth, frameRate?: number) {
    this.configure(depth, frameRate);
  }

  /** Frames of reordering allowed for now. */
  get depth(): number {
    return this.#depth;
  }

  /** The stream's configuration changed. @param frameRate frames a second, when known */
  configure(depth: ReorderDepth, frameRate: number = DEFAULT_FRAME_RATE): void {
    this.#depth = Math.min(MAX_REORDER_DEPTH, Math.max(0, depth.frames));
    this.#seenDepth = 0;
    this.#unsettledFrames = depth.isTold ? 0 : OBSERVED_FRAMES;
    this.#frameUs = Math.round(1_000_000 / frameRate);
  }

  /** The clock began anew: what comes has nothing to do with what came. */
  restart(): void {
    this.#count = 0;
    this.#hasDecodeTime = false;
  }

  /** Takes the presentation time of the next picture in decode order; `dtsUs` and `ptsUs` tell what became of it. */
  accept(ptsUs: number): void {
    const newestUs = this.#count === 0 ? ptsUs : this.#largest[this.#count - 1]!;
    if (ptsUs < newestUs - MAX_BACKWARD_STEP_US || ptsUs > newestUs + MAX_FORWARD_STEP_US) this.restart();
    const later = this.#insert(ptsUs);
    if (later > this.#seenDepth) this.#seenDepth = later;
    if (later > this.#depth) this.#depth = Math.min(MAX_REORDER_DEPTH, later);
    if (this.#unsettledFrames > 0 && --this.#unsettledFrames === 0) this.#depth = this.#seenDepth;
    let dtsUs = this.#decodeTime(ptsUs);
    if (this.#hasDecodeTime && dtsUs < this.dtsUs) dtsUs = this.dtsUs;
    this.#hasDecodeTime = true;
    this.dtsUs = dtsUs;
    this.ptsUs = Math.max(ptsUs, dtsUs);
  }

  #decodeTime(ptsUs: number): number {
    const rank = this.#count - 1 - this.#depth;
    if (rank >= 0) return Math.min(ptsUs, this.#largest[rank]!);
    // Before the first pictures: as if others had come before them at the same pace.
    return Math.min(ptsUs, this.#largest[0]! + rank * this.#frameUs);
  }

  /** Puts a time in its place; how many larger ones there are. The smallest goes when there is no room. */
  #insert(ptsUs: number): number {
    const times = this.#largest;
    if (this.#count === times.length) {
      times.copyWithin(0, 1);
      this.#count--;
    }
    let at = this.#count++;
    for (; at > 0 && times[at - 1]! > ptsUs; at--) times[at] = times[at - 1]!;
    times[at] = ptsUs;
    return this.#count - 1 - at;
  }
}
