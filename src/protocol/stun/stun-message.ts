import { getU32 } from '../../wire/big-endian.ts';
import { crc32 } from '../../wire/crc32.ts';
import { formatIpAddress } from './ip-address.ts';
import { isUnknownRequired, StunAttribute } from './stun-attributes.ts';

export const STUN_HEADER_BYTES = 20;
/** Longest message read or written; RFC 8489 §6.1 wants them below the path's MTU. */
export const MAX_STUN_MESSAGE_BYTES = 2048;
/** Attributes of a message; one with more is not read. */
export const MAX_STUN_ATTRIBUTES = 32;
/** "STUN" in bytes 4–7. */
export const MAGIC_COOKIE = 0x2112_a442;
/** XORed with the CRC so that it differs from one another layer makes of the same bytes (RFC 8489 §14.7). */
export const FINGERPRINT_XOR = 0x5354_554e;

/** What a message is (RFC 8489 §5). */
export const StunClass = { request: 0, indication: 1, success: 2, error: 3 } as const;
export type StunClass = (typeof StunClass)[keyof typeof StunClass];

/** The only method spoken here. */
export const BINDING_METHOD = 1;

/** An IP address as text without brackets or zone, and a port. */
export interface TransportAddress {
  readonly address: string;
  readonly port: number;
}

/** Where an attribute's value lies. */
interface AttributePlace {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

const decoder = new TextDecoder();

/**
 * A STUN message over the bytes it came in (RFC 8489 §5). Attributes it tells are those that count: the first of each
 * type, and behind an integrity only another integrity and FINGERPRINT. Nothing of it is to be trusted before
 * `isIntegrityValid` has said so.
 */
export class StunMessage {
  /** The whole message; a view into what was parsed, and so is every value. */
  readonly bytes: Uint8Array;
  readonly messageClass: StunClass;
  /** 0–255: those above share their first byte with other protocols (RFC 7983). */
  readonly method: number;
  /** Whether there is a FINGERPRINT; a message with a wrong one is not parsed at all. */
  readonly hasFingerprint: boolean;
  /** Where MESSAGE-INTEGRITY starts, its header included; 0 without one. */
  readonly integrityAt: number;
  /** Where MESSAGE-INTEGRITY-SHA256 starts, its header included; 0 without one. */
  readonly integritySha256At: number;
  /** Types that must be understood and are not. */
  readonly unknownRequired: readonly number[];
  readonly #places: readonly AttributePlace[];

  constructor(
    bytes: Uint8Array,
    places: readonly AttributePlace[],
    found: { readonly unknownRequired: readonly number[]; readonly hasFingerprint: boolean },
  ) {
    const type = (bytes[0]! << 8) | bytes[1]!;
    this.bytes = bytes;
    this.messageClass = (((type >>> 7) & 2) | ((type >>> 4) & 1)) as StunClass;
    this.method = (type & 0xf) | ((type >>> 1) & 0x70) | ((type >>> 2) & 0xf80);
    this.#places = places;
    this.unknownRequired = found.unknownRequired;
    this.hasFingerprint = found.hasFingerprint;
    this.integrityAt = this.#headerOf(StunAttribute.messageIntegrity);
    this.integritySha256At = this.#headerOf(StunAttribute.messageIntegritySha256);
  }

  /** 12 bytes. */
  get transactionId(): Uint8Array {
    return this.bytes.subarray(8, STUN_HEADER_BYTES);
  }

  #headerOf(type: number): number {
    const place = this.#places.find((candidate) => candidate.type === type);
    return place === undefined ? 0 : place.start - 4;
  }

  has(type: number): boolean {
    return this.#headerOf(type) !== 0;
  }

  /** The value without padding, undefined when the attribute is not there. */
  value(type: number): Uint8Array | undefined {
    for (const place of this.#places) if (place.type === type) return this.bytes.subarray(place.start, place.end);
    return undefined;
  }

  /** A value of four bytes as a number; undefined when it is not there or of another size. */
  u32(type: number): number | undefined {
    const value = this.value(type);
    return value?.length === 4 ? getU32(value, 0) : undefined;
  }

  /** A value of eight bytes as a number; undefined when it is not there or of another size. */
  u64(type: number): bigint | undefined {
    const value = this.value(type);
    return value?.length === 8 ? (BigInt(getU32(value, 0)) << 32n) | BigInt(getU32(value, 4)) : undefined;
  }

  /** A value as UTF-8 text; bytes that are none become U+FFFD. */
  text(type: number): string | undefined {
    const value = this.value(type);
    return value === undefined ? undefined : decoder.decode(value);
  }

  /** XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS of servers before RFC 5389; undefined when there is neither or it is malformed. */
  mappedAddress(): TransportAddress | undefined {
    const xored = this.value(StunAttribute.xorMappedAddress);
    if (xored !== undefined) return readAddress(xored, this.bytes.subarray(4, STUN_HEADER_BYTES));
    const plain = this.value(StunAttribute.mappedAddress);
    return plain === undefined ? undefined : readAddress(plain, undefined);
  }

  /** Number of ERROR-CODE, 300–699; undefined when it is not there or malformed. */
  errorCode(): number | undefined {
    const value = this.value(StunAttribute.errorCode);
    if (value === undefined || value.length < 4) return undefined;
    const hundreds = value[2]! & 7;
    const rest = value[3]!;
    return hundreds < 3 || hundreds > 6 || rest > 99 ? undefined : hundreds * 100 + rest;
  }
}

/** Reads the forms of RFC 8489 §14.1 and, with `mask` (cookie and transaction id), §14.2. */
function readAddress(value: Uint8Array, mask: Uint8Array | undefined): TransportAddress | undefined {
  const sizeBytes = value[1] === 1 ? 4 : value[1] === 2 ? 16 : 0;
  if (sizeBytes === 0 || value.length !== 4 + sizeBytes) return undefined;
  const bytes = value.slice(2);
  if (mask !== undefined) {
    bytes[0]! ^= mask[0]!;
    bytes[1]! ^= mask[1]!;
    for (let i = 0; i < sizeBytes; i++) bytes[2 + i]! ^= mask[i]!;
  }
  return { address: formatIpAddress(bytes.subarray(2)), port: (bytes[0]! << 8) | bytes[1]! };
}

/** Whether the bytes begin as a STUN message does; costs nothing. */
export function looksLikeStun(bytes: Uint8Array): boolean {
  return bytes.length >= STUN_HEADER_BYTES && bytes[0]! < 4 && getU32(bytes, 4) === MAGIC_COOKIE;
}

/**
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |0 0|     type and class        |            length             |
 *     |                         magic cookie                          |
 *     |                     transaction id (96 bits)                  |
 *     |            type               |            length             |
 *     |                     value, padded to 32 bits …                |
 *
 * Reads one message that is all of `bytes` (RFC 8489 §5, §6.3). Gives undefined for anything else: another protocol,
 * RFC 3489 without the cookie, lengths that don't fit, too many attributes, a wrong FINGERPRINT or one that is not last.
 */
export function parseStunMessage(bytes: Uint8Array): StunMessage | undefined {
  if (!looksLikeStun(bytes) || bytes.length > MAX_STUN_MESSAGE_BYTES || bytes.length % 4 !== 0) return undefined;
  if (((bytes[2]! << 8) | bytes[3]!) !== bytes.length - STUN_HEADER_BYTES) return undefined;
  const places: AttributePlace[] = [];
  const unknownRequired: number[] = [];
  let hasFingerprint = false;
  /** The integrity after which little counts, 0 before there is one. */
  let integrity = 0;
  let count = 0;
  for (let at = STUN_HEADER_BYTES; at < bytes.length; ) {
    if (hasFingerprint || ++count > MAX_STUN_ATTRIBUTES || at + 4 > bytes.length) return undefined;
    const type = (bytes[at]! << 8) | bytes[at + 1]!;
    const start = at + 4;
    const end = start + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
    if (end > bytes.length) return undefined;
    if (type === StunAttribute.fingerprint) {
      if (end - start !== 4 || (crc32(bytes, 0, at) ^ FINGERPRINT_XOR) >>> 0 !== getU32(bytes, start)) return undefined;
      hasFingerprint = true;
    } else if (isCounted(type, integrity)) {
      places.push({ type, start, end });
      if (isUnknownRequired(type)) unknownRequired.push(type);
      if (isIntegrity(type)) integrity = type;
    }
    at = start + ((end - start + 3) & ~3);
  }
  return new StunMessage(bytes, places, { unknownRequired, hasFingerprint });
}

function isIntegrity(type: number): boolean {
  return type === StunAttribute.messageIntegrity || type === StunAttribute.messageIntegritySha256;
}

/** Whether an attribute behind `integrity` is more than an addition by somebody on the way (RFC 8489 §14.5, §14.6). */
function isCounted(type: number, integrity: number): boolean {
  if (integrity === 0) return true;
  return integrity === StunAttribute.messageIntegrity && type === StunAttribute.messageIntegritySha256;
}
