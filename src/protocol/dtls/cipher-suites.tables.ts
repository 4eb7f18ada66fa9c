import type { AeadName, PrfHash } from './dtls-crypto.ts';

/** A cipher suite of DTLS 1.2 with an ephemeral key exchange and authenticated encryption. Sizes are bytes. */
export interface CipherSuite {
  /** Number on the wire. */
  readonly id: number;
  readonly name: string;
  /** Kind of key the server's certificate must have. */
  readonly certificateKind: 'ecdsa-p256' | 'rsa';
  readonly aead: AeadName;
  /** Hash of the pseudorandom function and the transcript. */
  readonly hash: PrfHash;
  readonly keyBytes: number;
  /** Part of the nonce that comes from the key block. */
  readonly fixedIvBytes: number;
  /** Part of the nonce that each record carries. */
  readonly explicitNonceBytes: number;
}

const aes128Gcm = {
  aead: 'aes-128-gcm',
  hash: 'sha256',
  keyBytes: 16,
  fixedIvBytes: 4,
  explicitNonceBytes: 8,
} as const;
const aes256Gcm = { ...aes128Gcm, aead: 'aes-256-gcm', hash: 'sha384', keyBytes: 32 } as const;
const chacha20Poly1305 = {
  aead: 'chacha20-poly1305',
  hash: 'sha256',
  keyBytes: 32,
  fixedIvBytes: 12,
  explicitNonceBytes: 0,
} as const;
const ecdsa = { certificateKind: 'ecdsa-p256' } as const;
const rsa = { certificateKind: 'rsa' } as const;

/** All suites there are here, in the order they are preferred (RFC 5289 §3.2, RFC 7905 §2). */
export const CIPHER_SUITES: readonly CipherSuite[] = [
  { id: 0xc02b, name: 'ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', ...ecdsa, ...aes128Gcm },
  { id: 0xc02f, name: 'ECDHE_RSA_WITH_AES_128_GCM_SHA256', ...rsa, ...aes128Gcm },
  { id: 0xcca9, name: 'ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', ...ecdsa, ...chacha20Poly1305 },
  { id: 0xcca8, name: 'ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', ...rsa, ...chacha20Poly1305 },
  { id: 0xc02c, name: 'ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', ...ecdsa, ...aes256Gcm },
  { id: 0xc030, name: 'ECDHE_RSA_WITH_AES_256_GCM_SHA384', ...rsa, ...aes256Gcm },
];

/** In the list of suites: says the same as an empty renegotiation_info (RFC 5746 §3.3). */
export const EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff;

/** The suite of that number; undefined when it isn't here. */
export function findCipherSuite(id: number): CipherSuite | undefined {
  return CIPHER_SUITES.find((suite) => suite.id === id);
}
