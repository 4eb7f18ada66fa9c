/** Part of the target below which a source limits itself. */
const LIMITED_PART = 0.65;
/** Unused budget, as a part of the window, at which the region starts and ends. */
const START_LEVEL = 0.8;
const END_LEVEL = 0.5;
/** Budget of more time than this is not kept, and a debt of more neither. */
const WINDOW_US = 500_000;

/**
 * Notices an application-limited region: a source that sends much less than it may, so that what arrives says nothing
 * about what the path can carry. A budget grows by a part of the target and shrinks by what is sent.
 */
export class AlrDetector {
  #targetBps: number;
  #budgetBytes = 0;
  #lastUs: number | undefined;
  #sinceUs: number | undefined;

  constructor(targetBps: number) {
    this.#targetBps = targetBps;
  }

  /** When the region began, `undefined` outside of one. */
  get sinceUs(): number | undefined {
    return this.#sinceUs;
  }

  get isLimited(): boolean {
    return this.#sinceUs !== undefined;
  }

  setTarget(targetBps: number): void {
    this.#targetBps = targetBps;
  }

  /** Something was sent, or (with 0 bytes) time passed. */
  onSent(sizeBytes: number, nowUs: number): void {
    const elapsedUs = Math.min(Math.max(nowUs - (this.#lastUs ?? nowUs), 0), WINDOW_US);
    this.#lastUs = nowUs;
    const perUs = (this.#targetBps * LIMITED_PART) / 8e6;
    const fullBytes = perUs * WINDOW_US;
    const budget = this.#budgetBytes + perUs * elapsedUs - sizeBytes;
    this.#budgetBytes = Math.min(Math.max(budget, -fullBytes), fullBytes);
    if (fullBytes === 0) return;
    const level = this.#budgetBytes / fullBytes;
    if (level > START_LEVEL) this.#sinceUs ??= nowUs;
    else if (level < END_LEVEL) this.#sinceUs = undefined;
  }
}
