import { isMisplacedAnnexB, MAX_NAL_UNITS, splitAnnexB } from '../../../codec/nal-unit.ts';

/** Where the NAL units of one access unit lie. Made once and used again for every access unit. */
export class NalUnitList {
  readonly #isSendable: (head: number, sizeBytes: number) => boolean;
  /** The buffers the NAL units lie in, one for each NAL unit, mostly the same one. */
  readonly sources: Uint8Array[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  /** `isSendable` tells by first byte and size whether a NAL unit of a payload can be sent at all. */
  constructor(isSendable: (head: number, sizeBytes: number) => boolean) {
    this.#isSendable = isSendable;
  }

  get count(): number {
    return this.starts.length;
  }

  /** First byte of a NAL unit. */
  head(index: number): number {
    return this.sources[index]![this.starts[index]!]!;
  }

  size(index: number): number {
    return this.ends[index]! - this.starts[index]!;
  }

  #push(bytes: Uint8Array, start: number, end: number): void {
    this.sources.push(bytes);
    this.starts.push(start);
    this.ends.push(end);
  }

  /** Puts a whole buffer in front of the NAL unit at `index`. */
  insert(index: number, nalUnit: Uint8Array): void {
    this.sources.splice(index, 0, nalUnit);
    this.starts.splice(index, 0, 0);
    this.ends.splice(index, 0, nalUnit.length);
  }

  /** Appends those of a payload, length-prefixed or misplaced Annex B, up to the first that is cut off. */
  pushPayload(payload: Uint8Array, lengthSize: number): void {
    if (isMisplacedAnnexB(payload, lengthSize)) {
      for (const nalUnit of splitAnnexB(payload)) {
        if (this.#isSendable(nalUnit[0]!, nalUnit.length)) this.#push(nalUnit, 0, nalUnit.length);
      }
      return;
    }
    let at = 0;
    while (at + lengthSize <= payload.length && this.count < MAX_NAL_UNITS) {
      let size = 0;
      for (let i = 0; i < lengthSize; i++) size = size * 256 + payload[at + i]!;
      at += lengthSize;
      if (size > payload.length - at) return;
      if (size > 0 && this.#isSendable(payload[at]!, size)) this.#push(payload, at, at + size);
      at += size;
    }
  }

  /** Lets go of everything. */
  clear(): void {
    this.sources.length = 0;
    this.starts.length = 0;
    this.ends.length = 0;
  }
}
