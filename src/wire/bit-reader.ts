/**
 * Most-significant-bit-first reader, with the Exp-Golomb codes of H.264 and H.265 (ITU-T H.264 §9.1). Like ByteReader
 * it never throws: reading past the end sets `overrun` and gives zeros.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  #bit = 0;
  /** True once a read asked for more than was there, or an Exp-Golomb code was longer than 32 bits. */
  overrun = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bits read so far. */
  get position(): number {
    return this.#bit;
  }

  get bitsLeft(): number {
    return this.#bytes.length * 8 - this.#bit;
  }

  bit(): number {
    const at = this.#bit;
    if (at >= this.#bytes.length * 8) {
      this.overrun = true;
      return 0;
    }
    this.#bit = at + 1;
    return (this.#bytes[at >>> 3]! >>> (7 - (at & 7))) & 1;
  }

  flag(): boolean {
    return this.bit() === 1;
  }

  /** The next `count` bits (0–32) as an unsigned number. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.bit();
    return value;
  }

  skip(count: number): void {
    if (count > this.bitsLeft) {
      this.overrun = true;
      this.#bit = this.#bytes.length * 8;
      return;
    }
    this.#bit += count;
  }

  alignToByte(): void {
    this.#bit = (this.#bit + 7) & ~7;
  }

  /** Unsigned Exp-Golomb code, ue(v). */
  ue(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      if (this.overrun || ++zeros > 32) {
        this.overrun = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Signed Exp-Golomb code, se(v). */
  se(): number {
    const k = this.ue();
    return k % 2 === 1 ? (k + 1) / 2 : -(k / 2);
  }
}
