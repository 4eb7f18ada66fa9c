import type { HttpErrorCode } from './http-error.ts';
import type { HttpRequest } from './http-request.ts';

/** Most header lines of one request. */
export const HTTP_MAX_HEADERS = 128;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** `method SP target SP HTTP/x.y` (RFC 9112 §3), blanks exactly as written there. */
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^\p{Cc}\s]+) HTTP\/(\d)\.(\d)$/u;
/** Controls but for the tab (RFC 9110 §5.5). */
const CONTROLS = /[^\P{Cc}\t]/u;
const LENGTH = /^\d{1,15}$/;

/** Why a head makes no request. */
export interface HttpHeadFault {
  readonly statusCode: number;
  readonly code: HttpErrorCode;
  readonly reason: string;
}

/** How the body behind a head is delimited. */
export interface HttpBodyFraming {
  readonly length: number;
  readonly isChunked: boolean;
}

/** The request line and headers of one request while they come in, line by line (RFC 9112 §3, §5, §6). */
export class HttpHead {
  #method = '';
  #url = '';
  #version: HttpRequest['version'] = '1.1';
  #lines = 0;
  readonly #headers: Record<string, string> = Object.create(null) as Record<string, string>;

  /** Adds the request line, then header lines, without their ends; says what is wrong. */
  addLine(line: string): HttpHeadFault | undefined {
    return this.#lines++ === 0 ? this.#takeRequestLine(line) : this.#takeHeader(line);
  }

  /** How long the body is, once the head is whole; or what is wrong with it (RFC 9112 §6.3). */
  framing(): HttpBodyFraming | HttpHeadFault {
    const headers = this.#headers;
    if (headers['host'] === undefined && this.#version === '1.1') {
      return fault(400, 'http/bad-host', 'HTTP/1.1 without Host');
    }
    const expectation = headers['expect'];
    if (expectation !== undefined && expectation.toLowerCase() !== '100-continue' && this.#version === '1.1') {
      return fault(417, 'http/unsupported-expectation', 'Expect is not 100-continue');
    }
    const length = headers['content-length'];
    const coding = headers['transfer-encoding'];
    if (coding !== undefined) {
      // Two ways to tell a length, or one that the version does not know, are how requests get smuggled past proxies.
      if (length !== undefined || this.#version === '1.0') {
        return fault(400, 'http/bad-length', 'Transfer-Encoding beside Content-Length, or in HTTP/1.0');
      }
      if (coding.toLowerCase() === 'chunked') return { length: 0, isChunked: true };
      return fault(501, 'http/unsupported-transfer-encoding', 'Transfer-Encoding is not chunked');
    }
    if (length === undefined) return { length: 0, isChunked: false };
    if (!LENGTH.test(length)) return fault(400, 'http/bad-length', 'Content-Length is not one number');
    return { length: Number(length), isChunked: false };
  }

  /** The client waits for a word before it sends its body. */
  get expectsContinue(): boolean {
    return this.#version === '1.1' && this.#headers['expect'] !== undefined;
  }

  toRequest(body: Uint8Array): HttpRequest {
    const options = (this.#headers['connection'] ?? '').toLowerCase().split(/[ \t,]+/);
    return {
      type: 'request',
      method: this.#method,
      url: this.#url,
      version: this.#version,
      headers: this.#headers,
      body,
      keepAlive: this.#version === '1.1' ? !options.includes('close') : options.includes('keep-alive'),
    };
  }

  #takeRequestLine(line: string): HttpHeadFault | undefined {
    const match = REQUEST_LINE.exec(line);
    if (match === null) return fault(400, 'http/bad-request-line', 'the first line is not that of a request');
    if (match[3] !== '1') return fault(505, 'http/unsupported-version', 'not HTTP/1');
    this.#method = match[1]!;
    this.#url = match[2]!;
    this.#version = match[4] === '0' ? '1.0' : '1.1';
    return undefined;
  }

  #takeHeader(line: string): HttpHeadFault | undefined {
    if (this.#lines - 1 > HTTP_MAX_HEADERS) {
      return fault(431, 'http/too-many-headers', `more than ${HTTP_MAX_HEADERS} header lines`);
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    const value = withoutBlanks(line, colon + 1);
    if (!TOKEN.test(name) || CONTROLS.test(value)) return fault(400, 'http/bad-header', 'not a header line');
    const before = this.#headers[name];
    if (before === undefined) {
      this.#headers[name] = value;
    } else if (name === 'host') {
      return fault(400, 'http/bad-host', 'two Host lines');
    } else if (name !== 'content-length' || before !== value) {
      this.#headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
    }
    return undefined;
  }
}

/** The text from `start` on without blanks around it. No pattern: one tries each run of blanks inside from every blank. */
function withoutBlanks(text: string, start: number): string {
  let from = start;
  let end = text.length;
  while (from < end && isBlank(text[from])) from++;
  while (end > from && isBlank(text[end - 1])) end--;
  return text.slice(from, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

function fault(statusCode: number, code: HttpErrorCode, reason: string): HttpHeadFault {
  return { statusCode, code, reason };
}
