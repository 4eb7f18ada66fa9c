import { joinBytes } from '../../wire/join-bytes.ts';
import type { StunCrypto, StunKey } from './stun-crypto.ts';

/** Who is known to a server by a user name and a password for good (RFC 8489 §9.2). */
export interface LongTermCredentials {
  /** UTF-8 text, prepared by the caller (OpaqueString, RFC 8265), as the password. */
  readonly username: string;
  readonly password: string;
  readonly realm: string;
}

/** The key for messages to a server that speaks of MD5 or of no algorithm (RFC 8489 §18.5.1.1). */
export function longTermKey(credentials: LongTermCredentials, crypto: StunCrypto): StunKey {
  const encoder = new TextEncoder();
  const { username, realm, password } = credentials;
  const parts = [username, ':', realm, ':', password].map((part) => encoder.encode(part));
  return crypto.importKey(crypto.md5(joinBytes(parts)));
}
