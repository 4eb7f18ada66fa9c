/** What an association needs of cryptography, implemented in io/. */
export interface SctpCrypto {
  /** HMAC-SHA-256 of `bytes`, 32 bytes. */
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** Whether two sequences of equal length are the same, in a time that does not tell where they differ. */
  isEqual(first: Uint8Array, second: Uint8Array): boolean;
  /** Unpredictable bytes. */
  randomBytes(sizeBytes: number): Uint8Array;
}
