import type { ProtocolError } from '../../wire/errors.ts';
import { type CertificateKey, findCertificateKey } from './certificate-key.ts';
import type { DigitallySigned } from './certificate-messages.ts';
import type { DtlsCrypto } from './dtls-crypto.ts';
import { dtlsError } from './dtls-error.ts';
import { findSignatureScheme } from './signature-schemes.tables.ts';

/** The certificate a peer showed, and what its key signs. */
export class PeerCertificate {
  /** A copy. */
  readonly der: Uint8Array;
  readonly #crypto: DtlsCrypto;
  readonly #key: CertificateKey;

  private constructor(crypto: DtlsCrypto, der: Uint8Array, key: CertificateKey) {
    this.#crypto = crypto;
    this.der = der;
    this.#key = key;
  }

  /** Reads a certificate; an error when it has no key that is taken here. */
  static read(crypto: DtlsCrypto, certificate: Uint8Array): PeerCertificate | ProtocolError {
    const der = new Uint8Array(certificate);
    const key = findCertificateKey(der);
    return key === undefined
      ? dtlsError('dtls/unsupported-certificate', 'the certificate has neither a P-256 nor an RSA key')
      : new PeerCertificate(crypto, der, key);
  }

  get kind(): CertificateKey['kind'] {
    return this.#key.kind;
  }

  /** An error unless the key signed `message`, by a scheme that was offered. @param what names the message in errors */
  check(what: string, message: Uint8Array, signed: DigitallySigned): ProtocolError | undefined {
    const scheme = findSignatureScheme(signed.scheme);
    if (scheme === undefined || scheme.kind !== this.#key.kind)
      return dtlsError('dtls/illegal-parameter', `${what} is signed by scheme ${signed.scheme}`);
    return this.#crypto.verify(this.#key.subjectPublicKeyInfo, scheme, message, signed.signature)
      ? undefined
      : dtlsError('dtls/bad-signature', `${what} is not signed by the key of the certificate`);
  }
}
