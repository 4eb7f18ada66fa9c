/**
 * What a peer may still ask of us: so much at first, more with each packet that is sent to it, never more than at first.
 * Bounds what its requests cost by what it was sent.
 */
export class Allowance {
  readonly #max: number;
  readonly #perPacket: number;
  #left: number;

  constructor(max: number, perPacket: number) {
    this.#max = max;
    this.#perPacket = perPacket;
    this.#left = max;
  }

  /** A packet was sent. */
  earn(): void {
    this.#left = Math.min(this.#max, this.#left + this.#perPacket);
  }

  /** Takes so much of it. @returns false when that is not there: nothing is taken then */
  take(count: number): boolean {
    if (count > this.#left) return false;
    this.#left -= count;
    return true;
  }
}
