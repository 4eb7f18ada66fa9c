import { ResourceError } from '../../wire/errors.ts';
import { rtspStateError } from './rtsp-error.ts';

/** Most header lines of one message, on both ways. Real messages have a dozen. */
export const RTSP_MAX_HEADERS = 256;

/** RFC 2326 §15.1: one or more characters that are neither controls nor separators. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Controls but for the tab: they would let a value begin a header line of its own. */
const CONTROLS = /[^\P{Cc}\t]+/gu;

/** Whether `name` may stand in front of a header's colon (RFC 2326 §15.1 `token`). */
export function isHeaderName(name: string): boolean {
  return TOKEN.test(name);
}

/**
 * The header lines of a message in their order (RFC 2326 §4.2). Names are compared without case and kept as given; one
 * name may stand several times. Control characters in values become spaces, so that no value, wherever it came from,
 * can begin another header line. At most `RTSP_MAX_HEADERS`: one more throws `ResourceError` `rtsp/too-many-headers`.
 */
export class RtspHeaders {
  readonly #names: string[] = [];
  readonly #keys: string[] = [];
  readonly #values: string[] = [];

  constructor(init: Iterable<readonly [name: string, value: string]> = []) {
    for (const [name, value] of init) this.append(name, value);
  }

  /** Header lines held. */
  get size(): number {
    return this.#names.length;
  }

  /** The first value of that name, white space around it taken off. */
  get(name: string): string | undefined {
    const at = this.#keys.indexOf(name.toLowerCase());
    return at < 0 ? undefined : this.#values[at];
  }

  /** All values of that name in order; empty when there is none. */
  getAll(name: string): string[] {
    const key = name.toLowerCase();
    return this.#values.filter((_, at) => this.#keys[at] === key);
  }

  has(name: string): boolean {
    return this.#keys.includes(name.toLowerCase());
  }

  /** Puts the value where the first of that name stands, or last, and takes all others of that name away. */
  set(name: string, value: string): this {
    const at = this.#keys.indexOf(name.toLowerCase());
    if (at < 0) return this.append(name, value);
    checkName(name);
    this.#names[at] = name;
    this.#values[at] = clean(value);
    this.#deleteFrom(at + 1, name.toLowerCase());
    return this;
  }

  /** Adds a header line behind all others. A name that is no token throws `StateError` `rtsp/bad-header-name`. */
  append(name: string, value: string): this {
    checkName(name);
    if (this.#names.length >= RTSP_MAX_HEADERS) {
      throw new ResourceError('rtsp/too-many-headers', `more than ${RTSP_MAX_HEADERS} header lines in one message`);
    }
    this.#names.push(name);
    this.#keys.push(name.toLowerCase());
    this.#values.push(clean(value));
    return this;
  }

  /** Takes all header lines of that name away; says whether there were any. */
  delete(name: string): boolean {
    const before = this.size;
    this.#deleteFrom(0, name.toLowerCase());
    return this.size < before;
  }

  /** Name and value of each header line in order, names as they were given. */
  *entries(): Generator<[name: string, value: string]> {
    for (let i = 0; i < this.#names.length; i++) yield [this.#names[i]!, this.#values[i]!];
  }

  [Symbol.iterator](): Generator<[name: string, value: string]> {
    return this.entries();
  }

  #deleteFrom(start: number, key: string): void {
    for (let i = this.#keys.length - 1; i >= start; i--) {
      if (this.#keys[i] !== key) continue;
      this.#names.splice(i, 1);
      this.#keys.splice(i, 1);
      this.#values.splice(i, 1);
    }
  }
}

function checkName(name: string): void {
  if (!isHeaderName(name)) throw rtspStateError('rtsp/bad-header-name', `not a header name: ${JSON.stringify(name)}`);
}

function clean(value: string): string {
  return value.replace(CONTROLS, ' ').trim();
}
