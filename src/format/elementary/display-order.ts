import type { PicturePosition } from './picture-order.ts';

/** Pictures looked at before the first of a coded video sequence is given out. H.264 and H.265 reorder at most 16. */
export const MAX_LOOKAHEAD = 32;

interface Waiting<T> {
  readonly item: T;
  readonly position: PicturePosition;
}

/** A picture with its times. */
export interface Timed<T> {
  readonly item: T;
  /** Place in decoding order × frame duration. */
  readonly dtsUs: number;
  /** Place in the order of showing × frame duration, later than `dtsUs` by at least 0. */
  readonly ptsUs: number;
}

/**
 * Gives the pictures of a raw stream times: it has a frame rate and an order of showing, and no clock. The first pictures of
 * each coded video sequence are looked at together, to see by how much PicOrderCnt grows from one shown picture to the
 * next and how many pictures later than decoded the first must be shown.
 */
export class DisplayOrder<T> {
  readonly #frameUs: number;
  readonly #waiting: Waiting<T>[] = [];
  /** Pictures given out before the sequence began, and in it. */
  #base = 0;
  #index = 0;
  #step = 1;
  #delay = 0;
  #isAnalysed = false;

  /** @param frameUs duration of a picture, microseconds */
  constructor(frameUs: number) {
    this.#frameUs = frameUs;
  }

  push(item: T, position: PicturePosition): void {
    this.#waiting.push({ item, position });
  }

  /**
   * The next picture in decoding order, or undefined while more must be pushed before its times are known.
   * @param isEnd no more will be pushed
   */
  take(isEnd: boolean): Timed<T> | undefined {
    const first = this.#waiting[0];
    if (first === undefined) return undefined;
    if (first.position.startsSequence && this.#index > 0) {
      this.#base += this.#index;
      this.#index = 0;
      this.#isAnalysed = false;
    }
    if (!this.#isAnalysed && !this.#analyse(isEnd)) return undefined;
    this.#waiting.shift();
    const decoded = this.#base + this.#index;
    const count = first.position.pictureOrderCount;
    // A step too small only spreads out what is shown; no picture is shown before it is decoded.
    const shown = count === undefined ? decoded : this.#base + Math.round(count / this.#step) + this.#delay;
    this.#index++;
    return {
      item: first.item,
      dtsUs: Math.round(decoded * this.#frameUs),
      ptsUs: Math.round(Math.max(shown, decoded) * this.#frameUs),
    };
  }

  #analyse(isEnd: boolean): boolean {
    const waiting = this.#waiting;
    let length = 1;
    while (length < waiting.length && !waiting[length]!.position.startsSequence) length++;
    const isWhole = isEnd || length < waiting.length;
    if (!isWhole && length < MAX_LOOKAHEAD) return false;
    const counts = waiting.slice(0, length).map(({ position }) => position.pictureOrderCount);
    const known = counts.filter((count) => count !== undefined).sort((a, b) => a - b);
    let step = Number.POSITIVE_INFINITY;
    for (let i = 1; i < known.length; i++) {
      const difference = known[i]! - known[i - 1]!;
      if (difference > 0) step = Math.min(step, difference);
    }
    this.#step = Number.isFinite(step) ? step : 1;
    let delay = 0;
    counts.forEach((count, i) => {
      if (count !== undefined) delay = Math.max(delay, i - Math.round(count / this.#step));
    });
    // The stream's delay stays what it was where a sequence needs less: times must not step back.
    this.#delay = Math.max(this.#delay, delay);
    this.#isAnalysed = true;
    return true;
  }
}
