import { joinBytes } from '../../wire/join-bytes.ts';
import { HANDSHAKE_HEADER_BYTES, type HandshakeMessage, writeHandshakeFragment } from './handshake-message.ts';
import { ContentType } from './record.ts';
import type { Epoch, RecordLayer } from './record-layer.ts';

/** The smallest datagram a flight can be cut for, bytes. */
export const MIN_MTU_BYTES = 64;
/** The longest time between two transmissions (RFC 6347 §4.2.4.1). */
export const MAX_RETRANSMISSION_MS = 60_000;
/** A peer that asks again sooner than this is not answered again, milliseconds; half the timer's start when that is less. */
export const MIN_RESEND_INTERVAL_MS = 50;

/** A shorter piece of a longer message is not worth its header: it goes into the next datagram. */
const MIN_PIECE_BYTES = 64;

/** One thing of a flight. */
export type FlightItem =
  | { readonly type: 'message'; readonly epoch: Epoch; readonly message: HandshakeMessage }
  | { readonly type: 'change-cipher-spec' };

/** Settings of the timers. Times are milliseconds. */
export interface FlightOptions {
  /** Longest datagram, bytes. */
  readonly mtu: number;
  /** From a transmission to the next; doubles each time up to `MAX_RETRANSMISSION_MS`. */
  readonly initialRetransmissionMs: number;
}

/** Sends the messages of one side that belong together, and sends them again until they are answered (RFC 6347 §4.2.4). */
export class FlightSender {
  readonly #records: RecordLayer;
  readonly #options: FlightOptions;
  #flight: readonly FlightItem[] = [];
  #timeoutMs: number;
  #sentMs = Number.NEGATIVE_INFINITY;
  #nextTimeoutMs: number | undefined;
  #wasRepeated = false;

  constructor(records: RecordLayer, options: FlightOptions) {
    this.#records = records;
    this.#options = options;
    this.#timeoutMs = options.initialRetransmissionMs;
  }

  /** When the flight has to be sent again; undefined for never. */
  get nextTimeoutMs(): number | undefined {
    return this.#nextTimeoutMs;
  }

  /** The datagrams of a new flight. @param isAnswered whether the peer answers: then it is repeated until `stop` or the next flight */
  send(flight: readonly FlightItem[], isAnswered: boolean, nowMs: number): readonly Uint8Array[] {
    this.#flight = flight;
    // Loss is remembered until a flight gets through at once (RFC 6347 §4.2.4.1).
    if (!this.#wasRepeated) this.#timeoutMs = this.#options.initialRetransmissionMs;
    this.#wasRepeated = false;
    this.#sentMs = nowMs;
    this.#nextTimeoutMs = isAnswered ? nowMs + this.#timeoutMs : undefined;
    return this.#datagrams();
  }

  /** The flight again, since its time is up. */
  repeat(nowMs: number): readonly Uint8Array[] {
    this.#wasRepeated = true;
    this.#timeoutMs = Math.min(this.#timeoutMs * 2, MAX_RETRANSMISSION_MS);
    this.#sentMs = nowMs;
    this.#nextTimeoutMs = nowMs + this.#timeoutMs;
    return this.#datagrams();
  }

  /** The flight again, since the peer repeats what it answers; nothing if it was sent only just now. */
  answerAgain(nowMs: number): readonly Uint8Array[] {
    const intervalMs = Math.min(MIN_RESEND_INTERVAL_MS, this.#options.initialRetransmissionMs / 2);
    if (nowMs - this.#sentMs < intervalMs) return [];
    this.#sentMs = nowMs;
    if (this.#nextTimeoutMs !== undefined) this.#nextTimeoutMs = nowMs + this.#timeoutMs;
    return this.#datagrams();
  }

  /** No more by itself; the flight is kept for `answerAgain`. */
  stop(): void {
    this.#nextTimeoutMs = undefined;
  }

  /** The flight was answered, or nobody waits for it any more. */
  forget(): void {
    this.stop();
    this.#flight = [];
  }

  #datagrams(): readonly Uint8Array[] {
    const packing = new DatagramPacking(this.#records, this.#options.mtu);
    for (const item of this.#flight) packing.add(item);
    return packing.finish();
  }
}

/** Fills datagrams with records, and cuts messages where a datagram ends. */
class DatagramPacking {
  readonly #records: RecordLayer;
  readonly #mtu: number;
  readonly #datagrams: Uint8Array[] = [];
  #pending: Uint8Array[] = [];
  #freeBytes: number;

  constructor(records: RecordLayer, mtu: number) {
    this.#records = records;
    this.#mtu = mtu;
    this.#freeBytes = mtu;
  }

  add(item: FlightItem): void {
    if (item.type === 'change-cipher-spec') {
      if (this.#freeBytes <= this.#records.overheadBytes(0)) this.#endDatagram();
      this.#put(this.#records.write(0, ContentType.changeCipherSpec, Uint8Array.of(1)));
      return;
    }
    const { epoch, message } = item;
    const headerBytes = this.#records.overheadBytes(epoch) + HANDSHAKE_HEADER_BYTES;
    const { length } = message.body;
    let at = 0;
    do {
      if (this.#freeBytes < headerBytes + Math.min(length - at, MIN_PIECE_BYTES)) this.#endDatagram();
      const sizeBytes = Math.min(length - at, this.#freeBytes - headerBytes);
      this.#put(this.#records.write(epoch, ContentType.handshake, writeHandshakeFragment(message, at, sizeBytes)));
      at += sizeBytes;
    } while (at < length);
  }

  finish(): readonly Uint8Array[] {
    this.#endDatagram();
    return this.#datagrams;
  }

  #put(record: Uint8Array): void {
    this.#pending.push(record);
    this.#freeBytes -= record.length;
  }

  #endDatagram(): void {
    if (this.#pending.length > 0) this.#datagrams.push(joinBytes(this.#pending));
    this.#pending = [];
    this.#freeBytes = this.#mtu;
  }
}
