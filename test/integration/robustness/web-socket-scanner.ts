import type { BodyTarget } from '../../../bench/load/http-body-scanner.ts';

const OPCODE_BINARY = 2;
const OPCODE_CONTINUATION = 0;

/** Hands on the payload of a server's binary messages (RFC 6455 §5.2, never masked) and passes over all others. */
export class WebSocketScanner {
  readonly #body: BodyTarget;
  readonly #header = new Uint8Array(10);
  #have = 0;
  #left = 0;
  #isBinary = false;

  constructor(body: BodyTarget) {
    this.#body = body;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#left > 0) {
        const count = Math.min(this.#left, end - at);
        if (this.#isBinary) this.#body(bytes, at, at + count);
        at += count;
        this.#left -= count;
      } else {
        this.#header[this.#have++] = bytes[at++]!;
        if (this.#have >= 2 && this.#have === headerSize(this.#header[1]!)) this.#startFrame();
      }
    }
  }

  #startFrame(): void {
    const view = new DataView(this.#header.buffer);
    const opcode = this.#header[0]! & 15;
    const short = this.#header[1]! & 127;
    this.#isBinary = opcode === OPCODE_BINARY || opcode === OPCODE_CONTINUATION;
    this.#left = short === 127 ? Number(view.getBigUint64(2)) : short === 126 ? view.getUint16(2) : short;
    this.#have = 0;
  }
}

function headerSize(second: number): number {
  const short = second & 127;
  return short === 127 ? 10 : short === 126 ? 4 : 2;
}
