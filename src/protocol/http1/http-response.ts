import { StateError } from '../../wire/errors.ts';
import { httpReasonOf } from './http-status.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Controls but for the tab: they would let a value begin a header line of its own. */
const CONTROLS = /[^\P{Cc}\t]/u;

/** Codes of the `StateError`s of this area. */
export type HttpStateErrorCode = 'http/bad-response';

/** The head of a response to be written. */
export interface HttpResponseHead {
  /** 100–599. */
  readonly statusCode: number;
  /** That of the status code by default. */
  readonly reason?: string;
  /** Written in their order. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
}

/**
 * The head of an HTTP/1.1 response as bytes, blank line included (RFC 9112 §4).
 * @throws StateError `http/bad-response` for a status code, reason, header name or value that can't be written
 */
export function writeHttpResponseHead(head: HttpResponseHead): Uint8Array {
  const { statusCode, reason = httpReasonOf(statusCode) } = head;
  if (!Number.isInteger(statusCode) || statusCode < 100 || statusCode > 599) throw bad(`status code ${statusCode}`);
  if (CONTROLS.test(reason)) throw bad(`reason ${JSON.stringify(reason)}`);
  let text = `HTTP/1.1 ${statusCode} ${reason}\r\n`;
  for (const [name, value] of head.headers) {
    if (!TOKEN.test(name)) throw bad(`header name ${JSON.stringify(name)}`);
    if (CONTROLS.test(value)) throw bad(`value of ${name}: ${JSON.stringify(value)}`);
    text += `${name}: ${value}\r\n`;
  }
  return new TextEncoder().encode(`${text}\r\n`);
}

function bad(what: string): StateError {
  return new StateError('http/bad-response' satisfies HttpStateErrorCode, `can't be written in a response: ${what}`);
}
