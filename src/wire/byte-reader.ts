/**
 * Big-endian reader over bytes that are already in memory. It never throws: a read past the end sets `overrun` and
 * gives 0 (or an empty view), so parsers read a whole structure and check `overrun` once at its end.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Next position to read, from 0. Never beyond `bytes.length`. */
  offset: number;
  /** True once a read asked for more than was there. */
  overrun = false;
  readonly #end: number;

  constructor(bytes: Uint8Array, offset = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.offset;
  }

  #take(sizeBytes: number): number {
    const at = this.offset;
    if (sizeBytes > this.#end - at) {
      this.overrun = true;
      this.offset = this.#end;
      return -1;
    }
    this.offset = at + sizeBytes;
    return at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.bytes[at]!;
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  u24(): number {
    const at = this.#take(3);
    return at < 0 ? 0 : (this.bytes[at]! << 16) | (this.bytes[at + 1]! << 8) | this.bytes[at + 2]!;
  }

  u32(): number {
    const at = this.#take(4);
    if (at < 0) return 0;
    const b = this.bytes;
    return ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0;
  }

  i16(): number {
    return (this.u16() << 16) >> 16;
  }

  i24(): number {
    return (this.u24() << 8) >> 8;
  }

  i32(): number {
    return this.u32() | 0;
  }

  f64(): number {
    const at = this.#take(8);
    if (at < 0) return 0;
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getFloat64(0);
  }

  /** A view of the next `sizeBytes` bytes, not a copy; empty when there are not as many. */
  view(sizeBytes: number): Uint8Array {
    const at = this.#take(sizeBytes);
    return at < 0 ? new Uint8Array(0) : this.bytes.subarray(at, at + sizeBytes);
  }

  skip(sizeBytes: number): void {
    this.#take(sizeBytes);
  }
}
