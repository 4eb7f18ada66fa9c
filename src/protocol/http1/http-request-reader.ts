import { ProtocolError } from '../../wire/errors.ts';
import type { HttpErrorCode } from './http-error.ts';
import { HttpHead } from './http-head.ts';
import type { HttpRequest } from './http-request.ts';

/** Most bytes from the request line to the blank line, both included. */
export const HTTP_MAX_HEADER_SIZE_BYTES = 65_536;
/** Largest body, bytes. */
export const HTTP_MAX_BODY_SIZE_BYTES = 1_048_576;
/** Longest line of a chunk's size with its extensions, bytes. */
export const HTTP_MAX_CHUNK_LINE_BYTES = 1024;

/** A claimed body up to this is allocated at once; beyond it the buffer grows with what arrives. */
const TRUSTED_BODY_BYTES = 16_384;
const LF = 0x0a;
const CR = 0x0d;
const NOTHING = new Uint8Array(0);
/** RFC 9112 §7.1: the size in hex, then extensions nobody here knows. Eight digits are more than any limit. */
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?$/;

/** More bytes are needed. */
const MORE = Symbol('more');
/** A line is longer than it may be. */
const TOO_LONG = Symbol('too long');

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Limits of an `HttpRequestReader`; each defaults to the constant of the same name. */
export interface HttpRequestReaderOptions {
  readonly maxHeaderSizeBytes?: number;
  readonly maxBodySizeBytes?: number;
}

/** What an `HttpRequestReader` found. `failed` is final. */
export type HttpReadEvent =
  | HttpRequest
  /** The client waits for `100 Continue` before it sends its body (RFC 9110 §10.1.1). */
  | { readonly type: 'continue' }
  /** The request can't be read; `statusCode` is the answer to it. */
  | { readonly type: 'failed'; readonly statusCode: number; readonly error: ProtocolError };

type State = 'head' | 'body' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'failed';

/**
 * Reads the requests of one HTTP/1.x connection (RFC 9112), one at a time: `next` reads as far as the end of a request
 * and leaves what is behind it alone. Strict where leniency helps smugglers (blanks before colons, folded lines, two
 * lengths), lenient in what older clients do (bare LF, blank lines before a request). Trailers are read and left out.
 */
export class HttpRequestReader {
  readonly #maxHeaderSizeBytes: number;
  readonly #maxBodySizeBytes: number;
  #state: State = 'head';
  /** Own copy of what was received; `#at` is where reading goes on, `#size` its end. */
  #buffer: Uint8Array = NOTHING;
  #at = 0;
  #size = 0;
  /** No line ends between `#at` and here. */
  #scanned = 0;
  #head: HttpHead | undefined;
  /** Bytes of this head, or of these trailers, so far. */
  #headSize = 0;
  #body: Uint8Array = NOTHING;
  #bodySize = 0;
  /** Bytes still to come of the body, or of this chunk. */
  #missing = 0;

  constructor(options: HttpRequestReaderOptions = {}) {
    this.#maxHeaderSizeBytes = options.maxHeaderSizeBytes ?? HTTP_MAX_HEADER_SIZE_BYTES;
    this.#maxBodySizeBytes = options.maxBodySizeBytes ?? HTTP_MAX_BODY_SIZE_BYTES;
  }

  /** Bytes received that are in no request yet, but for those of its body. */
  get unreadBytes(): number {
    return this.#size - this.#at;
  }

  /** True while part of a request was received and the rest is awaited. */
  get isInsideMessage(): boolean {
    return this.#state !== 'failed' && (this.#state !== 'head' || this.#head !== undefined || this.unreadBytes > 0);
  }

  /** True while the body of a request is awaited. */
  get isInsideBody(): boolean {
    return this.#state !== 'head' && this.#state !== 'failed';
  }

  /** Takes a copy of input, cut anywhere. */
  receive(bytes: Uint8Array): void {
    if (this.#state === 'failed') return;
    if (this.#size + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /** The next event, or undefined when more bytes are needed. Never throws. */
  next(): HttpReadEvent | undefined {
    let event: HttpReadEvent | typeof MORE | undefined;
    do {
      event = this.#step();
    } while (event === undefined);
    if (this.#at === this.#size) {
      // Idle connections keep no buffer.
      this.#buffer = NOTHING;
      this.#at = 0;
      this.#size = 0;
      this.#scanned = 0;
    }
    return event === MORE ? undefined : event;
  }

  /** What is behind the last request, as an own copy. Nothing is read afterwards. */
  takeRest(): Uint8Array {
    const rest = this.#buffer.slice(this.#at, this.#size);
    this.#at = this.#size;
    this.#state = 'failed';
    return rest;
  }

  #makeRoom(sizeBytes: number): void {
    const unread = this.unreadBytes;
    const needed = unread + sizeBytes;
    const old = this.#buffer;
    if (needed > old.length) this.#buffer = new Uint8Array(Math.max(needed, unread * 2));
    this.#buffer.set(old.subarray(this.#at, this.#size));
    this.#scanned -= this.#at;
    this.#at = 0;
    this.#size = unread;
  }

  /** Reads one line or part of a body: an event, `MORE` when bytes are missing, undefined when it goes on. */
  #step(): HttpReadEvent | typeof MORE | undefined {
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'body':
        return this.#readBody() ? this.#endRequest() : MORE;
      case 'chunk-size':
        return this.#readChunkSize();
      case 'chunk-data':
        if (!this.#readBody()) return MORE;
        this.#state = 'chunk-end';
        return undefined;
      case 'chunk-end':
        return this.#readChunkEnd();
      case 'trailers':
        return this.#readTrailer();
      default:
        this.#at = this.#size;
        return MORE;
    }
  }

  #readHead(): HttpReadEvent | typeof MORE | undefined {
    const line = this.#takeLine(this.#maxHeaderSizeBytes - this.#headSize);
    if (line === MORE) return MORE;
    if (line === TOO_LONG) {
      return this.#fail(431, 'http/header-too-large', `the head has more than ${this.#maxHeaderSizeBytes} bytes`);
    }
    if (this.#head === undefined) {
      // Blank lines before a request are left by clients that end a body with one (RFC 9112 §2.2).
      if (line === '') {
        this.#headSize = 0;
        return undefined;
      }
      this.#head = new HttpHead();
    } else if (line === '') {
      return this.#endHead(this.#head);
    }
    const fault = this.#head.addLine(line);
    return fault === undefined ? undefined : this.#fail(fault.statusCode, fault.code, fault.reason);
  }

  #endHead(head: HttpHead): HttpReadEvent | undefined {
    const framing = head.framing();
    if ('statusCode' in framing) return this.#fail(framing.statusCode, framing.code, framing.reason);
    this.#headSize = 0;
    if (framing.length > this.#maxBodySizeBytes) return this.#failTooLarge();
    if (framing.length === 0 && !framing.isChunked) return this.#endRequest();
    this.#missing = framing.length;
    this.#body = new Uint8Array(Math.min(framing.length, TRUSTED_BODY_BYTES));
    this.#state = framing.isChunked ? 'chunk-size' : 'body';
    return head.expectsContinue && this.unreadBytes === 0 ? { type: 'continue' } : undefined;
  }

  /** Moves what is there of `#missing` bytes into the body; says whether all are. */
  #readBody(): boolean {
    const part = this.#buffer.subarray(this.#at, Math.min(this.#at + this.#missing, this.#size));
    const needed = this.#bodySize + part.length;
    if (needed > this.#body.length) {
      const most = this.#bodySize + this.#missing;
      const grown = new Uint8Array(Math.max(needed, Math.min(most, this.#body.length * 2)));
      grown.set(this.#body.subarray(0, this.#bodySize));
      this.#body = grown;
    }
    this.#body.set(part, this.#bodySize);
    this.#bodySize = needed;
    this.#missing -= part.length;
    this.#at += part.length;
    this.#scanned = this.#at;
    return this.#missing === 0;
  }

  #readChunkSize(): HttpReadEvent | typeof MORE | undefined {
    const line = this.#takeLine(HTTP_MAX_CHUNK_LINE_BYTES);
    if (line === MORE) return MORE;
    const digits = line === TOO_LONG ? undefined : CHUNK_SIZE.exec(line)?.[1];
    if (digits === undefined) return this.#fail(400, 'http/bad-chunk', 'a chunk does not begin with its size');
    this.#headSize = 0;
    this.#missing = Number.parseInt(digits, 16);
    if (this.#bodySize + this.#missing > this.#maxBodySizeBytes) return this.#failTooLarge();
    this.#state = this.#missing === 0 ? 'trailers' : 'chunk-data';
    return undefined;
  }

  #readChunkEnd(): HttpReadEvent | typeof MORE | undefined {
    const line = this.#takeLine(2);
    if (line === MORE) return MORE;
    if (line !== '') return this.#fail(400, 'http/bad-chunk', 'a chunk is longer than its size');
    this.#headSize = 0;
    this.#state = 'chunk-size';
    return undefined;
  }

  #readTrailer(): HttpReadEvent | typeof MORE | undefined {
    const line = this.#takeLine(this.#maxHeaderSizeBytes - this.#headSize);
    if (line === MORE) return MORE;
    if (line === '') return this.#endRequest();
    if (line !== TOO_LONG) return undefined;
    return this.#fail(431, 'http/header-too-large', `trailers of more than ${this.#maxHeaderSizeBytes} bytes`);
  }

  /** The next line without its end, of at most `limit` bytes with it; these count as part of a head. */
  #takeLine(limit: number): string | typeof MORE | typeof TOO_LONG {
    const newline = this.#buffer.subarray(0, this.#size).indexOf(LF, this.#scanned);
    const end = newline < 0 ? this.#size : newline + 1;
    if (end - this.#at > limit) return TOO_LONG;
    this.#scanned = end;
    if (newline < 0) return MORE;
    const lineEnd = newline > this.#at && this.#buffer[newline - 1] === CR ? newline - 1 : newline;
    const line = textDecoder.decode(this.#buffer.subarray(this.#at, lineEnd));
    this.#headSize += end - this.#at;
    this.#at = end;
    return line;
  }

  #endRequest(): HttpReadEvent {
    const request = this.#head!.toRequest(
      this.#bodySize === this.#body.length ? this.#body : this.#body.slice(0, this.#bodySize),
    );
    this.#state = 'head';
    this.#head = undefined;
    this.#headSize = 0;
    this.#body = NOTHING;
    this.#bodySize = 0;
    return request;
  }

  #failTooLarge(): HttpReadEvent {
    return this.#fail(413, 'http/body-too-large', `a body of more than ${this.#maxBodySizeBytes} bytes`);
  }

  #fail(statusCode: number, code: HttpErrorCode, reason: string): HttpReadEvent {
    this.#state = 'failed';
    this.#head = undefined;
    this.#body = NOTHING;
    this.#at = this.#size;
    return { type: 'failed', statusCode, error: new ProtocolError(code, reason) };
  }
}
