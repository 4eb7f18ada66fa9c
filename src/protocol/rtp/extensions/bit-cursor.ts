/**
 * Reads bits, most significant first, from a part of a buffer. Like BitReader it never throws but sets `overrun`; made once
 * and set on one element after the other, it makes no garbage on the packet path.
 */
export class BitCursor {
  #bytes: Uint8Array = new Uint8Array(0);
  #startBit = 0;
  #bit = 0;
  #endBit = 0;
  /** True once a read asked for more than was there; such reads give 0. */
  overrun = false;

  /** Goes to the first bit of `[start, end)`, which the caller has checked to lie in `bytes`. */
  set(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#startBit = start * 8;
    this.#bit = this.#startBit;
    this.#endBit = end * 8;
    this.overrun = false;
  }

  /** Bits read so far. */
  get position(): number {
    return this.#bit - this.#startBit;
  }

  /** The next `count` bits (0–32) as an unsigned number. */
  bits(count: number): number {
    let bit = this.#bit;
    const end = bit + count;
    if (end > this.#endBit) {
      this.overrun = true;
      this.#bit = this.#endBit;
      return 0;
    }
    let value = 0;
    while (bit < end) {
      const left = 8 - (bit & 7);
      const take = left < end - bit ? left : end - bit;
      const part = (this.#bytes[bit >>> 3]! >>> (left - take)) & ((1 << take) - 1);
      value = value * (1 << take) + part;
      bit += take;
    }
    this.#bit = end;
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** A number below `limit` (1–33) as ns(limit), the non-symmetric code of AV1 (AV1 specification §4.10.7). */
  nonSymmetric(limit: number): number {
    const width = 32 - Math.clz32(limit);
    const shortCodes = 2 ** width - limit;
    const value = this.bits(width - 1);
    return value < shortCodes ? value : value * 2 - shortCodes + this.bits(1);
  }
}
