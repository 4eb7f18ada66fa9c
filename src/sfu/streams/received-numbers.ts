import { MAX_DROPOUT, MAX_MISORDER } from '../../protocol/rtp/reorder-buffer.ts';
import { unwrap16 } from '../../wire/sequence-number.ts';

const WINDOW = 1024;

/** What a sequence number is to those before it. */
export type NumberVerdict =
  | 'newest'
  /** Behind the newest, for the first time. */
  | 'late'
  /** So far behind that only the one who asked for it knows what it is. */
  | 'overdue'
  | 'duplicate'
  /** Too far from the others to belong to them. */
  | 'foreign'
  /** The second of its kind in a row that is far from the others: the source has begun anew here. */
  | 'restart';

/** Which packets of a stream have come: tells first ones from second ones, and a source that begins anew (RFC 3550 §A.1). */
export class ReceivedNumbers {
  readonly #seen = new Float64Array(WINDOW).fill(Number.NaN);
  #newest: number | undefined;
  #suspectNext = -1;

  /**
   * Counts a packet in.
   * @param isExpected it was asked for: it may be further behind than others, and tells nothing of a new beginning
   */
  receive(sequenceNumber: number, isExpected = false): NumberVerdict {
    if (isExpected) return this.receiveRepair(sequenceNumber, true);
    if (this.#newest === undefined) return this.#note(sequenceNumber, 'newest');
    const number = unwrap16(sequenceNumber, this.#newest);
    if (this.#isNear(number)) return this.#noteOnce(number);
    const isRestart = sequenceNumber === this.#suspectNext;
    this.#suspectNext = (sequenceNumber + 1) & 0xffff;
    if (!isRestart) return 'foreign';
    this.#seen.fill(Number.NaN);
    return this.#note(sequenceNumber, 'restart');
  }

  /** Counts in what was sent again, which never tells of a new beginning. */
  receiveRepair(sequenceNumber: number, isExpected: boolean): NumberVerdict {
    if (this.#newest === undefined) return 'foreign';
    const number = unwrap16(sequenceNumber, this.#newest);
    if (this.#isNear(number)) return this.#noteOnce(number);
    return isExpected ? 'overdue' : 'foreign';
  }

  #isNear(number: number): boolean {
    const ahead = number - this.#newest!;
    return ahead < MAX_DROPOUT && ahead >= -MAX_MISORDER;
  }

  #noteOnce(number: number): NumberVerdict {
    if (number > this.#newest!) return this.#note(number, 'newest');
    const slot = ((number % WINDOW) + WINDOW) % WINDOW;
    if (this.#seen[slot] === number) return 'duplicate';
    this.#seen[slot] = number;
    return 'late';
  }

  #note(number: number, verdict: NumberVerdict): NumberVerdict {
    this.#newest = number;
    this.#suspectNext = -1;
    this.#seen[((number % WINDOW) + WINDOW) % WINDOW] = number;
    return verdict;
  }
}
