import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { MAX_RSA_BITS, MIN_OWN_RSA_BITS } from '../protocol/dtls/certificate-key.ts';
import { MAX_CHAIN_CERTIFICATES } from '../protocol/dtls/certificate-messages.ts';
import { DtlsCertificate } from '../protocol/dtls/dtls-certificate.ts';
import { ConfigError } from '../wire/errors.ts';
import { certificateKindOf, NodeDtlsPrivateKey, nodeDtlsCrypto } from './dtls-crypto.ts';

/** Codes of the `ConfigError`s about certificates of DTLS. */
export type DtlsCertificateErrorCode = 'dtls-certificate/bad-certificate' | 'dtls-certificate/bad-key';

/** Texts of PEM files, and the names of the settings they came from, for errors. */
export interface DtlsCertificatePem {
  /** The certificate; certificates of its issuers may follow. */
  readonly certificate: string;
  /** PKCS #8, PKCS #1 or SEC1. */
  readonly privateKey: string;
  /** Of an encrypted key. */
  readonly passphrase?: string;
  readonly certificatePath: string;
  readonly privateKeyPath: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** @throws ConfigError when either can't be read, they don't belong together, or the key is neither of P-256 nor of RSA */
export function parseDtlsCertificatePem(pem: DtlsCertificatePem): DtlsCertificate {
  const certificates = readCertificates(pem);
  const key = readPrivateKey(pem);
  const [own, ...issuers] = certificates;
  if (!own!.checkPrivateKey(key)) throw badKey(pem, 'the key does not belong to the certificate');
  const kind = certificateKindOf(createPublicKey(key), MIN_OWN_RSA_BITS);
  if (kind === undefined)
    throw badKey(pem, `the key must be ECDSA on P-256, or RSA of ${MIN_OWN_RSA_BITS} to ${MAX_RSA_BITS} bits`);
  return new DtlsCertificate({
    crypto: nodeDtlsCrypto,
    der: new Uint8Array(own!.raw),
    privateKey: new NodeDtlsPrivateKey(key, kind),
    issuers: issuers.map(({ raw }) => new Uint8Array(raw)),
  });
}

/** One at least. */
function readCertificates({ certificate, certificatePath: path }: DtlsCertificatePem): readonly X509Certificate[] {
  const code = 'dtls-certificate/bad-certificate' satisfies DtlsCertificateErrorCode;
  const texts = certificate.match(CERTIFICATE) ?? [];
  if (texts.length === 0) throw new ConfigError(code, 'there is no PEM certificate in it', { path });
  if (texts.length > MAX_CHAIN_CERTIFICATES)
    throw new ConfigError(code, `there are ${texts.length} certificates in it, more than ${MAX_CHAIN_CERTIFICATES}`, {
      path,
    });
  try {
    return texts.map((text) => new X509Certificate(text));
  } catch (cause) {
    throw new ConfigError(code, 'the certificate is damaged', { path, cause });
  }
}

function readPrivateKey(pem: DtlsCertificatePem): KeyObject {
  const { privateKey, passphrase } = pem;
  try {
    return createPrivateKey({ key: privateKey, format: 'pem', ...(passphrase !== undefined && { passphrase }) });
  } catch (cause) {
    const isEncrypted = /ENCRYPTED/.test(privateKey);
    const what = isEncrypted
      ? 'the key is encrypted, and the passphrase missing or wrong'
      : 'it is not a PEM private key';
    throw badKey(pem, what, cause);
  }
}

function badKey({ privateKeyPath: path }: DtlsCertificatePem, what: string, cause?: unknown): ConfigError {
  const code = 'dtls-certificate/bad-key' satisfies DtlsCertificateErrorCode;
  return new ConfigError(code, what, cause === undefined ? { path } : { path, cause });
}
