import { setU24 } from '../../wire/big-endian.ts';
import { ByteReader } from '../../wire/byte-reader.ts';

/** `HandshakeType` of the messages used here (RFC 6347 §4.3.2). */
export const HandshakeType = {
  helloRequest: 0,
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;

export const HANDSHAKE_HEADER_BYTES = 12;
/** The longest message that is taken, header left out; only certificates come near. */
export const MAX_HANDSHAKE_MESSAGE_BYTES = 32_768;

/** A whole message. */
export interface HandshakeMessage {
  readonly type: number;
  readonly messageSequence: number;
  readonly body: Uint8Array;
}

/** A part of a message, or all of it. */
export interface HandshakeFragment {
  readonly type: number;
  readonly messageSequence: number;
  /** Length of the whole message's body. */
  readonly messageBytes: number;
  readonly offset: number;
  /** A view into the record. */
  readonly body: Uint8Array;
}

/**
 * Reads the fragments in a handshake record, of which there may be several (RFC 6347 §4.2.2).
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+-----------------------------------------------+
 *     |     type      |              length of the message            |
 *     +---------------+---------------+-------------------------------+
 *     |       message sequence        |        fragment offset        |
 *     +---------------+---------------+-------------------------------+
 *     |               |                fragment length                |
 *     +---------------+-----------------------------------------------+
 *
 * @returns those before the first that is cut short, or lies outside its message; `isMalformed` says that there was one
 */
export function parseHandshakeFragments(record: Uint8Array): {
  readonly fragments: readonly HandshakeFragment[];
  readonly isMalformed: boolean;
} {
  const reader = new ByteReader(record);
  const fragments: HandshakeFragment[] = [];
  while (reader.remaining > 0) {
    const type = reader.u8();
    const messageBytes = reader.u24();
    const messageSequence = reader.u16();
    const offset = reader.u24();
    const body = reader.view(reader.u24());
    if (reader.overrun || offset + body.length > messageBytes) return { fragments, isMalformed: true };
    fragments.push({ type, messageSequence, messageBytes, offset, body });
  }
  return { fragments, isMalformed: false };
}

/** A fragment of `message` in a new buffer: `sizeBytes` of its body from `offset`. */
export function writeHandshakeFragment(message: HandshakeMessage, offset: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_HEADER_BYTES + sizeBytes);
  bytes[0] = message.type;
  setU24(bytes, 1, message.body.length);
  bytes[4] = message.messageSequence >>> 8;
  bytes[5] = message.messageSequence;
  setU24(bytes, 6, offset);
  setU24(bytes, 9, sizeBytes);
  bytes.set(message.body.subarray(offset, offset + sizeBytes), HANDSHAKE_HEADER_BYTES);
  return bytes;
}
