import { setU16, setU32 } from '../../wire/big-endian.ts';
import { diff32 } from '../../wire/sequence-number.ts';
import { MAX_DUPLICATES_REPORTED, MAX_GAP_RANGES, MAX_TSN_AHEAD } from './sctp-limits.ts';

/** What became of a chunk's TSN. */
export type Arrival = 'new' | 'duplicate' | 'out-of-range';

/**
 * Which TSNs have come (RFC 9260 §6.2). TSNs are counted from the peer's first, which has index 0, so that nothing here
 * wraps: index −1 is the cumulative TSN of an association that has received nothing.
 */
export class ReceivedTsns {
  readonly #initialTsn: number;
  /** Index up to which everything has come. */
  cumulative = -1;
  /** Ranges beyond it, first and last index, ascending and never touching. */
  readonly #firsts: number[] = [];
  readonly #lasts: number[] = [];
  readonly #duplicates: number[] = [];

  constructor(initialTsn: number) {
    this.#initialTsn = initialTsn;
  }

  /** Whether something is missing before what has come. */
  get hasGaps(): boolean {
    return this.#firsts.length > 0;
  }

  /** Ranges received beyond a gap. */
  get gapRanges(): number {
    return this.#firsts.length;
  }

  get duplicates(): number {
    return this.#duplicates.length;
  }

  get cumulativeTsn(): number {
    return (this.#initialTsn + this.cumulative) >>> 0;
  }

  /** The index of a TSN, the nearest to what has come. Negative for what was never sent. */
  indexOf(tsn: number): number {
    return this.cumulative + diff32(tsn, this.#initialTsn + this.cumulative);
  }

  /** Highest index that has come. */
  get highest(): number {
    return this.#lasts.length === 0 ? this.cumulative : this.#lasts[this.#lasts.length - 1]!;
  }

  /** What `add` would say, without doing it. */
  look(index: number): Arrival {
    if (index <= this.cumulative) return 'duplicate';
    if (index > this.cumulative + MAX_TSN_AHEAD) return 'out-of-range';
    const before = this.#rangeBefore(index + 1);
    if (before >= 0 && this.#lasts[before]! >= index) return 'duplicate';
    if (index === this.cumulative + 1 || this.#firsts.length < MAX_GAP_RANGES) return 'new';
    const extends_ = (before >= 0 && this.#lasts[before] === index - 1) || this.#firsts[before + 1] === index + 1;
    return extends_ ? 'new' : 'out-of-range';
  }

  /** Remembers an index of which `look` said `new`. */
  add(index: number): void {
    if (index === this.cumulative + 1) {
      this.cumulative = index;
      if (this.#firsts.length > 0) this.#swallow();
      return;
    }
    const before = this.#rangeBefore(index);
    const after = before + 1;
    const joinsBefore = before >= 0 && this.#lasts[before] === index - 1;
    const joinsAfter = this.#firsts[after] === index + 1;
    if (joinsBefore && joinsAfter) {
      this.#lasts[before] = this.#lasts[after]!;
      this.#firsts.splice(after, 1);
      this.#lasts.splice(after, 1);
    } else if (joinsBefore) this.#lasts[before] = index;
    else if (joinsAfter) this.#firsts[after] = index;
    else {
      this.#firsts.splice(after, 0, index);
      this.#lasts.splice(after, 0, index);
    }
  }

  /** Remembers a TSN that came again, to be reported. */
  addDuplicate(tsn: number): void {
    if (this.#duplicates.length < MAX_DUPLICATES_REPORTED) this.#duplicates.push(tsn);
  }

  /** Takes everything up to `index` as received (FORWARD-TSN). */
  skipTo(index: number): void {
    if (index <= this.cumulative) return;
    this.cumulative = index;
    this.#swallow();
  }

  /** Writes the first `count` gap blocks at `at`; `count` is at most `gapRanges`. */
  writeGapBlocks(bytes: Uint8Array, at: number, count: number): void {
    for (let i = 0; i < count; i++) {
      setU16(bytes, at + 4 * i, this.#firsts[i]! - this.cumulative);
      setU16(bytes, at + 4 * i + 2, this.#lasts[i]! - this.cumulative);
    }
  }

  /** Writes the first `count` duplicates at `at` and forgets all. */
  writeDuplicates(bytes: Uint8Array, at: number, count: number): void {
    for (let i = 0; i < count; i++) setU32(bytes, at + 4 * i, this.#duplicates[i]!);
    this.#duplicates.length = 0;
  }

  /** Position of the last range that starts below `index`, −1 for none. Looked for from the end, where new chunks are. */
  #rangeBefore(index: number): number {
    let at = this.#firsts.length - 1;
    while (at >= 0 && this.#firsts[at]! >= index) at--;
    return at;
  }

  /** Removes the ranges that the cumulative index has reached, and goes on to the end of the one it touches. */
  #swallow(): void {
    let gone = 0;
    while (gone < this.#firsts.length && this.#firsts[gone]! <= this.cumulative + 1) {
      this.cumulative = Math.max(this.cumulative, this.#lasts[gone]!);
      gone++;
    }
    if (gone === 0) return;
    this.#firsts.splice(0, gone);
    this.#lasts.splice(0, gone);
  }
}
