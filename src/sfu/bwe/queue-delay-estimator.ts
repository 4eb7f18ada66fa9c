import { CLOCK_JUMP_US } from './arrival-groups.ts';

/** The delay of the path without a queue is the smallest of this many slots … */
const BASE_SLOTS = 10;
/** … each so long. What is older than 10 s is forgotten: the path may have changed. */
const BASE_SLOT_US = 1_000_000;
/** A queue stands when no packet of so much time came through without it: a frame sent at once makes none. */
const RECENT_SLOTS = 5;
const RECENT_SLOT_US = 50_000;

/**
 * How long packets wait in a queue that does not drain: the smallest one-way delay of the last quarter of a second over
 * the smallest of the last ten seconds. Clocks need not agree; their drift (some ms a minute) is taken along.
 */
export class QueueDelayEstimator {
  readonly #base = new SlidingMinimum(BASE_SLOTS, BASE_SLOT_US);
  readonly #recent = new SlidingMinimum(RECENT_SLOTS, RECENT_SLOT_US);
  #lastDelayUs: number | undefined;

  /** Takes a packet that arrived. */
  add(sentUs: number, arrivalUs: number): void {
    const delayUs = arrivalUs - sentUs;
    if (this.#lastDelayUs !== undefined && Math.abs(delayUs - this.#lastDelayUs) >= CLOCK_JUMP_US) this.reset();
    this.#lastDelayUs = delayUs;
    this.#base.add(delayUs, arrivalUs);
    this.#recent.add(delayUs, arrivalUs);
  }

  /** Microseconds; 0 before anything arrived. */
  get standingUs(): number {
    return Math.max(0, this.#recent.value - this.#base.value) || 0;
  }

  /** Smallest one-way delay, by clocks that need not agree; `undefined` before anything arrived. */
  get baseUs(): number | undefined {
    return Number.isFinite(this.#base.value) ? this.#base.value : undefined;
  }

  /** Takes the delay of now for that of the path: this queue is not ours, or there is none and the path is longer. */
  rebase(): void {
    const recentUs = this.#recent.value;
    const atUs = this.#recent.atUs;
    this.#base.reset();
    if (Number.isFinite(recentUs)) this.#base.add(recentUs, atUs);
  }

  /** Forgets all. */
  reset(): void {
    this.#base.reset();
    this.#recent.reset();
    this.#lastDelayUs = undefined;
  }
}

/** The smallest value of the last slots of time. */
class SlidingMinimum {
  readonly #slots: Float64Array;
  readonly #slotUs: number;
  #slot = 0;
  #value = Number.POSITIVE_INFINITY;
  #atUs = 0;

  constructor(slots: number, slotUs: number) {
    this.#slots = new Float64Array(slots).fill(Number.POSITIVE_INFINITY);
    this.#slotUs = slotUs;
  }

  get value(): number {
    return this.#value;
  }

  /** Time of the last value. */
  get atUs(): number {
    return this.#atUs;
  }

  add(value: number, atUs: number): void {
    this.#atUs = atUs;
    const slot = Math.floor(atUs / this.#slotUs);
    const count = this.#slots.length;
    const passed = slot - this.#slot;
    if (passed > 0 || passed <= -count) {
      // Time that went back by more than all slots is a new beginning.
      const emptied = passed < 0 ? count : Math.min(passed, count);
      for (let i = 0; i < emptied; i++) this.#slots[modulo(slot - i, count)] = Number.POSITIVE_INFINITY;
      this.#slot = slot;
      this.#value = Math.min(...this.#slots);
    }
    const at = modulo(slot, count);
    if (value < this.#slots[at]!) this.#slots[at] = value;
    if (value < this.#value) this.#value = value;
  }

  reset(): void {
    this.#slots.fill(Number.POSITIVE_INFINITY);
    this.#value = Number.POSITIVE_INFINITY;
  }
}

function modulo(value: number, count: number): number {
  return ((value % count) + count) % count;
}
