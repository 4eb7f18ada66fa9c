/** Where the entries of a sample table box begin, behind version, flags and entry count. */
const ENTRIES_OFFSET = 8;
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The entries of one box of a sample table, read where they lie: nothing is made of them in memory. */
export class TableColumns {
  readonly count: number;
  readonly #view: DataView;
  readonly #entryBytes: number;

  /**
   * @param body of a full box with a 32-bit entry count; none means no entries. A count beyond the box is cut.
   * @param entryBytes bytes of one entry
   */
  constructor(body: Uint8Array = NO_BYTES, entryBytes: number) {
    this.#view = new DataView(body.buffer, body.byteOffset, body.length);
    this.#entryBytes = entryBytes;
    const declared = body.length >= ENTRIES_OFFSET ? this.#view.getUint32(4) : 0;
    this.count = Math.min(declared, Math.max(0, Math.floor((body.length - ENTRIES_OFFSET) / entryBytes)));
  }

  /** The 32-bit field at byte `field` of an entry, without sign. */
  u32(entry: number, field = 0): number {
    return this.#view.getUint32(ENTRIES_OFFSET + entry * this.#entryBytes + field);
  }

  i32(entry: number, field = 0): number {
    return this.#view.getInt32(ENTRIES_OFFSET + entry * this.#entryBytes + field);
  }

  /** Up to 2^64; beyond 2^53 not exact, and behind the end of every file. */
  u64(entry: number, field = 0): number {
    return this.u32(entry, field) * 0x1_0000_0000 + this.u32(entry, field + 4);
  }
}

/** Sizes of samples: `stsz` (ISO/IEC 14496-12 §8.7.3.2) or `stz2` (§8.7.3.3). */
export class SampleSizes {
  readonly count: number;
  /** The size of every sample; 0 when each has its own. */
  readonly fixed: number;
  readonly #view: DataView;
  readonly #fieldBits: number;

  constructor(stsz: Uint8Array | undefined, stz2: Uint8Array | undefined) {
    const body = stsz ?? stz2 ?? NO_BYTES;
    this.#view = new DataView(body.buffer, body.byteOffset, body.length);
    const isReadable = body.length >= 12;
    this.fixed = isReadable && stsz !== undefined ? this.#view.getUint32(4) : 0;
    this.#fieldBits = stsz !== undefined ? 32 : isReadable ? body[7]! : 0;
    const declared = isReadable ? this.#view.getUint32(8) : 0;
    const isKnownWidth = [4, 8, 16, 32].includes(this.#fieldBits);
    const held = isKnownWidth ? Math.floor(((body.length - 12) * 8) / this.#fieldBits) : 0;
    this.count = this.fixed > 0 ? declared : Math.max(0, Math.min(declared, held));
  }

  /** @param sample 0 to `count` − 1 */
  at(sample: number): number {
    if (this.fixed > 0) return this.fixed;
    switch (this.#fieldBits) {
      case 32:
        return this.#view.getUint32(12 + sample * 4);
      case 16:
        return this.#view.getUint16(12 + sample * 2);
      case 8:
        return this.#view.getUint8(12 + sample);
      default: {
        const pair = this.#view.getUint8(12 + (sample >>> 1));
        return (sample & 1) === 0 ? pair >>> 4 : pair & 0xf;
      }
    }
  }
}
