import { equalBytes } from '../../wire/equal-bytes.ts';
import { type IceTuple, isSameTuple } from './ice-tuple.ts';

/** Requests remembered; at a check every 2.5 s on each of two paths these are some 80 s. */
export const MAX_RECENT_TRANSACTIONS = 64;

/** The last genuine requests and the paths they came by, so that one sent again from elsewhere is known for a copy. */
export class RecentTransactions<T extends IceTuple> {
  readonly #entries: { readonly transactionId: Uint8Array; readonly tuple: T }[] = [];
  #next = 0;

  /** Remembers a request, and tells whether it has come before, and by which path. */
  add(transactionId: Uint8Array, tuple: T): 'new' | 'repeated' | 'from-elsewhere' {
    for (const entry of this.#entries) {
      if (!equalBytes(entry.transactionId, transactionId)) continue;
      return isSameTuple(entry.tuple, tuple) ? 'repeated' : 'from-elsewhere';
    }
    this.#entries[this.#next] = { transactionId: transactionId.slice(), tuple };
    this.#next = (this.#next + 1) % MAX_RECENT_TRANSACTIONS;
    return 'new';
  }
}
