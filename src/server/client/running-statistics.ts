/** Mean and standard deviation of values that are not kept (Welford's method). */
export class RunningDeviation {
  #count = 0;
  #mean = 0;
  #squares = 0;

  push(value: number): void {
    this.#count++;
    const distance = value - this.#mean;
    this.#mean += distance / this.#count;
    this.#squares += distance * (value - this.#mean);
  }

  get count(): number {
    return this.#count;
  }

  /** Of the values themselves, not an estimate for more of them; 0 for fewer than two. */
  get standardDeviation(): number {
    return this.#count === 0 ? 0 : Math.sqrt(this.#squares / this.#count);
  }
}

/** The slope of the straight line that fits points best by least squares, without keeping them. */
export class RunningSlope {
  #count = 0;
  #meanX = 0;
  #meanY = 0;
  #squaresX = 0;
  #products = 0;

  push(x: number, y: number): void {
    this.#count++;
    const distanceX = x - this.#meanX;
    this.#meanX += distanceX / this.#count;
    this.#squaresX += distanceX * (x - this.#meanX);
    this.#meanY += (y - this.#meanY) / this.#count;
    this.#products += distanceX * (y - this.#meanY);
  }

  /** Undefined while all points have the same x. */
  get slope(): number | undefined {
    return this.#squaresX === 0 ? undefined : this.#products / this.#squaresX;
  }
}
