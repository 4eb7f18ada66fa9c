import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SctpCrypto } from '../protocol/sctp/sctp-crypto.ts';

/** The cryptography of SCTP associations from OpenSSL: cookies and random numbers. */
export const nodeSctpCrypto: SctpCrypto = {
  hmacSha256: (key, bytes) => createHmac('sha256', key).update(bytes).digest(),
  isEqual: (first, second) => first.length === second.length && timingSafeEqual(first, second),
  randomBytes: (sizeBytes) => randomBytes(sizeBytes),
};
