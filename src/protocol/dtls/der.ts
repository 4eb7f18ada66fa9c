import { ByteWriter } from '../../wire/byte-writer.ts';
import { joinBytes } from '../../wire/join-bytes.ts';

/** Tags of ASN.1 elements that certificates have (X.690 §8). */
export const DerTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
  /** `[0]`, constructed. */
  context0: 0xa0,
} as const;

/** Lengths have at most this many bytes: anything longer than 16 MB is refused. */
const MAX_LENGTH_BYTES = 3;

/** Reads elements of DER one after the other. Never throws: a wrong or missing element sets `isInvalid` and is empty. */
export class DerReader {
  isInvalid = false;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Whether the next element has that tag. */
  isNext(tag: number): boolean {
    return this.#bytes[this.#at] === tag;
  }

  /** Content of the next element, which must have that tag; a view. */
  content(tag: number): Uint8Array {
    return this.#take(tag).content;
  }

  /** The next element whole; a view. */
  element(tag: number): Uint8Array {
    return this.#take(tag).element;
  }

  /** A reader of what is in the next element. */
  inside(tag: number): DerReader {
    return new DerReader(this.content(tag));
  }

  #take(tag: number): { readonly element: Uint8Array; readonly content: Uint8Array } {
    const bytes = this.#bytes;
    const start = this.#at;
    let contentAt = start + 2;
    let sizeBytes = bytes[start + 1] ?? 0;
    if (sizeBytes >= 0x80) {
      const lengthBytes = sizeBytes & 0x7f;
      sizeBytes = 0;
      // Zero would be the indefinite length, which DER does not have.
      if (lengthBytes === 0 || lengthBytes > MAX_LENGTH_BYTES) return this.#fail();
      for (let i = 0; i < lengthBytes; i++) sizeBytes = (sizeBytes << 8) | (bytes[contentAt++] ?? 0);
    }
    const end = contentAt + sizeBytes;
    if (bytes[start] !== tag || end > bytes.length) return this.#fail();
    this.#at = end;
    return { element: bytes.subarray(start, end), content: bytes.subarray(contentAt, end) };
  }

  #fail(): { readonly element: Uint8Array; readonly content: Uint8Array } {
    this.isInvalid = true;
    this.#at = this.#bytes.length;
    const empty = this.#bytes.subarray(this.#at);
    return { element: empty, content: empty };
  }
}

/** An element of DER in a new buffer: `parts` one after the other are its content. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = joinBytes(parts);
  const writer = new ByteWriter(content.length + 5).u8(tag);
  if (content.length < 0x80) writer.u8(content.length);
  else if (content.length < 0x100) writer.u8(0x81).u8(content.length);
  else if (content.length < 0x1_0000) writer.u8(0x82).u16(content.length);
  else writer.u8(0x83).u24(content.length);
  return writer.raw(content).finish();
}
