/** How far back records may come late, records. A power of two. */
export const REPLAY_WINDOW_RECORDS = 128;

const WORD_BITS = 32;

/**
 * Remembers which sequence numbers have been taken (RFC 6347 §4.1.2.6). What lies further back than the window counts as
 * taken. Numbers go in only after their record is authenticated.
 */
export class ReplayWindow {
  #highest = -1;
  /** One bit for each of the last numbers, at the number modulo the window. */
  readonly #taken: Uint32Array = new Uint32Array(REPLAY_WINDOW_RECORDS / WORD_BITS);

  /** Whether the record must be dropped. */
  isTaken(sequenceNumber: number): boolean {
    const behind = this.#highest - sequenceNumber;
    if (behind < 0) return false;
    if (behind >= REPLAY_WINDOW_RECORDS) return true;
    const bit = sequenceNumber % REPLAY_WINDOW_RECORDS;
    return ((this.#taken[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
  }

  /** Marks a number that `isTaken` says is new. */
  take(sequenceNumber: number): void {
    if (sequenceNumber > this.#highest) {
      const skipped = Math.min(sequenceNumber - this.#highest, REPLAY_WINDOW_RECORDS);
      for (let i = 0; i < skipped; i++) {
        const bit = (sequenceNumber - i) % REPLAY_WINDOW_RECORDS;
        this.#taken[bit >>> 5]! &= ~(1 << (bit & 31));
      }
      this.#highest = sequenceNumber;
    }
    const bit = sequenceNumber % REPLAY_WINDOW_RECORDS;
    this.#taken[bit >>> 5]! |= 1 << (bit & 31);
  }
}
