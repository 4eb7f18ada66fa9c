import type { ProtocolError } from '../../wire/errors.ts';
import { iceError, iceStateError } from './ice-error.ts';

/** Longest packet the length in front can tell (RFC 4571 §2). */
export const MAX_FRAMED_BYTES = 65_535;
const LENGTH_BYTES = 2;

/**
 * Cuts a TCP connection back into the datagrams it carries, each behind two bytes of length (RFC 4571). Holds at most one
 * unfinished packet, of at most `maxFrameBytes`.
 */
export class TcpFrameReader {
  /** Longest packet taken; may be raised once the peer has shown who it is. 1–65,535. */
  maxFrameBytes: number;
  #error: ProtocolError | undefined;
  /** Length bytes read of the next frame, 0–2. */
  #lengthBytes = 0;
  #length = 0;
  #partial: Uint8Array = new Uint8Array(0);
  #filled = 0;

  constructor(maxFrameBytes: number = MAX_FRAMED_BYTES) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Why nothing more is read: `ice/frame-too-large`. */
  get error(): ProtocolError | undefined {
    return this.#error;
  }

  /** Packets finished by these bytes: views into them, or into a buffer of their own; empty packets are left out. */
  read(bytes: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length && this.#error === undefined) {
      if (this.#lengthBytes < LENGTH_BYTES) {
        this.#length = ((this.#length << 8) | bytes[at++]!) & 0xffff;
        if (++this.#lengthBytes < LENGTH_BYTES) continue;
        this.#begin();
        continue;
      }
      const missing = this.#length - this.#filled;
      const taken = bytes.subarray(at, at + missing);
      at += taken.length;
      if (taken.length === this.#length) {
        frames.push(taken);
        this.#lengthBytes = 0;
        continue;
      }
      if (this.#filled === 0) this.#partial = new Uint8Array(this.#length);
      this.#partial.set(taken, this.#filled);
      this.#filled += taken.length;
      if (this.#filled < this.#length) continue;
      frames.push(this.#partial);
      this.#partial = new Uint8Array(0);
      this.#filled = 0;
      this.#lengthBytes = 0;
    }
    return frames;
  }

  /** The length is known: an empty packet is over, one too long is the end. */
  #begin(): void {
    if (this.#length === 0) this.#lengthBytes = 0;
    if (this.#length <= this.maxFrameBytes) return;
    this.#error = iceError(
      'ice/frame-too-large',
      `a packet of ${this.#length} bytes, at most ${this.maxFrameBytes} are taken`,
    );
  }
}

/** A packet with its length in front, in a new buffer. @throws StateError `ice/frame-too-large` */
export function writeTcpFrame(packet: Uint8Array): Uint8Array {
  if (packet.length > MAX_FRAMED_BYTES)
    throw iceStateError('ice/frame-too-large', `a packet of ${packet.length} bytes`);
  const framed = new Uint8Array(LENGTH_BYTES + packet.length);
  framed[0] = packet.length >>> 8;
  framed[1] = packet.length;
  framed.set(packet, LENGTH_BYTES);
  return framed;
}
