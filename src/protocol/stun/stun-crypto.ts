/** A secret in the form the cryptography wants it, made once and used for every message. */
export interface StunKey {
  /** HMAC-SHA1, 20 bytes. */
  hmacSha1(bytes: Uint8Array): Uint8Array;
  /** HMAC-SHA256, 32 bytes. */
  hmacSha256(bytes: Uint8Array): Uint8Array;
}

/** The cryptography STUN needs; io/ has it. */
export interface StunCrypto {
  /** Copies the secret. */
  importKey(secret: Uint8Array): StunKey;
  /** Compares in a time that depends on the lengths only. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** 16 bytes; only for the long-term keys of servers that know nothing newer (RFC 8489 §9.2.2). */
  md5(bytes: Uint8Array): Uint8Array;
}
