import type { NamedGroup } from './named-groups.tables.ts';
import type { SignatureScheme } from './signature-schemes.tables.ts';

/** Hashes a pseudorandom function is made of. */
export type PrfHash = 'sha256' | 'sha384';

/** Hashes of fingerprints, by their names in SDP (RFC 8122 §5). */
export type DigestAlgorithm = 'sha-1' | 'sha-224' | 'sha-256' | 'sha-384' | 'sha-512';

export type AeadName = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';

/** What DTLS needs of a cryptographic library; `io/` implements it. Arrays it gives are new ones. */
export interface DtlsCrypto {
  randomBytes(sizeBytes: number): Uint8Array;
  hash(algorithm: PrfHash, bytes: Uint8Array): Uint8Array;
  digest(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array;
  /** HMAC with one key for any number of messages. */
  hmac(hash: PrfHash, key: Uint8Array): (message: Uint8Array) => Uint8Array;
  /** Whether both hold the same bytes, in a time that does not depend on where they differ. Lengths are no secret. */
  isEqual(a: Uint8Array, b: Uint8Array): boolean;
  /** @param key of the length the algorithm wants; copied */
  createAead(name: AeadName, key: Uint8Array): DtlsAead;
  /** A new key pair for one handshake. */
  createKeyExchange(group: NamedGroup): DtlsKeyExchange;
  /**
   * Whether `signature` over `message` is by the key. False too for a key or signature that can't be read.
   * @param subjectPublicKeyInfo DER of RFC 5280 §4.1.2.7
   */
  verify(
    subjectPublicKeyInfo: Uint8Array,
    scheme: SignatureScheme,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean;
  /** A new ECDSA key pair on P-256, for a self-signed certificate. */
  createSigningKey(): { readonly privateKey: DtlsPrivateKey; readonly subjectPublicKeyInfo: Uint8Array };
}

/** Authenticated encryption with one key; tags are 16 bytes, nonces 12. */
export interface DtlsAead {
  /** Encrypts `plaintext` and writes it, with the tag behind it, to `target` at `at`. */
  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, target: Uint8Array, at: number): void;
  /** @param sealed with the tag at its end. @returns the plaintext in a new buffer; undefined when the tag is wrong */
  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** One side of a Diffie-Hellman key exchange. */
export interface DtlsKeyExchange {
  /** As it goes on the wire: 32 bytes of X25519, an uncompressed point of 65 bytes of P-256. */
  readonly publicKey: Uint8Array;
  /** The shared secret; undefined when the peer's key is not a point of the group or gives the zero secret. */
  deriveSharedSecret(peerPublicKey: Uint8Array): Uint8Array | undefined;
}

/** A private key of a certificate. */
export interface DtlsPrivateKey {
  readonly kind: SignatureScheme['kind'];
  /** Signs `message`, which the scheme's hash is taken of. ECDSA signatures are DER. */
  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array;
}
