/**
 * A queue whose items keep their number: the first item ever appended is 0, the next 1, and so on for ever. Items are
 * dropped from the front only. The ring doubles when full and never shrinks below what it once held.
 */
export class IndexedRing<T> {
  #slots: (T | undefined)[];
  #mask: number;
  #first: number;
  #end: number;

  /** `start` is the number the first appended item gets (default 0). */
  constructor(start = 0) {
    this.#slots = Array.from<T | undefined>({ length: 16 });
    this.#mask = 15;
    this.#first = start;
    this.#end = start;
  }

  /** Number of the oldest item still held; equal to `end` when empty. */
  get first(): number {
    return this.#first;
  }

  /** Number the next appended item will get. */
  get end(): number {
    return this.#end;
  }

  get length(): number {
    return this.#end - this.#first;
  }

  append(item: T): number {
    if (this.#end - this.#first > this.#mask) this.#grow();
    const index = this.#end;
    this.#slots[index & this.#mask] = item;
    this.#end = index + 1;
    return index;
  }

  /** The item with this number, or undefined when it was dropped or is not there yet. */
  at(index: number): T | undefined {
    if (index < this.#first || index >= this.#end) return undefined;
    return this.#slots[index & this.#mask];
  }

  /** Drops every item numbered below `index`. */
  dropBefore(index: number): void {
    const until = Math.min(index, this.#end);
    for (let i = this.#first; i < until; i++) this.#slots[i & this.#mask] = undefined;
    if (until > this.#first) this.#first = until;
  }

  #grow(): void {
    const grown = Array.from<T | undefined>({ length: this.#slots.length * 2 });
    const mask = grown.length - 1;
    for (let i = this.#first; i < this.#end; i++) grown[i & mask] = this.#slots[i & this.#mask];
    this.#slots = grown;
    this.#mask = mask;
  }
}
