/** Latest time told, microseconds: 142 years. Files that claim more are damaged. */
const MAX_TIME_US: number = 2 ** 52;

/** A first block later than this tells of a recording that began at some time of day, microseconds. */
const LATE_START_US = 1_000_000;

/** Turns timestamps of a file into positions. */
export class TimeLine {
  /** Microseconds of one unit of the file's clock. */
  readonly stepUs: number;
  readonly #originUs: number;

  /** @param firstUs time of the first block: position 0 when it is late */
  constructor(timestampScaleNs: number, firstUs = 0) {
    this.stepUs = timestampScaleNs / 1000;
    this.#originUs = firstUs >= LATE_START_US ? firstUs : 0;
  }

  /** May be below 0 for what lies before the first block. */
  toUs(timestamp: number): number {
    return Math.min(Math.round(timestamp * this.stepUs), MAX_TIME_US) - this.#originUs;
  }
}
