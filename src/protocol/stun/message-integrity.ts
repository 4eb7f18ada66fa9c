import type { StunCrypto, StunKey } from './stun-crypto.ts';
import { STUN_HEADER_BYTES, type StunMessage } from './stun-message.ts';
import type { StunWriter } from './stun-writer.ts';

/** Shortest MESSAGE-INTEGRITY-SHA256: it may be cut to a multiple of four (RFC 8489 §14.6). */
const MIN_SHA256_BYTES = 16;
const SHA256_BYTES = 32;
const SHA1_BYTES = 20;

/** Which integrity a message carries; `sha256` counts when it has both (RFC 8489 §9.1.3). */
export type IntegrityKind = 'sha1' | 'sha256';

/** The integrity a message carries, right or wrong; undefined without one. */
export function integrityKindOf(message: StunMessage): IntegrityKind | undefined {
  if (message.integritySha256At !== 0) return 'sha256';
  return message.integrityAt !== 0 ? 'sha1' : undefined;
}

/** Whether the message was made by somebody who has the key; false without any integrity. Takes a constant time. */
export function isIntegrityValid(message: StunMessage, key: StunKey, crypto: StunCrypto): boolean {
  const kind = integrityKindOf(message);
  if (kind === undefined) return false;
  const { bytes } = message;
  const at = kind === 'sha256' ? message.integritySha256At : message.integrityAt;
  const sizeBytes = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  const isSizeRight =
    kind === 'sha1'
      ? sizeBytes === SHA1_BYTES
      : sizeBytes >= MIN_SHA256_BYTES && sizeBytes <= SHA256_BYTES && sizeBytes % 4 === 0;
  if (!isSizeRight) return false;
  // The length in the header counted no attribute behind this one when the sender computed it.
  const text = bytes.slice(0, at);
  const lengthThen = at + 4 + sizeBytes - STUN_HEADER_BYTES;
  text[2] = lengthThen >>> 8;
  text[3] = lengthThen;
  const expected = kind === 'sha1' ? key.hmacSha1(text) : key.hmacSha256(text);
  return crypto.equal(bytes.subarray(at + 4, at + 4 + sizeBytes), expected.subarray(0, sizeBytes));
}

/** Adds the integrity a response needs: of the kind its request had (RFC 8489 §9.1.3). */
export function addIntegrity(writer: StunWriter, kind: IntegrityKind, key: StunKey): StunWriter {
  return kind === 'sha256' ? writer.messageIntegritySha256(key) : writer.messageIntegrity(key);
}
