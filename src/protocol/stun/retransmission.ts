/** Shortest first wait for an answer (RFC 8445 §14.3). */
export const MIN_RETRANSMISSION_MS = 500;
/** Sendings of one request, Rc of RFC 8489 §6.2.1. */
export const MAX_SENDINGS = 7;
/** Waits, in first ones, after the last sending, Rm. */
const LAST_WAIT_FACTOR = 16;
/** How long an answer is waited for over TCP, Ti of RFC 8489 §6.2.2. */
export const RELIABLE_TIMEOUT_MS = 39_500;

export interface RetransmissionOptions {
  /** First wait, each further one is twice as long; default `MIN_RETRANSMISSION_MS`. */
  readonly firstWaitMs?: number;
  /** Longest wait but the last; default without a limit. */
  readonly maxWaitMs?: number;
  /** Whether the transport itself sends again: then the request goes once. Default false. */
  readonly isReliable?: boolean;
  /** 1 or more; default `MAX_SENDINGS`. */
  readonly maxSendings?: number;
}

/** When a request that was just sent goes again, and when nobody will answer any more (RFC 8489 §6.2). */
export class Retransmission {
  /** When `next` is to be asked. */
  dueMs: number;
  readonly #firstWaitMs: number;
  readonly #maxWaitMs: number;
  #waitMs: number;
  #left: number;

  constructor(sentMs: number, options: RetransmissionOptions = {}) {
    this.#firstWaitMs = options.firstWaitMs ?? MIN_RETRANSMISSION_MS;
    this.#maxWaitMs = Math.max(options.maxWaitMs ?? Number.POSITIVE_INFINITY, this.#firstWaitMs);
    this.#waitMs = this.#firstWaitMs;
    this.#left = options.isReliable === true ? 0 : (options.maxSendings ?? MAX_SENDINGS) - 1;
    this.dueMs = sentMs + (options.isReliable === true ? RELIABLE_TIMEOUT_MS : this.#waitMs);
  }

  /** What is due: send once more, or give up. */
  next(nowMs: number): 'send' | 'expired' {
    if (this.#left === 0) return 'expired';
    this.#left--;
    this.#waitMs = Math.min(this.#waitMs * 2, this.#maxWaitMs);
    this.dueMs = nowMs + (this.#left === 0 ? this.#firstWaitMs * LAST_WAIT_FACTOR : this.#waitMs);
    return 'send';
  }
}
