import { StateError } from '../../wire/errors.ts';
import { findCertificateKey, MIN_OWN_RSA_BITS } from './certificate-key.ts';
import { MAX_CHAIN_CERTIFICATES } from './certificate-messages.ts';
import type { DigestAlgorithm, DtlsCrypto, DtlsPrivateKey } from './dtls-crypto.ts';
import type { DtlsStateErrorCode } from './dtls-error.ts';
import type { CertificateFingerprint } from './fingerprint.ts';

/** What a certificate is made of. The arrays are kept. */
export interface DtlsCertificateOptions {
  readonly crypto: DtlsCrypto;
  /** X.509. */
  readonly der: Uint8Array;
  /** The key of the certificate. */
  readonly privateKey: DtlsPrivateKey;
  /** Certificates of the issuers, sent along; none by default. */
  readonly issuers?: readonly Uint8Array[];
}

/** A certificate of our own with its private key. One serves any number of sessions. */
export class DtlsCertificate {
  readonly der: Uint8Array;
  /** Itself, then its issuers. */
  readonly chain: readonly Uint8Array[];
  readonly privateKey: DtlsPrivateKey;
  readonly #crypto: DtlsCrypto;

  /** @throws StateError `dtls/bad-key` when it can't be read or its key is of another kind than `privateKey` */
  constructor(options: DtlsCertificateOptions) {
    const { crypto, der, privateKey, issuers = [] } = options;
    if (findCertificateKey(der, MIN_OWN_RSA_BITS)?.kind !== privateKey.kind || issuers.length >= MAX_CHAIN_CERTIFICATES)
      throw new StateError(
        'dtls/bad-key' satisfies DtlsStateErrorCode,
        `not a certificate with a key of ${privateKey.kind}`,
      );
    this.#crypto = crypto;
    this.der = der;
    this.chain = [der, ...issuers];
    this.privateKey = privateKey;
  }

  get kind(): DtlsPrivateKey['kind'] {
    return this.privateKey.kind;
  }

  /** What to signal to the peer. */
  fingerprint(algorithm: DigestAlgorithm): CertificateFingerprint {
    return { algorithm, value: this.#crypto.digest(algorithm, this.der) };
  }
}
