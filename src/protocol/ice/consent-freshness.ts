import type { CandidatePair } from './candidate-pair.ts';
import { DEFAULT_CONSENT_TIMEOUT_MS } from './ice-lite-agent.ts';

/** Mean time between two checks of consent; each wait is this ± 20 % (RFC 7675 §5.1). */
export const CONSENT_INTERVAL_MS = 5000;
/** Checks an answer is still taken for: all of 30 s at the shortest waits. */
const MAX_OUTSTANDING = 8;

/** Whether the peer still wants what we send by a pair (RFC 7675): asks each check once, and expires without answers. */
export class ConsentFreshness {
  readonly pair: CandidatePair;
  readonly #random: (sizeBytes: number) => Uint8Array;
  readonly #outstanding: string[] = [];
  #givenMs: number;
  #nextCheckMs: number;

  /** The check that found the pair gave the first consent. */
  constructor(pair: CandidatePair, random: (sizeBytes: number) => Uint8Array, nowMs: number) {
    this.pair = pair;
    this.#random = random;
    this.#givenMs = nowMs;
    this.#nextCheckMs = nowMs + this.#interval();
  }

  #interval(): number {
    const [byte = 128] = this.#random(1);
    return CONSENT_INTERVAL_MS * (0.8 + (0.4 * byte) / 255);
  }

  nextTimeoutMs(): number {
    return Math.min(this.#nextCheckMs, this.#givenMs + DEFAULT_CONSENT_TIMEOUT_MS);
  }

  /** What is due. */
  poll(nowMs: number): 'check' | 'expired' | undefined {
    if (nowMs >= this.#givenMs + DEFAULT_CONSENT_TIMEOUT_MS) return 'expired';
    if (nowMs < this.#nextCheckMs) return undefined;
    this.#nextCheckMs = nowMs + this.#interval();
    return 'check';
  }

  /** A check was sent. */
  sent(transaction: string): void {
    this.#outstanding.push(transaction);
    if (this.#outstanding.length > MAX_OUTSTANDING) this.#outstanding.shift();
  }

  isOutstanding(transaction: string): boolean {
    return this.#outstanding.includes(transaction);
  }

  /** A genuine answer came by the pair. Older checks need none any more. */
  given(transaction: string, nowMs: number): void {
    this.#outstanding.splice(0, this.#outstanding.indexOf(transaction) + 1);
    this.#givenMs = nowMs;
  }
}
