/** Writes bits, most significant first, into a part of a buffer; sets `overrun` instead of going beyond it. */
export class BitSink {
  #bytes: Uint8Array = new Uint8Array(0);
  #startBit = 0;
  #bit = 0;
  #endBit = 0;
  /** True once a write had no room; it wrote nothing. */
  overrun = false;

  /** Goes to the first bit of `[start, end)`, which the caller has checked to lie in `bytes`. */
  set(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#startBit = start * 8;
    this.#bit = this.#startBit;
    this.#endBit = end * 8;
    this.overrun = false;
  }

  /** The low `count` bits (0–32) of `value`. */
  bits(count: number, value: number): void {
    let bit = this.#bit;
    const end = bit + count;
    if (end > this.#endBit) {
      this.overrun = true;
      return;
    }
    const bytes = this.#bytes;
    while (bit < end) {
      const used = bit & 7;
      const take = Math.min(8 - used, end - bit);
      const part = (value >>> (end - bit - take)) & ((1 << take) - 1);
      const kept = used === 0 ? 0 : bytes[bit >>> 3]!;
      bytes[bit >>> 3] = kept | (part << (8 - used - take));
      bit += take;
    }
    this.#bit = end;
  }

  flag(value: boolean): void {
    this.bits(1, value ? 1 : 0);
  }

  /** A number below `limit` (1–33) as ns(limit), as `BitCursor.nonSymmetric` reads it. */
  nonSymmetric(limit: number, value: number): void {
    const width = 32 - Math.clz32(limit);
    const shortCodes = 2 ** width - limit;
    if (value < shortCodes) this.bits(width - 1, value);
    else this.bits(width, value + shortCodes);
  }

  /** Where the next whole byte begins; the bits up to it are 0. */
  get end(): number {
    return (this.#bit + 7) >>> 3;
  }

  /** Bits written so far. */
  get position(): number {
    return this.#bit - this.#startBit;
  }
}
