/** Time as the SFU sees it. */
export interface SfuClock {
  /** Milliseconds on a clock that does not go back. */
  nowMs(): number;
  /** A timer that is set again and again. */
  timer(task: () => void): SfuTimer;
}

/** Calls its task once each time it was started, a little later than it was asked for. */
export interface SfuTimer {
  /** At this time of the clock, and not when it was to before. */
  start(dueMs: number): void;
  /** Not at all, and never again. */
  close(): void;
}

/** What the objects of a router need of the world. */
export interface RouterEnvironment {
  readonly clock: SfuClock;
  /** Runs `task` when the packets that came together have been taken, before the program does anything else. */
  afterBurst(task: () => void): void;
  /** The wall clock, milliseconds since 1970; it goes as evenly as `clock` does. */
  unixMs(): number;
  /** 0–1, without 1. */
  random(): number;
  /** For a packet: another one for each of the worker, an unsigned number of 32 bits. */
  nextPacketId(): number;
  /** Tells control of something that happened to an object. */
  notify(targetId: string, event: string, data?: unknown): void;
  /** The same with bytes, which are good during the call only. */
  notifyPayload(targetId: string, event: string, data: unknown, payload: Uint8Array): void;
}

/** Codes of the `StateError`s that requests to objects of the SFU end with. */
export type SfuErrorCode =
  /** Another object has the id, the SSRC, the mid or the stream. */
  | 'sfu/taken'
  /** There is no such object. */
  | 'sfu/not-found'
  /** What is asked for does not fit this object. */
  | 'sfu/bad-request'
  /** It is asked for a second time. */
  | 'sfu/wrong-state';

/** A timer that runs at the earliest time it was asked for. */
export class EarliestTimer {
  readonly #timer: SfuTimer;
  #dueMs: number = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(clock: SfuClock, task: () => void) {
    this.#timer = clock.timer(() => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      task();
    });
  }

  /** Runs at `dueMs` or earlier. */
  plan(dueMs: number | undefined): void {
    if (dueMs === undefined || dueMs >= this.#dueMs || this.#isClosed) return;
    this.#dueMs = dueMs;
    this.#timer.start(dueMs);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer.close();
  }
}
