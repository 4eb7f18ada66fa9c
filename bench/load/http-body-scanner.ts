/** Receives the body bytes `bytes[start..end)` of an HTTP response. */
export type BodyTarget = (bytes: Uint8Array, start: number, end: number) => void;

const MAX_HEAD_SIZE = 16_384;

/**
 * Takes the HTTP/1.1 response head off a connection and hands on the body, with chunked transfer coding
 * (RFC 9112 §7.1) removed when the server uses it. Trailers are not expected: a live stream has no end.
 */
export class HttpBodyScanner {
  readonly #body: BodyTarget;
  #head = '';
  /** Status code once the head is complete. */
  status: number | undefined;
  #chunked = false;
  /** Bytes of the current chunk still to come. */
  #chunkLeft = 0;
  /** CR and LF still to pass over behind a chunk. */
  #lineEndLeft = 0;
  #chunkSize = 0;
  #inExtension = false;

  constructor(body: BodyTarget) {
    this.#body = body;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (this.status === undefined && at < end) {
      this.#head += String.fromCharCode(bytes[at++]!);
      if (this.#head.endsWith('\r\n\r\n') || this.#head.length >= MAX_HEAD_SIZE) this.#finishHead();
    }
    if (at >= end) return;
    if (this.#chunked) this.#pushChunked(bytes, at, end);
    else this.#body(bytes, at, end);
  }

  #finishHead(): void {
    this.status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(this.#head)?.[1] ?? 0);
    this.#chunked = /\r\ntransfer-encoding:\s*chunked/i.test(this.#head);
    this.#head = '';
  }

  #pushChunked(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#chunkLeft > 0) {
        const count = Math.min(this.#chunkLeft, end - at);
        this.#body(bytes, at, at + count);
        at += count;
        this.#chunkLeft -= count;
        if (this.#chunkLeft === 0) this.#lineEndLeft = 2;
      } else if (this.#lineEndLeft > 0) {
        at++;
        this.#lineEndLeft--;
      } else {
        this.#sizeLineByte(bytes[at++]!);
      }
    }
  }

  #sizeLineByte(byte: number): void {
    if (byte === 0x0a) {
      this.#chunkLeft = this.#chunkSize;
      this.#chunkSize = 0;
      this.#inExtension = false;
    } else if (byte === 0x3b) {
      this.#inExtension = true;
    } else if (byte !== 0x0d && !this.#inExtension) {
      const digit = byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
      this.#chunkSize = this.#chunkSize * 16 + digit;
    }
  }
}
