/** Runs of dropped numbers that are remembered; what is older than the oldest can't be told its place any more. */
export const MAX_DROPPED_RUNS = 512;

const INITIAL_RUNS = 8;

/** Bits of RTP sequence numbers and long picture ids, of TL0PICIDX, and of short picture ids. */
export type SequenceBits = 16 | 15 | 8 | 7;

/** How a `SequenceRewriter` counts. */
export interface SequenceRewriterOptions {
  /** Default 16. */
  readonly bits?: SequenceBits;
  /** The first number that is given out; default 0. */
  readonly firstOutput?: number;
}

/**
 * Gives the packets of a stream that are forwarded numbers without gaps, where some are dropped on purpose and where one
 * source follows another; those that were lost or are late keep their places. Numbers wrap. Memory is by runs of drops, bounded.
 *
 *     input   7  8  9 (dropped) 10  12   sync(500)  500  501
 *     output  0  1               2   4                5    6
 */
export class SequenceRewriter {
  readonly #mask: number;
  readonly #shift: number;
  /** Inputs are counted on from the first without an end, outputs too. */
  #isStarted = false;
  #newestInput = 0;
  #newestOutput: number;
  /** Older inputs have no place. */
  #oldestInput = 0;
  /** Input minus output of what comes next. */
  #offset = 0;
  /** Runs of dropped inputs, oldest first: `[first, end)`, and input minus output below. */
  #runFirst: Float64Array = new Float64Array(INITIAL_RUNS);
  #runEnd: Float64Array = new Float64Array(INITIAL_RUNS);
  #runOffset: Float64Array = new Float64Array(INITIAL_RUNS);
  #firstRun = 0;
  #endRun = 0;

  constructor(options: SequenceRewriterOptions = {}) {
    const { bits = 16, firstOutput = 0 } = options;
    this.#shift = 32 - bits;
    this.#mask = 2 ** bits - 1;
    this.#newestOutput = (firstOutput & this.#mask) - 1;
  }

  /** The highest number given out, or the one before the first. */
  get newestOutput(): number {
    return this.#newestOutput & this.#mask;
  }

  /** Begins anew: `input` gets the number after the highest given out so far, and what is before it gets none. */
  sync(input: number): void {
    this.#isStarted = true;
    // The newest is the one before, so that `input` may itself be dropped.
    this.#oldestInput = input & this.#mask;
    this.#newestInput = this.#oldestInput - 1;
    this.#offset = this.#oldestInput - (this.#newestOutput + 1);
    this.#firstRun = this.#endRun;
  }

  /**
   * Leaves a number out, so that the next one closes up.
   * @returns false for one that came after newer ones: it leaves the gap that `rewrite` has for it, if any
   */
  drop(input: number): boolean {
    if (!this.#isStarted) return true;
    const number = this.#unwrap(input);
    if (number <= this.#newestInput) return false;
    this.#newestInput = number;
    const last = (this.#endRun - 1) & (this.#runEnd.length - 1);
    if (this.#endRun > this.#firstRun && this.#runEnd[last] === number) this.#runEnd[last] = number + 1;
    else this.#appendRun(number);
    this.#offset++;
    return true;
  }

  /**
   * The number a packet is forwarded with; the same when asked again.
   * @returns −1 for one that was dropped, or is from before the last `sync` or all that is remembered
   */
  rewrite(input: number): number {
    if (!this.#isStarted) this.sync(input);
    const number = this.#unwrap(input);
    if (number > this.#newestInput) {
      this.#newestInput = number;
      this.#newestOutput = Math.max(this.#newestOutput, number - this.#offset);
      return (number - this.#offset) & this.#mask;
    }
    if (number < this.#oldestInput) return -1;
    const output = this.#outputOfOlder(number);
    if (output === undefined) return -1;
    this.#newestOutput = Math.max(this.#newestOutput, output);
    return output & this.#mask;
  }

  #outputOfOlder(number: number): number | undefined {
    let offset = this.#offset;
    for (let run = this.#endRun - 1; run >= this.#firstRun; run--) {
      const slot = run & (this.#runEnd.length - 1);
      if (number >= this.#runEnd[slot]!) break;
      if (number >= this.#runFirst[slot]!) return undefined;
      offset = this.#runOffset[slot]!;
    }
    return number - offset;
  }

  #appendRun(number: number): void {
    const runs = this.#endRun - this.#firstRun;
    if (runs === MAX_DROPPED_RUNS) {
      this.#oldestInput = this.#runEnd[this.#firstRun & (MAX_DROPPED_RUNS - 1)]!;
      this.#firstRun++;
    } else if (runs === this.#runEnd.length) {
      this.#runFirst = grown(this.#runFirst, this.#firstRun);
      this.#runEnd = grown(this.#runEnd, this.#firstRun);
      this.#runOffset = grown(this.#runOffset, this.#firstRun);
    }
    const slot = this.#endRun++ & (this.#runEnd.length - 1);
    this.#runFirst[slot] = number;
    this.#runEnd[slot] = number + 1;
    this.#runOffset[slot] = this.#offset;
  }

  #unwrap(input: number): number {
    return this.#newestInput + (((input - this.#newestInput) << this.#shift) >> this.#shift);
  }
}

/** A full ring of twice the size; `first` is the number of its oldest item. */
function grown(ring: Float64Array, first: number): Float64Array {
  const larger = new Float64Array(ring.length * 2);
  for (let i = first; i < first + ring.length; i++) larger[i & (larger.length - 1)] = ring[i & (ring.length - 1)]!;
  return larger;
}
