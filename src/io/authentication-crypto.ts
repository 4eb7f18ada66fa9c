import { createHash, timingSafeEqual } from 'node:crypto';
import type { AuthenticationCrypto } from '../protocol/rtsp/digest.ts';

/** Names of the hashes in OpenSSL. */
const HASHES = { 'SHA-256': 'sha256', MD5: 'md5' } as const;

/** Hashes and comparison for Basic and digest authentication. */
export const nodeAuthenticationCrypto: AuthenticationCrypto = {
  hash: (algorithm, text) => createHash(HASHES[algorithm]).update(text, 'utf8').digest('hex'),
  isEqual: (first, second) => {
    // Of equal lengths, whatever the texts are.
    const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
    return timingSafeEqual(digest(first), digest(second));
  },
};
