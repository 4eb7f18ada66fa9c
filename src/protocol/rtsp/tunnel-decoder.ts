import type { ProtocolError } from '../../wire/errors.ts';
import { rtspError } from './rtsp-error.ts';

/** Meaning of a byte that is no base64 digit. */
const SKIP = 64;
const PADDING = 65;
const BAD = 66;

const VALUES: Uint8Array = (() => {
  const values = new Uint8Array(256).fill(BAD);
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  for (let i = 0; i < digits.length; i++) values[digits.charCodeAt(i)] = i;
  for (const space of [0x09, 0x0a, 0x0d, 0x20]) values[space] = SKIP;
  values[0x3d] = PADDING;
  return values;
})();

/**
 * Decodes what a client sends through the POST connection of an RTSP over HTTP tunnel: base64 (RFC 4648 §4) cut anywhere.
 * Requests are encoded one by one, so padding may come at any time and the next group begins behind it; white space is
 * skipped.
 */
export class TunnelDecoder {
  /** Bits of the group being read, and how many digits of it there are. */
  #bits = 0;
  #digits = 0;
  #error: ProtocolError | undefined;

  /** What was wrong; from then on nothing more is decoded. */
  get error(): ProtocolError | undefined {
    return this.#error;
  }

  /** The bytes that are complete with this input, in a new buffer; those in front of an error still come. */
  decode(bytes: Uint8Array): Uint8Array {
    if (this.#error !== undefined) return new Uint8Array(0);
    const out = new Uint8Array(Math.ceil((bytes.length + 3) / 4) * 3);
    let size = 0;
    for (const byte of bytes) {
      const value = VALUES[byte]!;
      if (value < SKIP) {
        this.#bits = (this.#bits << 6) | value;
        if (++this.#digits < 4) continue;
        out[size++] = this.#bits >>> 16;
        out[size++] = this.#bits >>> 8;
        out[size++] = this.#bits;
        this.#reset();
      } else if (value === PADDING) {
        if (this.#digits === 1) return this.#fail(out.subarray(0, size), 'padding behind a single digit');
        // Two digits hold one byte, three two. The second padding of a group finds no digits and changes nothing.
        if (this.#digits === 2) out[size++] = this.#bits >>> 4;
        if (this.#digits === 3) {
          out[size++] = this.#bits >>> 10;
          out[size++] = this.#bits >>> 2;
        }
        this.#reset();
      } else if (value === BAD) {
        return this.#fail(out.subarray(0, size), `byte 0x${byte.toString(16)} is not base64`);
      }
    }
    return out.subarray(0, size);
  }

  #reset(): void {
    this.#bits = 0;
    this.#digits = 0;
  }

  #fail(decoded: Uint8Array, message: string): Uint8Array {
    this.#error = rtspError('rtsp/bad-tunnel-data', message);
    return decoded;
  }
}
