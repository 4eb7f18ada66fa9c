import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { StunCrypto, StunKey } from '../protocol/stun/stun-crypto.ts';

/** STUN's cryptography by OpenSSL, through `node:crypto`. */
export const nodeStunCrypto: StunCrypto = {
  importKey: (secret) => new NodeStunKey(secret),
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  md5: (bytes) => createHash('md5').update(bytes).digest(),
};

/** A key object kept: handing raw bytes to each HMAC would import them each time. */
class NodeStunKey implements StunKey {
  readonly #key: KeyObject;

  constructor(secret: Uint8Array) {
    this.#key = createSecretKey(secret);
  }

  hmacSha1(bytes: Uint8Array): Uint8Array {
    return createHmac('sha1', this.#key).update(bytes).digest();
  }

  hmacSha256(bytes: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#key).update(bytes).digest();
  }
}
