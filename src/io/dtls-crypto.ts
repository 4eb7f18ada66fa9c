import {
  type CipherChaCha20Poly1305Types,
  type CipherGCMTypes,
  constants,
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type ECDH,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { kindOf } from '../protocol/dtls/certificate-key.ts';
import type {
  AeadName,
  DigestAlgorithm,
  DtlsAead,
  DtlsCrypto,
  DtlsKeyExchange,
  DtlsPrivateKey,
} from '../protocol/dtls/dtls-crypto.ts';
import type { SignatureScheme } from '../protocol/dtls/signature-schemes.tables.ts';

const TAG_BYTES = 16;

/** Names of the hashes of fingerprints in OpenSSL. */
const DIGESTS: Readonly<Record<DigestAlgorithm, string>> = {
  'sha-1': 'sha1',
  'sha-224': 'sha224',
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
};

/** DTLS's cryptography by OpenSSL, through `node:crypto`. */
export const nodeDtlsCrypto: DtlsCrypto = {
  randomBytes: (sizeBytes) => randomBytes(sizeBytes),
  hash: (algorithm, bytes) => createHash(algorithm).update(bytes).digest(),
  digest: (algorithm, bytes) => createHash(DIGESTS[algorithm]).update(bytes).digest(),
  hmac: (hash, key) => {
    const keyObject = createSecretKey(key);
    return (message) => createHmac(hash, keyObject).update(message).digest();
  },
  isEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  createAead: (name, key) => new NodeAead(name, key),
  createKeyExchange: (group) => (group.name === 'x25519' ? new X25519KeyExchange() : new P256KeyExchange()),
  verify: (subjectPublicKeyInfo, scheme, message, signature) => {
    try {
      const key = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' });
      return verify(scheme.hash, message, { key, ...paddingOf(scheme) }, signature);
    } catch {
      // A key or signature that OpenSSL can't even read; it proves nothing.
      return false;
    }
  },
  createSigningKey: () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const subjectPublicKeyInfo = publicKey.export({ format: 'der', type: 'spki' });
    return { privateKey: new NodeDtlsPrivateKey(privateKey, 'ecdsa-p256'), subjectPublicKeyInfo };
  },
};

/** A private key in memory of OpenSSL. */
export class NodeDtlsPrivateKey implements DtlsPrivateKey {
  readonly kind: SignatureScheme['kind'];
  readonly #key: KeyObject;

  constructor(key: KeyObject, kind: SignatureScheme['kind']) {
    this.#key = key;
    this.kind = kind;
  }

  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array {
    return sign(scheme.hash, message, { key: this.#key, ...paddingOf(scheme) });
  }
}

/** Kind of an asymmetric key; undefined when certificates with it aren't taken. */
export function certificateKindOf(publicKey: KeyObject, minRsaBits?: number): SignatureScheme['kind'] | undefined {
  return kindOf(publicKey.export({ format: 'der', type: 'spki' }), minRsaBits);
}

function paddingOf({ padding }: SignatureScheme): { readonly padding?: number; readonly saltLength?: number } {
  if (padding === undefined) return {};
  if (padding === 'pkcs1') return { padding: constants.RSA_PKCS1_PADDING };
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

class NodeAead implements DtlsAead {
  readonly #key: KeyObject;
  // Both families are used alike; the types of Node know them apart.
  readonly #algorithm: CipherGCMTypes;

  constructor(name: AeadName, key: Uint8Array) {
    this.#algorithm = name satisfies CipherGCMTypes | CipherChaCha20Poly1305Types as CipherGCMTypes;
    this.#key = createSecretKey(key);
  }

  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, target: Uint8Array, at: number): void {
    const cipher = createCipheriv(this.#algorithm, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associatedData);
    target.set(cipher.update(plaintext), at);
    cipher.final();
    target.set(cipher.getAuthTag(), at + plaintext.length);
  }

  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const textBytes = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(this.#algorithm, this.#key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData);
    decipher.setAuthTag(sealed.subarray(textBytes));
    const text = decipher.update(sealed.subarray(0, textBytes));
    try {
      decipher.final();
    } catch {
      // Node says by throwing that the tag is wrong.
      return undefined;
    }
    return text;
  }
}

class X25519KeyExchange implements DtlsKeyExchange {
  readonly publicKey: Uint8Array;
  readonly #privateKey: KeyObject;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('x25519');
    this.#privateKey = privateKey;
    // As JWK, keys are read and written ten times as fast as in DER.
    this.publicKey = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
  }

  deriveSharedSecret(peerPublicKey: Uint8Array): Uint8Array | undefined {
    const x = Buffer.from(peerPublicKey).toString('base64url');
    try {
      const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
      return diffieHellman({ privateKey: this.#privateKey, publicKey });
    } catch {
      // A key of another length, or one that gives zeros.
      return undefined;
    }
  }
}

/** How a point begins that is written out in full (RFC 8422 §5.4.1); OpenSSL takes other forms too. */
const UNCOMPRESSED_POINT = 4;

class P256KeyExchange implements DtlsKeyExchange {
  readonly publicKey: Uint8Array;
  readonly #ecdh: ECDH = createECDH('prime256v1');

  constructor() {
    this.publicKey = this.#ecdh.generateKeys();
  }

  deriveSharedSecret(peerPublicKey: Uint8Array): Uint8Array | undefined {
    if (peerPublicKey[0] !== UNCOMPRESSED_POINT) return undefined;
    try {
      return this.#ecdh.computeSecret(peerPublicKey);
    } catch {
      // Not a point of the curve.
      return undefined;
    }
  }
}
