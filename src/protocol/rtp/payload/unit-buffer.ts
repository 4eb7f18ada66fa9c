import { MAX_UNIT_SIZE } from './depacketizer.ts';

const INITIAL_BYTES = 4096;

/** Capacity kept from one unit to the next, so that one huge key frame does not hold its memory for ever. */
const MAX_KEPT_BYTES = 256 * 1024;

/** The bytes of a unit being put together: grows by doubling up to `MAX_UNIT_SIZE` and serves the next unit again. */
export class UnitBuffer {
  #bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What is held, as a view valid until the next call that changes it. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(sizeBytes: number): boolean {
    const needed = this.#length + sizeBytes;
    if (needed > MAX_UNIT_SIZE) return false;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(MAX_UNIT_SIZE, Math.max(needed, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    return true;
  }

  /** Appends `bytes[start..end]`; false, with nothing appended, when the unit would be too large. */
  append(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
    if (!this.#grow(end - start)) return false;
    this.#bytes.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.#length);
    this.#length += end - start;
    return true;
  }

  /** Appends one byte; false when the unit would be too large. */
  u8(value: number): boolean {
    if (!this.#grow(1)) return false;
    this.#bytes[this.#length++] = value;
    return true;
  }

  /** Appends 32 bits, big-endian; false when the unit would be too large. */
  u32(value: number): boolean {
    if (!this.#grow(4)) return false;
    this.#length += 4;
    this.patchU32(this.#length - 4, value);
    return true;
  }

  /** Writes 32 bits over what stands at `at`. */
  patchU32(at: number, value: number): void {
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
  }

  /** Cuts off everything from `length` on. */
  truncate(length: number): void {
    this.#length = Math.min(length, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = new Uint8Array(INITIAL_BYTES);
  }

  /** What is held as a buffer of its own, and clears. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.clear();
    return taken;
  }
}
