/** Most pictures a decoder keeps back to show them in order (H.264 §A.3.1, H.265 §A.4.2). */
export const MAX_REORDER_DEPTH = 16;

/**
 * How many pictures at most are decoded before one that is shown before them: what a stream whose presentation times come
 * in decoding order needs for decode times.
 */
export function reorderDepthOf(ptsInDecodingOrder: readonly number[]): number {
  let depth = 0;
  for (let i = 0; i < ptsInDecodingOrder.length; i++) {
    let later = 0;
    for (let j = Math.max(0, i - MAX_REORDER_DEPTH); j < i; j++) {
      if (ptsInDecodingOrder[j]! > ptsInDecodingOrder[i]!) later++;
    }
    depth = Math.max(depth, later);
  }
  return depth;
}

/**
 * Decode times of a stream of which only presentation times are known, in decoding order: the same times sorted, late by as
 * many pictures as the stream reorders. Never behind the presentation time.
 */
export class ReorderedTimes {
  readonly #depth: number;
  readonly #frameUs: number;
  /** Times to come, ascending. */
  #waiting: number[] = [];
  #lastUs = 0;

  /**
   * @param depth pictures, 0 to `MAX_REORDER_DEPTH`
   * @param frameUs from picture to picture, for the first ones
   */
  constructor(depth: number, frameUs: number) {
    this.#depth = Math.min(depth, MAX_REORDER_DEPTH);
    this.#frameUs = frameUs;
  }

  /** Forgets what came before: the next picture is the first after a seek. */
  reset(): void {
    this.#waiting = [];
    this.#lastUs = 0;
  }

  /** Decode time of the next picture. Never below 0. */
  next(ptsUs: number): number {
    const waiting = this.#waiting;
    if (waiting.length === 0) {
      for (let i = this.#depth; i > 0; i--) waiting.push(Math.round(ptsUs - i * this.#frameUs));
    }
    let at = waiting.length;
    while (at > 0 && waiting[at - 1]! > ptsUs) at--;
    waiting.splice(at, 0, ptsUs);
    const dtsUs = Math.min(Math.max(waiting[0]!, this.#lastUs, 0), ptsUs);
    waiting.shift();
    this.#lastUs = dtsUs;
    return dtsUs;
  }
}
