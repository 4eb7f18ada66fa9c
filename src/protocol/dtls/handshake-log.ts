import { joinBytes } from '../../wire/join-bytes.ts';
import type { DtlsCrypto, PrfHash } from './dtls-crypto.ts';
import type { FlightItem } from './flight.ts';
import { type HandshakeMessage, writeHandshakeFragment } from './handshake-message.ts';
import type { Epoch } from './record-layer.ts';

/**
 * The messages of a handshake in order, as both sides hash and sign them: whole, whatever pieces they came in
 * (RFC 6347 §4.2.6). Numbers our own messages.
 */
export class HandshakeLog {
  readonly #crypto: DtlsCrypto;
  #messages: Uint8Array[] = [];
  #nextMessageSequence: number;

  constructor(crypto: DtlsCrypto, firstMessageSequence: number) {
    this.#crypto = crypto;
    this.#nextMessageSequence = firstMessageSequence;
  }

  /** Adds a message of the peer. */
  add(message: HandshakeMessage): void {
    this.#messages.push(writeHandshakeFragment(message, 0, message.body.length));
  }

  /** Makes a message of ours and adds it. */
  write(type: number, body: Uint8Array, epoch: Epoch = 0): FlightItem {
    const message = { type, messageSequence: this.#nextMessageSequence++, body };
    this.add(message);
    return { type: 'message', epoch, message };
  }

  /** Forgets all messages: a hello without cookie does not count. Numbers go on. */
  restart(): void {
    this.#messages = [];
  }

  /** All messages so far. */
  bytes(): Uint8Array {
    return joinBytes(this.#messages);
  }

  hash(algorithm: PrfHash): Uint8Array {
    return this.#crypto.hash(algorithm, this.bytes());
  }
}
