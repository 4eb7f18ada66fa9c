import type { ProtocolError } from '../../wire/errors.ts';
import { type RtspErrorCode, rtspError } from './rtsp-error.ts';
import { isHeaderName, RTSP_MAX_HEADERS, RtspHeaders } from './rtsp-headers.ts';
import type { InterleavedFrame, RtspRequest, RtspResponse } from './rtsp-message.ts';
import { parseStartLine, type StartLine } from './start-line.ts';

/** Most bytes from the start line to the blank line, both included. */
export const RTSP_MAX_HEADER_SIZE_BYTES = 65_536;
/** Largest body of a message, bytes. Descriptions have some kilobytes. */
export const RTSP_MAX_BODY_SIZE_BYTES = 1_048_576;

/** A claimed body up to this is allocated at once; beyond it the buffer grows with what arrives. */
const TRUSTED_BODY_BYTES = 16_384;
/** `$`, channel, 16-bit length (RFC 2326 §10.12). */
const FRAME_HEADER_BYTES = 4;

const DOLLAR = 0x24;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const NOTHING = new Uint8Array(0);

/** The media type of both connections of an RTSP over HTTP tunnel; its Content-Length is a wish, not a length. */
const TUNNEL_MEDIA_TYPE = 'application/x-rtsp-tunnelled';

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Limits of an `RtspMessageReader`; each defaults to the constant of the same name. */
export interface RtspMessageReaderOptions {
  readonly maxHeaderSizeBytes?: number;
  readonly maxBodySizeBytes?: number;
  /** At most `RTSP_MAX_HEADERS`. */
  readonly maxHeaders?: number;
}

/**
 * A message whose start line or framing headers make no sense. Reading goes on behind its blank line (and its body,
 * when its length could be read), so a server can answer 400, with the CSeq when there was one.
 */
export interface MalformedMessage {
  readonly type: 'malformed';
  readonly cSeq: string | undefined;
  /** For people. */
  readonly reason: string;
}

/**
 * Bytes behind a message that turned the connection into something else: the POST of an HTTP tunnel, or an upgrade to
 * WebSocket. Everything from there on comes this way.
 */
export interface RawBytes {
  readonly type: 'raw';
  /** A view into the received bytes, valid until the next `receive`. Never empty. */
  readonly bytes: Uint8Array;
}

/** What an `RtspMessageReader` found, in the order of the input. `failed` is final. */
export type RtspReadEvent =
  | RtspRequest
  | RtspResponse
  | InterleavedFrame
  | MalformedMessage
  | RawBytes
  | { readonly type: 'failed'; readonly error: ProtocolError };

type State = 'start' | 'head' | 'body' | 'frame' | 'raw' | 'failed';

/**
 * Reads one direction of an RTSP connection: requests, responses and `$` frames in any order (RFC 2326 §4, §10.12), HTTP
 * messages of tunnels among them. Lines end with CRLF or a bare LF, blank lines between messages are skipped, folded
 * header lines are joined with a space, header lines without a name are left out. The events are the same wherever the
 * input is cut, but for `raw`, whose bytes are the same.
 *
 *      0                   1                   2                   3
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |   '$' = 0x24  |    channel    |             length            |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export class RtspMessageReader {
  readonly #maxHeaderSizeBytes: number;
  readonly #maxBodySizeBytes: number;
  readonly #maxHeaders: number;
  #state: State = 'start';
  #events: RtspReadEvent[] = [];

  /** The part of a line that the last input ended with. */
  #line: Uint8Array = NOTHING;
  #lineSize = 0;
  /** Bytes of the message's head so far, whole lines. */
  #headSize = 0;
  #startLine: StartLine | undefined;
  #hasStartLine = false;
  #headers = new RtspHeaders();
  /** The header line that may yet be folded. */
  #name = '';
  #value = '';
  /** Why the message can't be understood, when it can't. */
  #fault: string | undefined;

  #body: Uint8Array = NOTHING;
  #bodySize = 0;
  #bodyLength = 0;

  /** Header of a `$` frame that the input cut, then the frame itself. Two buffers take turns: one is in the last event. */
  #frame: Uint8Array = NOTHING;
  #frameSize = 0;
  #otherFrame: Uint8Array = NOTHING;

  constructor(options: RtspMessageReaderOptions = {}) {
    this.#maxHeaderSizeBytes = options.maxHeaderSizeBytes ?? RTSP_MAX_HEADER_SIZE_BYTES;
    this.#maxBodySizeBytes = options.maxBodySizeBytes ?? RTSP_MAX_BODY_SIZE_BYTES;
    this.#maxHeaders = Math.min(options.maxHeaders ?? RTSP_MAX_HEADERS, RTSP_MAX_HEADERS);
  }

  /** True while part of a message or frame was read and the rest is awaited. */
  get isInsideMessage(): boolean {
    return this.#state === 'head' || this.#state === 'body' || this.#state === 'frame';
  }

  /** Takes input, cut anywhere, and gives what is whole. Never throws; after `failed` it gives nothing more. */
  receive(bytes: Uint8Array): RtspReadEvent[] {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case 'start':
          at = this.#begin(bytes, at);
          break;
        case 'head':
          at = this.#readLine(bytes, at);
          break;
        case 'body':
          at = this.#readBody(bytes, at);
          break;
        case 'frame':
          at = this.#resumeFrame(bytes, at);
          break;
        case 'raw':
          this.#events.push({ type: 'raw', bytes: bytes.subarray(at) });
          at = bytes.length;
          break;
        default:
          at = bytes.length;
      }
    }
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Between messages: white space is skipped, `$` begins a frame, anything else a start line. */
  #begin(bytes: Uint8Array, start: number): number {
    let at = start;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (byte === DOLLAR) {
        const end = at + FRAME_HEADER_BYTES;
        const frameEnd = end <= bytes.length ? end + ((bytes[at + 2]! << 8) | bytes[at + 3]!) : bytes.length + 1;
        if (frameEnd > bytes.length) {
          this.#state = 'frame';
          return at;
        }
        this.#events.push({ type: 'interleaved', channel: bytes[at + 1]!, payload: bytes.subarray(end, frameEnd) });
        at = frameEnd;
      } else if (byte === CR || byte === LF || byte === SPACE || byte === TAB) {
        at++;
      } else {
        this.#state = 'head';
        return at;
      }
    }
    return at;
  }

  #resumeFrame(bytes: Uint8Array, start: number): number {
    let at = start;
    while (this.#frameSize < FRAME_HEADER_BYTES) {
      if (at === bytes.length) return at;
      if (this.#frame.length < FRAME_HEADER_BYTES) this.#frame = new Uint8Array(FRAME_HEADER_BYTES);
      this.#frame[this.#frameSize++] = bytes[at++]!;
    }
    const total = FRAME_HEADER_BYTES + ((this.#frame[2]! << 8) | this.#frame[3]!);
    if (this.#frame.length < total) {
      const grown = new Uint8Array(total);
      grown.set(this.#frame.subarray(0, this.#frameSize));
      this.#frame = grown;
    }
    const part = bytes.subarray(at, at + total - this.#frameSize);
    this.#frame.set(part, this.#frameSize);
    this.#frameSize += part.length;
    if (this.#frameSize === total) {
      const payload = this.#frame.subarray(FRAME_HEADER_BYTES, total);
      this.#events.push({ type: 'interleaved', channel: this.#frame[1]!, payload });
      [this.#frame, this.#otherFrame] = [this.#otherFrame, this.#frame];
      this.#frameSize = 0;
      this.#state = 'start';
    }
    return at + part.length;
  }

  #readLine(bytes: Uint8Array, at: number): number {
    const newline = bytes.indexOf(LF, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (this.#headSize + this.#lineSize + (end - at) > this.#maxHeaderSizeBytes) {
      this.#fail('rtsp/header-too-large', `the head of a message has more than ${this.#maxHeaderSizeBytes} bytes`);
      return bytes.length;
    }
    if (newline >= 0 && this.#lineSize === 0) {
      this.#headSize += end - at;
      this.#takeLine(bytes, at, newline);
      return end;
    }
    this.#holdLine(bytes.subarray(at, end));
    if (newline >= 0) {
      const sizeBytes = this.#lineSize;
      this.#headSize += sizeBytes;
      this.#lineSize = 0;
      this.#takeLine(this.#line, 0, sizeBytes - 1);
    }
    return end;
  }

  #holdLine(part: Uint8Array): void {
    const needed = this.#lineSize + part.length;
    if (needed > this.#line.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(this.#line.length * 2, this.#maxHeaderSizeBytes)));
      grown.set(this.#line.subarray(0, this.#lineSize));
      this.#line = grown;
    }
    this.#line.set(part, this.#lineSize);
    this.#lineSize = needed;
  }

  /** One line of a head, without its LF. */
  #takeLine(bytes: Uint8Array, start: number, newline: number): void {
    const end = newline > start && bytes[newline - 1] === CR ? newline - 1 : newline;
    if (end === start) {
      this.#endHead();
      return;
    }
    const line = textDecoder.decode(bytes.subarray(start, end));
    if (!this.#hasStartLine) {
      this.#hasStartLine = true;
      this.#startLine = parseStartLine(line);
      if (this.#startLine === undefined) this.#fault = 'the start line is neither of a request nor of a response';
      return;
    }
    const first = bytes[start];
    if (first === SPACE || first === TAB) {
      if (this.#name !== '') this.#value += ` ${line.trim()}`;
      return;
    }
    this.#endHeader();
    const colon = line.indexOf(':');
    const name = colon < 0 ? '' : line.slice(0, colon).trim();
    if (!isHeaderName(name)) return;
    this.#name = name;
    this.#value = line.slice(colon + 1);
  }

  #endHeader(): void {
    if (this.#name === '' || this.#state === 'failed') return;
    if (this.#headers.size >= this.#maxHeaders) {
      this.#fail('rtsp/too-many-headers', `a message has more than ${this.#maxHeaders} header lines`);
      return;
    }
    this.#headers.append(this.#name, this.#value);
    this.#name = '';
  }

  /** The blank line: what follows is a body, the next message, or no message at all any more. */
  #endHead(): void {
    this.#endHeader();
    if (this.#state === 'failed') return;
    if (turnsRaw(this.#startLine, this.#headers)) {
      this.#endMessage(NOTHING);
      this.#state = 'raw';
      return;
    }
    const length = this.#contentLength();
    if (this.#headers.has('Transfer-Encoding')) {
      this.#fail('rtsp/unsupported-transfer-encoding', 'a body whose length is not told by Content-Length');
    } else if (length > this.#maxBodySizeBytes) {
      this.#fail('rtsp/body-too-large', `a body of ${length} bytes; at most ${this.#maxBodySizeBytes} are taken`);
    } else if (length === 0) {
      this.#endMessage(NOTHING);
    } else {
      this.#bodyLength = length;
      this.#body = new Uint8Array(Math.min(length, TRUSTED_BODY_BYTES));
      this.#bodySize = 0;
      this.#state = 'body';
    }
  }

  /** 0 without Content-Length, and, noted as a fault, with one that is no number or not always the same. */
  #contentLength(): number {
    const values = this.#headers.getAll('Content-Length');
    const [value] = values;
    if (value === undefined || isTunnelled(this.#headers)) return 0;
    if (!/^\d{1,15}$/.test(value) || values.some((other) => other !== value)) {
      this.#fault ??= 'Content-Length is not one number';
      return 0;
    }
    return Number(value);
  }

  #readBody(bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + this.#bodyLength - this.#bodySize);
    const needed = this.#bodySize + part.length;
    if (needed > this.#body.length) {
      const grown = new Uint8Array(Math.min(Math.max(needed, this.#body.length * 2), this.#bodyLength));
      grown.set(this.#body.subarray(0, this.#bodySize));
      this.#body = grown;
    }
    this.#body.set(part, this.#bodySize);
    this.#bodySize = needed;
    if (needed === this.#bodyLength) {
      const body = this.#body;
      this.#body = NOTHING;
      this.#endMessage(body);
    }
    return at + part.length;
  }

  #endMessage(body: Uint8Array): void {
    const startLine = this.#startLine;
    const headers = this.#headers;
    if (startLine === undefined || this.#fault !== undefined) {
      this.#events.push({ type: 'malformed', cSeq: headers.get('CSeq'), reason: this.#fault ?? '' });
    } else {
      this.#events.push({ ...startLine, headers, body });
    }
    this.#headers = new RtspHeaders();
    this.#startLine = undefined;
    this.#hasStartLine = false;
    this.#fault = undefined;
    this.#headSize = 0;
    this.#line = NOTHING;
    this.#state = 'start';
  }

  #fail(code: RtspErrorCode, message: string): void {
    this.#state = 'failed';
    this.#line = NOTHING;
    this.#events.push({ type: 'failed', error: rtspError(code, message) });
  }
}

/** Whether no RTSP follows on this connection, in this direction. */
function turnsRaw(startLine: StartLine | undefined, headers: RtspHeaders): boolean {
  if (startLine?.protocol !== 'HTTP') return false;
  if (startLine.type === 'response') return startLine.statusCode === 101;
  if (headers.has('Upgrade')) return true;
  return startLine.method === 'POST' && (headers.has('x-sessioncookie') || isTunnelled(headers));
}

function isTunnelled(headers: RtspHeaders): boolean {
  return headers.get('Content-Type')?.toLowerCase().startsWith(TUNNEL_MEDIA_TYPE) ?? false;
}
