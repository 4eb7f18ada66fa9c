import { joinBytes } from '../../wire/join-bytes.ts';
import type { DtlsCrypto } from './dtls-crypto.ts';
import { HandshakeType, parseHandshakeFragments, writeHandshakeFragment } from './handshake-message.ts';
import { parseClientHelloStart, writeHelloVerifyRequest } from './hello-messages.ts';
import { ContentType, DTLS_1_0, parseRecord, RECORD_HEADER_BYTES, writeRecordHeader } from './record.ts';

/** Length of the secret that cookies are made with, bytes. */
export const COOKIE_SECRET_BYTES = 32;

/** What to do with a datagram of an unknown peer. */
export type HelloVerdict =
  /** Not the start of a ClientHello: drop it. */
  | { readonly type: 'drop' }
  /** Send this, and keep nothing. */
  | { readonly type: 'challenge'; readonly bytes: Uint8Array }
  /** The peer is where it says: give the datagram to a new session with that `DtlsOptions.firstMessageSequence`. */
  | { readonly type: 'accept'; readonly firstMessageSequence: number };

/**
 * Makes peers prove that they receive what is sent to them before anything is kept for them (RFC 6347 §4.2.1). Only for
 * ports without ICE, which has proved it already. Needs no more than the first fragment of a ClientHello, where the
 * cookie is.
 */
export class HelloVerifier {
  readonly #crypto: DtlsCrypto;
  readonly #hmac: (message: Uint8Array) => Uint8Array;

  constructor(crypto: DtlsCrypto) {
    this.#crypto = crypto;
    this.#hmac = crypto.hmac('sha256', crypto.randomBytes(COOKIE_SECRET_BYTES));
  }

  /** @param peer address and port in any form that is the same each time and different for each peer */
  judge(datagram: Uint8Array, peer: Uint8Array): HelloVerdict {
    const record = parseRecord(datagram, 0);
    if (record?.contentType !== ContentType.handshake || record.epoch !== 0) return { type: 'drop' };
    const fragment = parseHandshakeFragments(record.fragment).fragments[0];
    if (fragment?.type !== HandshakeType.clientHello || fragment.offset !== 0) return { type: 'drop' };
    const hello = parseClientHelloStart(fragment.body);
    if (hello === undefined) return { type: 'drop' };
    const cookie = this.#hmac(joinBytes([hello.random, Uint8Array.of(hello.sessionId.length), hello.sessionId, peer]));
    const { messageSequence } = fragment;
    if (hello.cookie.length === cookie.length && this.#crypto.isEqual(hello.cookie, cookie))
      return { type: 'accept', firstMessageSequence: messageSequence };
    const body = writeHelloVerifyRequest(DTLS_1_0, cookie);
    const message = { type: HandshakeType.helloVerifyRequest, messageSequence, body };
    const reply = writeHandshakeFragment(message, 0, body.length);
    const bytes = new Uint8Array(RECORD_HEADER_BYTES + reply.length);
    // Numbered like the question, as there is nothing here that could count.
    writeRecordHeader(bytes, record, reply.length);
    bytes.set(reply, RECORD_HEADER_BYTES);
    return { type: 'challenge', bytes };
  }
}
