import { setU32 } from '../../wire/big-endian.ts';
import { crc32 } from '../../wire/crc32.ts';
import { StateError } from '../../wire/errors.ts';
import { parseIpAddress } from './ip-address.ts';
import { StunAttribute } from './stun-attributes.ts';
import type { StunKey } from './stun-crypto.ts';
import type { StunStateErrorCode } from './stun-error.ts';
import {
  FINGERPRINT_XOR,
  MAGIC_COOKIE,
  MAX_STUN_MESSAGE_BYTES,
  STUN_HEADER_BYTES,
  type StunClass,
  type TransportAddress,
} from './stun-message.ts';

const INITIAL_BYTES = 128;
const TRANSACTION_ID_BYTES = 12;
const encoder = new TextEncoder();

/**
 * Writes one STUN message (RFC 8489 §5), attributes in the order of the calls; integrity and FINGERPRINT come last, in
 * this order. Every method throws `StateError` `stun/too-large` past `MAX_STUN_MESSAGE_BYTES`.
 */
export class StunWriter {
  #bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  #length: number = STUN_HEADER_BYTES;

  /** @throws StateError `stun/bad-transaction-id` unless it has 12 bytes */
  constructor(messageClass: StunClass, method: number, transactionId: Uint8Array) {
    if (transactionId.length !== TRANSACTION_ID_BYTES) {
      throw stunStateError('stun/bad-transaction-id', 'a transaction id has 12 bytes');
    }
    const type =
      (method & 0xf) |
      ((method & 0x70) << 1) |
      ((method & 0xf80) << 2) |
      ((messageClass & 1) << 4) |
      ((messageClass & 2) << 7);
    this.#bytes[0] = type >>> 8;
    this.#bytes[1] = type;
    setU32(this.#bytes, 4, MAGIC_COOKIE);
    this.#bytes.set(transactionId, 8);
  }

  /** Any attribute; the padding is zero. */
  attribute(type: number, value: Uint8Array): this {
    const at = this.#open(type, value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** USE-CANDIDATE and others that say all by being there. */
  flag(type: number): this {
    this.#open(type, 0);
    return this;
  }

  u32(type: number, value: number): this {
    const at = this.#open(type, 4);
    setU32(this.#bytes, at, value);
    return this;
  }

  u64(type: number, value: bigint): this {
    const at = this.#open(type, 8);
    setU32(this.#bytes, at, Number((value >> 32n) & 0xffff_ffffn));
    setU32(this.#bytes, at + 4, Number(value & 0xffff_ffffn));
    return this;
  }

  text(type: number, text: string): this {
    return this.attribute(type, encoder.encode(text));
  }

  /** XOR-MAPPED-ADDRESS (§14.2), without the zone a link-local address may have. @throws StateError `stun/bad-address` when it is no IP address */
  xorMappedAddress({ address, port }: TransportAddress): this {
    const [plain = ''] = address.split('%', 1);
    const ip = parseIpAddress(plain);
    if (ip === undefined) throw stunStateError('stun/bad-address', `${address} is not an IP address`);
    const at = this.#open(StunAttribute.xorMappedAddress, 4 + ip.length);
    const bytes = this.#bytes;
    bytes[at] = 0;
    bytes[at + 1] = ip.length === 4 ? 1 : 2;
    bytes[at + 2] = (port >>> 8) ^ bytes[4]!;
    bytes[at + 3] = port ^ bytes[5]!;
    for (let i = 0; i < ip.length; i++) bytes[at + 4 + i] = ip[i]! ^ bytes[4 + i]!;
    return this;
  }

  /** ERROR-CODE (§14.8), `code` 300–699, without a phrase unless one is given. */
  errorCode(code: number, reason = ''): this {
    const phrase = encoder.encode(reason);
    const at = this.#open(StunAttribute.errorCode, 4 + phrase.length);
    setU32(this.#bytes, at, (Math.floor(code / 100) << 8) | (code % 100));
    this.#bytes.set(phrase, at + 4);
    return this;
  }

  /** UNKNOWN-ATTRIBUTES (§14.9). */
  unknownAttributes(types: readonly number[]): this {
    let at = this.#open(StunAttribute.unknownAttributes, types.length * 2);
    for (const type of types) {
      this.#bytes[at++] = type >>> 8;
      this.#bytes[at++] = type;
    }
    return this;
  }

  /** MESSAGE-INTEGRITY (§14.5) over what was written so far. */
  messageIntegrity(key: StunKey): this {
    return this.#integrity(StunAttribute.messageIntegrity, 20, (text) => key.hmacSha1(text));
  }

  /** MESSAGE-INTEGRITY-SHA256 (§14.6), not truncated. */
  messageIntegritySha256(key: StunKey): this {
    return this.#integrity(StunAttribute.messageIntegritySha256, 32, (text) => key.hmacSha256(text));
  }

  #integrity(type: number, sizeBytes: number, hmac: (text: Uint8Array) => Uint8Array): this {
    const end = this.#length;
    const at = this.#open(type, sizeBytes);
    this.#bytes.set(hmac(this.#bytes.subarray(0, end)), at);
    return this;
  }

  /** FINGERPRINT (§14.7); nothing may follow. */
  fingerprint(): this {
    const end = this.#length;
    const at = this.#open(StunAttribute.fingerprint, 4);
    setU32(this.#bytes, at, crc32(this.#bytes, 0, end) ^ FINGERPRINT_XOR);
    return this;
  }

  /** The message; the writer must not be used after. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes an attribute's header, makes the message's length include it, and gives where its value starts. */
  #open(type: number, sizeBytes: number): number {
    const at = this.#length;
    const end = at + 4 + ((sizeBytes + 3) & ~3);
    if (end > MAX_STUN_MESSAGE_BYTES)
      throw stunStateError('stun/too-large', `a message of more than ${MAX_STUN_MESSAGE_BYTES} bytes`);
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(Math.max(end, this.#bytes.length * 2), MAX_STUN_MESSAGE_BYTES));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    const bytes = this.#bytes;
    bytes[at] = type >>> 8;
    bytes[at + 1] = type;
    bytes[at + 2] = sizeBytes >>> 8;
    bytes[at + 3] = sizeBytes;
    bytes[2] = (end - STUN_HEADER_BYTES) >>> 8;
    bytes[3] = end - STUN_HEADER_BYTES;
    this.#length = end;
    return at + 4;
  }
}

function stunStateError(code: StunStateErrorCode, message: string): StateError {
  return new StateError(code, message);
}
