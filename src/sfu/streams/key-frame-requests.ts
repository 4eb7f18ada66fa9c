/** A key frame that did not come so long after it was asked for is asked for once more, milliseconds. */
export const KEY_FRAME_RETRY_MS = 1000;

/** Most sources that are kept in mind; a producer has no more encodings. */
export const MAX_KEY_FRAME_SOURCES = 64;

interface PendingRequest {
  /** When it is seen whether to ask again. */
  dueMs: number;
  /** Ask again then. Requests of others in the meantime set it. */
  isRetried: boolean;
}

/** Requests of the time after one was sent, when a delay between them is wanted. */
interface HeldRequest {
  readonly untilMs: number;
  isWanted: boolean;
}

/**
 * When the sender of a stream is asked for a key frame (PLI, FIR): many consumers want one at a time, and one request is
 * enough. One that is not answered is repeated.
 */
export class KeyFrameRequests {
  readonly #delayMs: number;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #held = new Map<number, HeldRequest>();

  /** @param delayMs between two requests to one source; the `keyFrameRequestDelay` of a producer, default 0 */
  constructor(delayMs = 0) {
    this.#delayMs = delayMs;
  }

  /** Somebody wants a key frame of a source. @returns whether to ask the sender now */
  request(ssrc: number, nowMs: number): boolean {
    const held = this.#held.get(ssrc);
    if (held !== undefined && nowMs < held.untilMs) {
      held.isWanted = true;
      return false;
    }
    this.#hold(ssrc, nowMs);
    const pending = this.#pending.get(ssrc);
    if (pending !== undefined) {
      pending.isRetried = true;
      return false;
    }
    if (this.#pending.size >= MAX_KEY_FRAME_SOURCES) return false;
    this.#pending.set(ssrc, { dueMs: nowMs + KEY_FRAME_RETRY_MS, isRetried: true });
    return true;
  }

  /** Like `request`, but asks even if a request is under way: the stream was just switched on, say. */
  force(ssrc: number, nowMs: number): boolean {
    const pending = this.#pending.get(ssrc);
    if (pending === undefined) return this.request(ssrc, nowMs);
    this.#hold(ssrc, nowMs);
    pending.dueMs = nowMs + KEY_FRAME_RETRY_MS;
    pending.isRetried = true;
    return true;
  }

  /** A key frame came. */
  receive(ssrc: number): void {
    this.#pending.delete(ssrc);
  }

  /** The source is gone. */
  forget(ssrc: number): void {
    this.#pending.delete(ssrc);
    this.#held.delete(ssrc);
  }

  /** When `takeDue` may have something, if nothing comes before. */
  nextTimeoutMs(): number | undefined {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#pending.values()) nextMs = Math.min(nextMs, dueMs);
    for (const { untilMs } of this.#held.values()) nextMs = Math.min(nextMs, untilMs);
    return nextMs === Number.POSITIVE_INFINITY ? undefined : nextMs;
  }

  /** Sources whose sender is to be asked now. */
  takeDue(nowMs: number): readonly number[] {
    const due: number[] = [];
    for (const [ssrc, pending] of this.#pending) {
      if (nowMs < pending.dueMs) continue;
      if (!pending.isRetried) {
        this.#pending.delete(ssrc);
        continue;
      }
      pending.isRetried = false;
      pending.dueMs = nowMs + KEY_FRAME_RETRY_MS;
      due.push(ssrc);
    }
    for (const [ssrc, held] of this.#held) {
      if (nowMs < held.untilMs) continue;
      this.#held.delete(ssrc);
      if (held.isWanted && this.request(ssrc, nowMs) && !due.includes(ssrc)) due.push(ssrc);
    }
    return due;
  }

  #hold(ssrc: number, nowMs: number): void {
    if (this.#delayMs > 0 && this.#held.size < MAX_KEY_FRAME_SOURCES) {
      this.#held.set(ssrc, { untilMs: nowMs + this.#delayMs, isWanted: false });
    }
  }
}
