/** Most-significant-bit-first writer, the counterpart of BitReader. Take the result with `finish()`. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #bitLength = 0;

  /** Bits written so far. */
  get position(): number {
    return this.#bitLength;
  }

  /** The low `count` bits (0–32) of `value`. */
  bits(count: number, value: number): this {
    for (let i = count - 1; i >= 0; i--) {
      const at = this.#bitLength++;
      if ((at & 7) === 0) this.#bytes.push(0);
      if (Math.floor(value / 2 ** i) % 2 === 1) this.#bytes[at >>> 3]! |= 0x80 >>> (at & 7);
    }
    return this;
  }

  flag(value: boolean): this {
    return this.bits(1, value ? 1 : 0);
  }

  /** Zero bits up to the next whole byte. */
  alignToByte(): this {
    return this.bits((8 - (this.#bitLength & 7)) & 7, 0);
  }

  /** What was written, in a new buffer, the last byte filled up with zero bits. */
  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
