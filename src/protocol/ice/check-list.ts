import type { CandidatePair, IceRole } from './candidate-pair.ts';
import { type IceTuple, tupleKey } from './ice-tuple.ts';

/** Pairs of a session (RFC 8445 §6.1.2.5); beyond them the least preferred one that is idle makes room. */
export const MAX_CANDIDATE_PAIRS = 100;

/** The pairs of a session and whose turn it is (RFC 8445 §6.1.2, §6.1.4; RFC 8838 for those that come later). */
export class CheckList {
  readonly #pairs = new Map<string, CandidatePair>();
  /** Pairs whose check goes before all others (§6.1.4.1). */
  readonly #triggered: CandidatePair[] = [];

  get pairs(): IterableIterator<CandidatePair> {
    return this.#pairs.values();
  }

  find(tuple: IceTuple): CandidatePair | undefined {
    return this.#pairs.get(tupleKey(tuple));
  }

  /** Adds a pair unless there is one of the same path. @returns the one that is in the list; undefined without room */
  add(pair: CandidatePair, role: IceRole): CandidatePair | undefined {
    const known = this.find(pair.tuple);
    if (known !== undefined) return known;
    if (this.#pairs.size >= MAX_CANDIDATE_PAIRS && !this.#makeRoom(pair, role)) return undefined;
    this.#pairs.set(tupleKey(pair.tuple), pair);
    pair.state = this.#isFoundationBusy(pair.foundation) ? 'frozen' : 'waiting';
    return pair;
  }

  #makeRoom(newcomer: CandidatePair, role: IceRole): boolean {
    let worst = newcomer;
    for (const pair of this.#pairs.values()) {
      if (pair.state === 'failed') {
        worst = pair;
        break;
      }
      const isIdle = pair.state === 'frozen' || pair.state === 'waiting';
      if (isIdle && pair.priority(role) < worst.priority(role)) worst = pair;
    }
    if (worst === newcomer) return false;
    this.#pairs.delete(tupleKey(worst.tuple));
    this.#untrigger(worst);
    return true;
  }

  /** Whether a pair of this foundation is being checked, or about to be. */
  #isFoundationBusy(foundation: string): boolean {
    for (const pair of this.#pairs.values()) {
      const isBusy = pair.state === 'waiting' || pair.state === 'in-progress';
      if (isBusy && pair.foundation === foundation) return true;
    }
    return false;
  }

  /** Lets a pair's check be the next but those triggered before. */
  trigger(pair: CandidatePair): void {
    if (!this.#triggered.includes(pair)) this.#triggered.push(pair);
  }

  #untrigger(pair: CandidatePair): void {
    const at = this.#triggered.indexOf(pair);
    if (at >= 0) this.#triggered.splice(at, 1);
  }

  /** Whether `next` would give a pair. */
  get hasNext(): boolean {
    if (this.#triggered.length > 0) return true;
    for (const { state } of this.#pairs.values()) if (state === 'waiting' || state === 'frozen') return true;
    return false;
  }

  /** The pair to check now. */
  next(role: IceRole): CandidatePair | undefined {
    const triggered = this.#triggered.shift();
    if (triggered !== undefined) return triggered;
    const waiting = this.best('waiting', role);
    if (waiting !== undefined) return waiting;
    for (const pair of this.#pairs.values()) {
      if (pair.state === 'frozen' && !this.#isFoundationBusy(pair.foundation)) pair.state = 'waiting';
    }
    // When all that is frozen waits for checks in progress, there is no turn to be lost on waiting for them.
    return this.best('waiting', role) ?? this.best('frozen', role);
  }

  /** The most preferred pair of a state. */
  best(state: CandidatePair['state'], role: IceRole): CandidatePair | undefined {
    let best: CandidatePair | undefined;
    for (const pair of this.#pairs.values()) {
      if (pair.state !== state) continue;
      if (best === undefined || pair.priority(role) > best.priority(role)) best = pair;
    }
    return best;
  }

  /** What worked for one pair will work for the others of its foundation (§7.2.5.3.3). */
  unfreeze(foundation: string): void {
    for (const pair of this.#pairs.values()) {
      if (pair.state === 'frozen' && pair.foundation === foundation) pair.state = 'waiting';
    }
  }

  /** Pairs that wait for a turn or an answer. */
  get activeCount(): number {
    let count = 0;
    for (const { state } of this.#pairs.values()) if (state === 'waiting' || state === 'in-progress') count++;
    return count;
  }

  /** A pair was chosen: those that were not checked yet need not be (§8.1.2). */
  dropUnchecked(): void {
    this.#triggered.length = 0;
    for (const [key, { state }] of this.#pairs) {
      if (state === 'waiting' || state === 'frozen') this.#pairs.delete(key);
    }
  }
}
