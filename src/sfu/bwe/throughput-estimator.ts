/** Time of arrival that one measurement covers. */
export const THROUGHPUT_WINDOW_US = 250_000;
/** With fewer packets in it the window reaches further back, up to `MAX_WINDOW_US`. */
const MIN_WINDOW_PACKETS = 10;
const MAX_WINDOW_US = 1_000_000;
/** Nothing is said before so much time is covered. */
const MIN_COVERED_US = 40_000;
/** Arrivals held; at 1,200 bytes enough for 300 Mb/s in the shortest window. */
export const MAX_ARRIVALS = 8192;

const INITIAL_ARRIVALS = 64;

/**
 * The rate at which packets arrive at the other end ("acknowledged bitrate", draft-ietf-rmcat-gcc-02 §5.5), measured
 * between arrivals by the receiver's clock. While a queue stands this is what the link carries for us.
 */
export class ThroughputEstimator {
  #arrivalUs = new Float64Array(INITIAL_ARRIVALS);
  #sizeBytes = new Int32Array(INITIAL_ARRIVALS);
  #first = 0;
  #end = 0;

  /** Takes the packets in any order; one that is overtaken counts at the time of its successor. */
  add(arrivalUs: number, sizeBytes: number): void {
    let atUs = arrivalUs;
    if (this.#end > this.#first) {
      const lastUs = this.#arrivalUs[(this.#end - 1) & (this.#arrivalUs.length - 1)]!;
      if (Math.abs(arrivalUs - lastUs) > MAX_WINDOW_US) this.reset();
      else atUs = Math.max(arrivalUs, lastUs);
    }
    if (this.#end - this.#first === this.#arrivalUs.length) this.#makeRoom();
    const slot = this.#end++ & (this.#arrivalUs.length - 1);
    this.#arrivalUs[slot] = atUs;
    this.#sizeBytes[slot] = sizeBytes;
    this.#drop(atUs);
  }

  /** Bits a second over the window, or `undefined` before there is enough to say. */
  get bitrateBps(): number | undefined {
    const mask = this.#arrivalUs.length - 1;
    if (this.#end - this.#first < 2) return undefined;
    const lastUs = this.#arrivalUs[(this.#end - 1) & mask]!;
    const coveredUs = lastUs - this.#arrivalUs[this.#first & mask]!;
    if (coveredUs < MIN_COVERED_US) return undefined;
    // What the first one brought came before the time that is covered.
    let bytes = 0;
    for (let i = this.#first + 1; i < this.#end; i++) bytes += this.#sizeBytes[i & mask]!;
    return (bytes * 8e6) / coveredUs;
  }

  /** Forgets all arrivals. */
  reset(): void {
    this.#first = this.#end;
  }

  #drop(nowUs: number): void {
    const mask = this.#arrivalUs.length - 1;
    while (this.#end - this.#first > 2) {
      const ageUs = nowUs - this.#arrivalUs[(this.#first + 1) & mask]!;
      const isEnough = this.#end - this.#first > MIN_WINDOW_PACKETS && ageUs >= THROUGHPUT_WINDOW_US;
      if (!isEnough && ageUs < MAX_WINDOW_US) return;
      this.#first++;
    }
  }

  #makeRoom(): void {
    const { length } = this.#arrivalUs;
    if (length === MAX_ARRIVALS) {
      this.#first++;
      return;
    }
    const arrivalUs = new Float64Array(length * 2);
    const sizeBytes = new Int32Array(length * 2);
    for (let i = this.#first; i < this.#end; i++) {
      arrivalUs[i & (length * 2 - 1)] = this.#arrivalUs[i & (length - 1)]!;
      sizeBytes[i & (length * 2 - 1)] = this.#sizeBytes[i & (length - 1)]!;
    }
    this.#arrivalUs = arrivalUs;
    this.#sizeBytes = sizeBytes;
  }
}
