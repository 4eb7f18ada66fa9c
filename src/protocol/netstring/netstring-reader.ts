import { ProtocolError } from '../../wire/errors.ts';
import { joinBytes } from '../../wire/join-bytes.ts';

/** Longest payload of one netstring, bytes: what the media worker's channel allows in either direction. */
export const MAX_NETSTRING_BYTES = 4_194_304;

/** Longest length prefix: the digits of `MAX_NETSTRING_BYTES`. */
const MAX_LENGTH_DIGITS = String(MAX_NETSTRING_BYTES).length;

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const COMMA = 0x2c;

/** What can be wrong with netstrings. */
export type NetstringErrorCode =
  /** Something that is no length stands where one must. */
  | 'netstring/bad-length'
  /** The payload is longer than `MAX_NETSTRING_BYTES`. */
  | 'netstring/too-large'
  /** The payload does not end with a comma. */
  | 'netstring/no-comma';

export type NetstringEvent =
  /** One payload, the reader's no longer: it may be kept, but may share memory with the bytes received. */
  | { readonly type: 'payload'; readonly bytes: Uint8Array }
  /** Everything received so far and not yet given out was dropped; the reader begins anew with the next bytes. */
  | { readonly type: 'error'; readonly error: ProtocolError };

/**
 * Reads netstrings (D. J. Bernstein, "Netstrings", 1997: `5:hello,`) from a stream of bytes cut anywhere. An error is an
 * event, not the end: the rest of the bytes received is dropped, and reading starts again with those of the next call.
 */
export class NetstringReader {
  readonly #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** Digits of the length read so far; 0 also once the colon was seen. */
  #digits = 0;
  #length = 0;
  #hasLength = false;

  /** Bytes held for a payload that is not complete yet. */
  get bufferedBytes(): number {
    return this.#pendingBytes;
  }

  /** Takes the next bytes of the stream. Those of an unfinished payload are kept until it is complete. */
  receive(bytes: Uint8Array): readonly NetstringEvent[] {
    const events: NetstringEvent[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (!this.#hasLength) {
        const code = this.#takeLengthByte(bytes[at]!);
        if (code !== undefined) {
          events.push(this.#fail(code));
          return events;
        }
        at++;
        continue;
      }
      const missing = this.#length - this.#pendingBytes;
      if (missing > 0) {
        const part = bytes.subarray(at, at + missing);
        this.#pending.push(part);
        this.#pendingBytes += part.length;
        at += part.length;
        continue;
      }
      if (bytes[at] !== COMMA) {
        events.push(this.#fail('netstring/no-comma'));
        return events;
      }
      at++;
      events.push({
        type: 'payload',
        bytes: this.#pending.length === 1 ? this.#pending[0]! : joinBytes(this.#pending),
      });
      this.#reset();
    }
    return events;
  }

  #takeLengthByte(byte: number): NetstringErrorCode | undefined {
    if (byte === COLON) {
      if (this.#digits === 0) return 'netstring/bad-length';
      this.#hasLength = true;
      return undefined;
    }
    if (byte < DIGIT_0 || byte > DIGIT_9) return 'netstring/bad-length';
    // "05:hello," is another way to write the same: the format forbids it.
    if (this.#digits > 0 && this.#length === 0) return 'netstring/bad-length';
    this.#digits++;
    this.#length = this.#length * 10 + (byte - DIGIT_0);
    return this.#digits > MAX_LENGTH_DIGITS || this.#length > MAX_NETSTRING_BYTES ? 'netstring/too-large' : undefined;
  }

  #fail(code: NetstringErrorCode): NetstringEvent {
    this.#reset();
    return { type: 'error', error: new ProtocolError(code, messages[code]) };
  }

  #reset(): void {
    this.#pending.length = 0;
    this.#pendingBytes = 0;
    this.#digits = 0;
    this.#length = 0;
    this.#hasLength = false;
  }
}

const messages: Readonly<Record<NetstringErrorCode, string>> = {
  'netstring/bad-length': 'a netstring begins with something that is not its length',
  'netstring/too-large': `a netstring is longer than ${MAX_NETSTRING_BYTES} bytes`,
  'netstring/no-comma': 'a netstring does not end with a comma',
};
