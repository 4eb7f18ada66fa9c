import { diff32 } from '../../wire/sequence-number.ts';

/**
 * Timestamps of what is forwarded, where one source follows another: those of the first are as they come, and those of the
 * next go on from there, as much later as it came later.
 */
export class TimestampRewriter {
  readonly #ticksPerMs: number;
  #offset = 0;
  #newest: number | undefined;
  #newestMs = 0;

  /** @param clockRate of the timestamps, units a second */
  constructor(clockRate: number) {
    this.#ticksPerMs = clockRate / 1000;
  }

  /** Another source begins with this timestamp. */
  sync(timestamp: number, nowMs: number): void {
    if (this.#newest === undefined) return;
    const elapsed = Math.max(1, Math.round((nowMs - this.#newestMs) * this.#ticksPerMs));
    this.#offset = (this.#newest + elapsed - timestamp) | 0;
  }

  /** The timestamp, 32 bits, that a packet is sent with now. */
  rewrite(timestamp: number, nowMs: number): number {
    const output = (timestamp + this.#offset) >>> 0;
    if (this.#newest === undefined || diff32(output, this.#newest) > 0) {
      this.#newest = output;
      this.#newestMs = nowMs;
    }
    return output;
  }
}
