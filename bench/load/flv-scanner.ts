import { headSize, type MessageSink, OTHER_HEAD_SIZE } from './message-sink.ts';

const FILE_HEADER_SIZE = 9;
const TAG_HEADER_SIZE = 11;
const BACK_POINTER_SIZE = 4;

/**
 * Walks an FLV byte stream (FLV v10.1 §E.3): reads tag headers, keeps the first bytes of each body and skips the rest.
 * It trusts the server: for load generation only.
 */
export class FlvScanner {
  readonly #sink: MessageSink;
  readonly #header = new Uint8Array(TAG_HEADER_SIZE);
  #have = 0;
  /** Bytes to pass over before the next tag header: file header and back pointers. */
  #skip = FILE_HEADER_SIZE + BACK_POINTER_SIZE;
  #left = 0;
  #type = 0;
  #timestampMs = 0;
  #sizeBytes = 0;
  readonly #head = new Uint8Array(OTHER_HEAD_SIZE);
  #headLength = 0;
  #headWanted = 0;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#left > 0) {
        const count = Math.min(this.#left, end - at);
        if (this.#headLength < this.#headWanted) {
          const kept = Math.min(count, this.#headWanted - this.#headLength);
          for (let i = 0; i < kept; i++) this.#head[this.#headLength + i] = bytes[at + i]!;
          this.#headLength += kept;
        }
        at += count;
        this.#left -= count;
        if (this.#left === 0) this.#emit();
      } else if (this.#skip > 0) {
        const count = Math.min(this.#skip, end - at);
        at += count;
        this.#skip -= count;
      } else {
        this.#header[this.#have++] = bytes[at++]!;
        if (this.#have === TAG_HEADER_SIZE) this.#startTag();
      }
    }
  }

  #startTag(): void {
    const h = this.#header;
    this.#have = 0;
    this.#type = h[0]! & 0x1f;
    this.#sizeBytes = (h[1]! << 16) | (h[2]! << 8) | h[3]!;
    this.#timestampMs = ((h[4]! << 16) | (h[5]! << 8) | h[6]! | (h[7]! << 24)) >>> 0;
    this.#left = this.#sizeBytes;
    this.#headLength = 0;
    this.#headWanted = headSize(this.#type, this.#sizeBytes);
    if (this.#left === 0) this.#emit();
  }

  #emit(): void {
    this.#skip = BACK_POINTER_SIZE;
    this.#sink.message(this.#type, this.#timestampMs, this.#sizeBytes, this.#head.subarray(0, this.#headLength));
  }
}
