/** How far a stored time may be from the one counted and still be its rounding, in steps of the clock. */
const TOLERANCE_STEPS = 1.01;

/**
 * Times of audio frames, which a coarse clock (a millisecond, mostly) has rounded: told by the samples that went before, as
 * long as the stored times agree. So frames of 1024 samples are 1024 samples apart, which RTP timestamps show.
 */
export class AudioTimes {
  readonly #toleranceUs: number;
  /** Time the count starts from; undefined at the start and after a seek. */
  #anchorUs: number | undefined;
  #countedUs = 0;

  /** @param stepUs microseconds of a step of the file's clock */
  constructor(stepUs: number) {
    this.#toleranceUs = stepUs * TOLERANCE_STEPS;
  }

  reset(): void {
    this.#anchorUs = undefined;
  }

  /**
   * Time of a frame.
   * @param storedUs what the file says; undefined for a frame behind another one in the same block
   * @param durationUs how long the frame lasts, not rounded; 0 when that is not known
   */
  next(storedUs: number | undefined, durationUs: number): number {
    if (storedUs !== undefined && durationUs === 0) {
      this.#anchorUs = storedUs;
      this.#countedUs = 0;
      return storedUs;
    }
    const expectedUs = this.#anchorUs === undefined ? undefined : this.#anchorUs + this.#countedUs;
    if (expectedUs === undefined || (storedUs !== undefined && this.#isOther(storedUs, expectedUs))) {
      this.#anchorUs = storedUs ?? 0;
      this.#countedUs = durationUs;
      return this.#anchorUs;
    }
    this.#countedUs += durationUs;
    return Math.round(expectedUs);
  }

  #isOther(storedUs: number, expectedUs: number): boolean {
    return Math.abs(storedUs - expectedUs) > this.#toleranceUs;
  }
}
