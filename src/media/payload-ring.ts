/** Bytes a ring starts with. */
const INITIAL_SIZE_BYTES = 65_536;

/**
 * Bytes of variable-sized pieces in one buffer, taken in order and given back in the same order. Pieces are contiguous:
 * one that does not fit at the end begins at 0 again. What the collector sees is one buffer, whatever goes through it.
 */
export class PayloadRing {
  #bytes = new Uint8Array(0);
  /** Where the next piece goes. */
  #head = 0;
  /** Where the oldest piece begins; pieces lie in [tail, head), or in [tail, end) and [0, head) when wrapped. */
  #tail = 0;
  #isWrapped = false;

  /** Size of the buffer, bytes. */
  get capacityBytes(): number {
    return this.#bytes.length;
  }

  /** Copies `piece` in and gives its offset, or -1 when there is no room: `enlarge`, and try again. */
  put(piece: Uint8Array): number {
    const size = piece.length;
    if (!this.#isWrapped && this.#bytes.length - this.#head < size && this.#tail >= size) {
      this.#isWrapped = true;
      this.#head = 0;
    }
    const limit = this.#isWrapped ? this.#tail : this.#bytes.length;
    if (limit - this.#head < size) return -1;
    const offset = this.#head;
    this.#bytes.set(piece, offset);
    this.#head = offset + size;
    return offset;
  }

  /** A view of a piece, valid until the piece is given back. */
  view(offset: number, sizeBytes: number): Uint8Array {
    return this.#bytes.subarray(offset, offset + sizeBytes);
  }

  /** Gives back all pieces before the one at `offset`, which is then the oldest. */
  releaseBefore(offset: number): void {
    if (this.#isWrapped && offset < this.#tail) this.#isWrapped = false;
    this.#tail = offset;
  }

  /** Gives back all pieces, and the buffer too when `shrink` is set. */
  clear(shrink: boolean): void {
    this.#head = 0;
    this.#tail = 0;
    this.#isWrapped = false;
    if (shrink) this.#bytes = new Uint8Array(0);
  }

  /**
   * Moves to a buffer with room for `neededBytes` more. The pieces are put anew, in order: `pieces` gives their views and
   * is told each one's new offset.
   */
  enlarge(neededBytes: number, pieces: Iterable<{ readonly bytes: Uint8Array; moved(offset: number): void }>): void {
    const all = [...pieces];
    const liveBytes = all.reduce((sum, piece) => sum + piece.bytes.length, 0);
    const grown = Math.max(INITIAL_SIZE_BYTES, Math.ceil(this.#bytes.length * 1.5), 2 * neededBytes + liveBytes);
    this.#bytes = new Uint8Array(grown);
    this.clear(false);
    for (const piece of all) piece.moved(this.put(piece.bytes));
  }
}
