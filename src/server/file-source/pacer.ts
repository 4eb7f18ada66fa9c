import { sleep } from '../../io/sleep.ts';

/** A step of the timestamps larger than this is a hole in the file, not a time to wait, milliseconds. */
export const MAX_PACED_STEP_MS = 10_000;

/** Waits until a timestamp is due. */
export class Pacer {
  /** Time on the clock at which timestamp 0 is due. */
  #startMs: number | undefined;
  #lastMs = 0;

  /**
   * Resolves when `timestamp` (milliseconds, may grow without end) is due: with true, or with false, early, when the
   * signal aborts. The first timestamp is due at once.
   */
  async due(timestamp: number, signal: AbortSignal): Promise<boolean> {
    const nowMs = performance.now();
    if (this.#startMs === undefined || Math.abs(timestamp - this.#lastMs) > MAX_PACED_STEP_MS) {
      this.#startMs = nowMs - timestamp;
    }
    this.#lastMs = timestamp;
    const earlyMs = this.#startMs + timestamp - nowMs;
    return earlyMs > 1 ? sleep(earlyMs, signal) : !signal.aborted;
  }

  /** There was a pause: the next timestamp is due at once, and those behind it follow from there. */
  restart(): void {
    this.#startMs = undefined;
  }
}
