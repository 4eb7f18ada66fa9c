/** Packets after which what was before counts half. */
const WINDOW_PACKETS = 500;

/** How many of the last packets were lost, as feedback tells of them. */
export class LossFraction {
  #expected = 0;
  #lost = 0;

  /** Packets of one feedback, by arrival; undefined for those that did not arrive. */
  add(arrivals: readonly (number | undefined)[]): void {
    for (const arrival of arrivals) if (arrival === undefined) this.#lost++;
    this.#expected += arrivals.length;
    while (this.#expected > WINDOW_PACKETS) {
      this.#expected /= 2;
      this.#lost /= 2;
    }
  }

  /** 0–1; undefined before there is any. */
  get value(): number | undefined {
    return this.#expected === 0 ? undefined : this.#lost / this.#expected;
  }
}
