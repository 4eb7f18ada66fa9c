/** Time as the media core sees it: injected, so that tests run in virtual time. `io/` has the real one. */
export interface Clock {
  /** Milliseconds on a monotonic clock; only differences mean something. */
  nowMs(): number;
  /** Calls `task` about every `intervalMs` until the returned function is called. */
  every(intervalMs: number, task: () => void): () => void;
  /** Calls `task` once after `delayMs` unless the returned function is called before. */
  after(delayMs: number, task: () => void): () => void;
  /** Calls `task` once, when the current piece of work has run to its end. */
  soon(task: () => void): void;
}
