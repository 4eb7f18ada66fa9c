import { setU16, setU32 } from '../../wire/big-endian.ts';
import { equalBytes } from '../../wire/equal-bytes.ts';
import { CHUNK_TYPE } from './chunk-type.ts';

const INFORMATION_PARAMETER = 1;
const CHUNK_BYTES = 4 + 4 + 8;

/** Probes a path on which nothing is acknowledged for a while (RFC 9260 §8.3). */
export class Heartbeat {
  readonly #intervalMs: number;
  readonly #nonce: number;
  #count = 0;
  #sent: Uint8Array | undefined;
  #sentAtMs = 0;
  #deadlineMs: number = Number.POSITIVE_INFINITY;

  /** `nonce` is a random number of 32 bits, so that answers cannot be guessed. */
  constructor(intervalMs: number, nonce: number) {
    this.#intervalMs = intervalMs;
    this.#nonce = nonce;
  }

  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** The peer was heard: the next probe is an interval away. */
  postpone(nowMs: number): void {
    this.#sent = undefined;
    this.#deadlineMs = nowMs + this.#intervalMs;
  }

  /** Whether the last probe had no answer. */
  get isUnanswered(): boolean {
    return this.#sent !== undefined;
  }

  /** A HEARTBEAT chunk to send now; it should be answered within `rtoMs`. */
  probe(nowMs: number, rtoMs: number): Uint8Array {
    const chunk = new Uint8Array(CHUNK_BYTES);
    chunk[0] = CHUNK_TYPE.heartbeat;
    setU16(chunk, 2, CHUNK_BYTES);
    setU16(chunk, 4, INFORMATION_PARAMETER);
    setU16(chunk, 6, CHUNK_BYTES - 4);
    setU32(chunk, 8, this.#nonce);
    setU32(chunk, 12, this.#count++);
    this.#sent = chunk;
    this.#sentAtMs = nowMs;
    this.#deadlineMs = nowMs + rtoMs;
    return chunk;
  }

  /** Takes the HEARTBEAT ACK from `at` up to `end`; the round-trip time when it answers the last probe. */
  handleAck(bytes: Uint8Array, at: number, end: number, nowMs: number): number | undefined {
    if (this.#sent === undefined || !equalBytes(bytes.subarray(at + 4, end), this.#sent.subarray(4))) return undefined;
    this.postpone(nowMs);
    return nowMs - this.#sentAtMs;
  }
}

/** The answer to the HEARTBEAT from `at` up to `end`: the same information. */
export function heartbeatAck(bytes: Uint8Array, at: number, end: number): Uint8Array {
  const chunk = new Uint8Array(end - at);
  chunk.set(bytes.subarray(at, end));
  chunk[0] = CHUNK_TYPE.heartbeatAck;
  chunk[1] = 0;
  return chunk;
}
