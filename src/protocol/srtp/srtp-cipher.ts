import type { SrtpProfile } from './srtp-profile.ts';

/**
 * One packet for an `SrtpCipher`, as places in a buffer. Made once and filled again for each packet.
 *
 *     start         textStart                textEnd    tagAt
 *     | in clear    | encrypted              | …        | tag |
 *
 * Authenticated is `[start, textEnd)` and, where `hasWord`, the 32-bit `word` as if it stood behind it: the rollover
 * counter (RFC 3711 §4.2), or E flag and index of SRTCP (RFC 3711 §3.4, RFC 7714 §9.2).
 */
export class SrtpJob {
  bytes: Uint8Array = new Uint8Array();
  start = 0;
  textStart = 0;
  textEnd = 0;
  tagAt = 0;
  hasWord = false;
  word = 0;
  /** AES-CM: 16 bytes, the last two zero. AES-GCM: the first 12. */
  readonly iv: Uint8Array;
  /** The same memory as `iv`. */
  readonly ivWords: Uint32Array;

  constructor() {
    this.iv = new Uint8Array(16);
    this.ivWords = new Uint32Array(this.iv.buffer);
  }
}

/** Encryption and authentication with one pair of session keys, in place. */
export interface SrtpCipher {
  /** Encrypts the first `count` jobs and writes their tags. */
  seal(jobs: readonly SrtpJob[], count: number): void;
  /** Checks the tag and decrypts. @returns false when the tag is wrong; the bytes are then as they were */
  open(job: SrtpJob): boolean;
}

/** What SRTP needs of a cryptographic library; `io/` implements it. */
export interface SrtpCrypto {
  /** AES of single blocks (ECB), 16 bytes each; AES-128 or AES-256 by the length of `key`. Used for key derivation. */
  encryptBlocks(key: Uint8Array, blocks: Uint8Array): Uint8Array;
  /** A cipher for as long as its keys are used; the arrays of keys may be cleared afterwards. */
  createCipher(options: SrtpCipherOptions): SrtpCipher;
}

export interface SrtpCipherOptions {
  readonly transform: SrtpProfile['transform'];
  readonly encryptionKey: Uint8Array;
  /** Empty for `aes-gcm`. */
  readonly authenticationKey: Uint8Array;
  /** Length of the tag to write and check, bytes. */
  readonly tagBytes: number;
}
