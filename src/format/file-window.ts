import type { RandomAccess } from './media-file.ts';

/** Bytes read from a file at a time. */
const READ_BYTES = 65_536;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** A sliding view of a file for readers that go through it from front to back and now and then jump. */
export class FileWindow {
  readonly #file: RandomAccess;
  #start = 0;
  #bytes: Uint8Array = NO_BYTES;

  constructor(file: RandomAccess) {
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  /**
   * A view of `sizeBytes` bytes from `offset` on, fewer only at the end of the file; more may be in it than asked for with
   * `atLeast`. Valid until the next call.
   * @throws ResourceError when the file can't be read
   */
  async view(offset: number, sizeBytes: number): Promise<Uint8Array> {
    await this.#cover(offset, sizeBytes);
    const from = offset - this.#start;
    return this.#bytes.subarray(from, from + sizeBytes);
  }

  /** Like `view`, with everything behind it that is in memory: for scans. */
  async atLeast(offset: number, sizeBytes: number): Promise<Uint8Array> {
    await this.#cover(offset, sizeBytes);
    return this.#bytes.subarray(offset - this.#start);
  }

  async #cover(offset: number, sizeBytes: number): Promise<void> {
    const from = Math.max(0, Math.min(offset, this.#file.sizeBytes));
    const end = Math.min(from + sizeBytes, this.#file.sizeBytes);
    const heldEnd = this.#start + this.#bytes.length;
    if (from >= this.#start && end <= heldEnd) return;
    const keepsTail = from >= this.#start && from < heldEnd;
    const tail = keepsTail ? this.#bytes.subarray(from - this.#start) : NO_BYTES;
    const read = await this.#file.read(from + tail.length, Math.max(READ_BYTES, end - from - tail.length));
    if (tail.length === 0) this.#bytes = read;
    else {
      this.#bytes = new Uint8Array(tail.length + read.length);
      this.#bytes.set(tail);
      this.#bytes.set(read, tail.length);
    }
    this.#start = from;
  }
}
