import { DATA_FLAG } from './chunk-type.ts';

/** A fragment of a message that is not whole yet. The payload is a copy. */
export interface Fragment {
  readonly flags: number;
  readonly streamId: number;
  readonly ssn: number;
  readonly ppid: number;
  readonly payload: Uint8Array;
}

/** Fragments one after another. */
interface Run {
  first: number;
  last: number;
  sizeBytes: number;
}

/** Payload and fragments that were forgotten. */
export interface Dropped {
  sizeBytes: number;
  fragments: number;
}

/** A message put together from its fragments. */
export interface WholeMessage {
  readonly streamId: number;
  readonly isUnordered: boolean;
  /** SSN or MID. */
  readonly sequence: number;
  readonly ppid: number;
  readonly bytes: Uint8Array;
  /** What its fragments took of the window, beside `bytes.length`. */
  readonly fragments: number;
}

/**
 * Fragments of DATA chunks by the index of their TSN, joined to runs: the fragments of one message have TSNs one after
 * another (RFC 9260 §6.9). Adding one takes the same time however many are held.
 */
export class FragmentRuns {
  readonly #fragments = new Map<number, Fragment>();
  /** Each run by its first and by its last index. */
  readonly #runs = new Map<number, Run>();
  /** A fragment that continues what ends here belongs to a message that was given up; −1 for none. */
  #orphansAfter = -1;

  /** Fragments held. */
  get size(): number {
    return this.#fragments.size;
  }

  /**
   * Takes a fragment of a message given up, of which nothing is kept, with those that came before it out of order. Gives
   * what was dropped, or undefined when the fragment belongs to another message and is to be added.
   */
  takeOrphan(index: number, flags: number): Dropped | undefined {
    if (this.#orphansAfter < 0 || index !== this.#orphansAfter + 1) return undefined;
    if ((flags & DATA_FLAG.begin) !== 0) return undefined;
    this.#orphansAfter = (flags & DATA_FLAG.end) !== 0 ? -1 : index;
    const dropped = { sizeBytes: 0, fragments: 0 };
    this.#dropOrphans(dropped);
    return dropped;
  }

  /** Adds a fragment and gives the run it is now part of: whole when it begins with B and ends with E. */
  add(index: number, fragment: Fragment): Run {
    this.#fragments.set(index, fragment);
    let run: Run = { first: index, last: index, sizeBytes: fragment.payload.length };
    const before = (fragment.flags & DATA_FLAG.begin) === 0 ? this.#neighbour(index - 1, fragment) : undefined;
    if (before !== undefined && (this.#fragments.get(before.last)!.flags & DATA_FLAG.end) === 0) {
      if (before.last !== before.first) this.#runs.delete(before.last);
      before.last = index;
      before.sizeBytes += run.sizeBytes;
      run = before;
    }
    const after = (fragment.flags & DATA_FLAG.end) === 0 ? this.#neighbour(index + 1, fragment) : undefined;
    if (after !== undefined && (this.#fragments.get(after.first)!.flags & DATA_FLAG.begin) === 0) {
      this.#runs.delete(after.first);
      run.last = after.last;
      run.sizeBytes += after.sizeBytes;
    }
    this.#runs.set(run.first, run);
    this.#runs.set(run.last, run);
    return run;
  }

  isWhole(run: Run): boolean {
    const first = this.#fragments.get(run.first)!;
    const last = this.#fragments.get(run.last)!;
    return (first.flags & DATA_FLAG.begin) !== 0 && (last.flags & DATA_FLAG.end) !== 0;
  }

  /** Removes a whole run and gives its message. */
  take(run: Run): WholeMessage {
    const { streamId, ssn, ppid, flags } = this.#fragments.get(run.first)!;
    const bytes = new Uint8Array(run.sizeBytes);
    let at = 0;
    for (let index = run.first; index <= run.last; index++) {
      const { payload } = this.#fragments.get(index)!;
      bytes.set(payload, at);
      at += payload.length;
      this.#fragments.delete(index);
    }
    this.#runs.delete(run.first);
    this.#runs.delete(run.last);
    const isUnordered = (flags & DATA_FLAG.unordered) !== 0;
    return { streamId, isUnordered, sequence: ssn, ppid, bytes, fragments: run.last - run.first + 1 };
  }

  /**
   * Forgets every message that has a TSN after `from` up to `to`, or whose last fragment so far is at `from`
   * (FORWARD-TSN). Gives what was dropped.
   */
  discard(from: number, to: number): Dropped {
    const dropped = { sizeBytes: 0, fragments: 0 };
    this.#orphansAfter = to;
    if (to - from > this.#runs.size) {
      // A map may lose entries while it is walked; each run is met once, then it is gone.
      for (const run of this.#runs.values()) {
        if (run.last < from || run.first > to) continue;
        if (run.last >= to) this.#leaveOrphans(run.last);
        this.#drop(run, dropped);
      }
      this.#dropOrphans(dropped);
      return dropped;
    }
    for (let index = from; index <= to; index++) {
      const run = this.#runs.get(index);
      if (run === undefined) continue;
      if (run.last >= to) this.#leaveOrphans(run.last);
      this.#drop(run, dropped);
    }
    this.#dropOrphans(dropped);
    return dropped;
  }

  /** What came of a message given up beyond where it was given up. */
  #dropOrphans(dropped: Dropped): void {
    const after = this.#orphansAfter < 0 ? undefined : this.#runs.get(this.#orphansAfter + 1);
    if (after === undefined || (this.#fragments.get(after.first)!.flags & DATA_FLAG.begin) !== 0) return;
    this.#leaveOrphans(after.last);
    this.#drop(after, dropped);
  }

  #drop(run: Run, dropped: Dropped): void {
    dropped.sizeBytes += run.sizeBytes;
    dropped.fragments += run.last - run.first + 1;
    for (let index = run.first; index <= run.last; index++) this.#fragments.delete(index);
    this.#runs.delete(run.first);
    this.#runs.delete(run.last);
  }

  #leaveOrphans(last: number): void {
    this.#orphansAfter = (this.#fragments.get(last)!.flags & DATA_FLAG.end) !== 0 ? -1 : last;
  }

  /** The run with an end at `index`, if it can be of the same message as `fragment`. */
  #neighbour(index: number, fragment: Fragment): Run | undefined {
    const run = this.#runs.get(index);
    if (run === undefined) return undefined;
    const other = this.#fragments.get(index)!;
    const isSame =
      other.streamId === fragment.streamId &&
      other.ssn === fragment.ssn &&
      ((other.flags ^ fragment.flags) & DATA_FLAG.unordered) === 0;
    return isSame ? run : undefined;
  }
}
