import { equalBytes } from '../../wire/equal-bytes.ts';
import { DerReader, DerTag } from './der.ts';
import { ObjectIdentifier } from './object-identifiers.tables.ts';
import type { SignatureScheme } from './signature-schemes.tables.ts';

/** RSA keys of peers must have a modulus of so many bits. The upper limit bounds what a peer can make us compute. */
const MIN_RSA_BITS = 2048;
/** An operator's own key may be as short as mediasoup takes it; peers decide whether they do. */
export const MIN_OWN_RSA_BITS = 1024;
export const MAX_RSA_BITS = 8192;

/** The key a certificate is about. */
export interface CertificateKey {
  readonly kind: SignatureScheme['kind'];
  /** DER of the key; a view into the certificate. */
  readonly subjectPublicKeyInfo: Uint8Array;
}

/**
 * Finds the public key in an X.509 certificate (RFC 5280 §4.1). Nothing else of it is looked at: its fingerprint, not
 * its issuer, names or dates, is what makes a certificate good here (RFC 8122).
 * @param minRsaBits fewer than those of peers for a certificate of one's own
 * @returns undefined when the certificate can't be read or its key is neither of P-256 nor of RSA within the limits
 */
export function findCertificateKey(
  certificate: Uint8Array,
  minRsaBits: number = MIN_RSA_BITS,
): CertificateKey | undefined {
  const outer = new DerReader(certificate);
  const whole = outer.inside(DerTag.sequence);
  const fields = whole.inside(DerTag.sequence);
  if (fields.isNext(DerTag.context0)) fields.content(DerTag.context0);
  fields.content(DerTag.integer);
  // Signature algorithm, issuer, validity and subject.
  for (let i = 0; i < 4; i++) fields.content(DerTag.sequence);
  const subjectPublicKeyInfo = fields.element(DerTag.sequence);
  if (outer.isInvalid || !outer.isAtEnd || whole.isInvalid || fields.isInvalid) return undefined;
  const kind = kindOf(subjectPublicKeyInfo, minRsaBits);
  return kind === undefined ? undefined : { kind, subjectPublicKeyInfo };
}

/**
 * Kind of a public key (RFC 5480 §2, RFC 3279 §2.3.1); undefined for any that isn't taken.
 * @param minRsaBits fewer than those of peers for who wants to have such a key of one's own
 */
export function kindOf(
  subjectPublicKeyInfo: Uint8Array,
  minRsaBits: number = MIN_RSA_BITS,
): SignatureScheme['kind'] | undefined {
  const info = new DerReader(subjectPublicKeyInfo).inside(DerTag.sequence);
  const algorithm = info.inside(DerTag.sequence);
  const name = algorithm.element(DerTag.objectIdentifier);
  const key = info.content(DerTag.bitString);
  // The first byte counts unused bits, which keys don't have.
  if (info.isInvalid || algorithm.isInvalid || key[0] !== 0) return undefined;
  if (equalBytes(name, ObjectIdentifier.ecPublicKey)) {
    const curve = algorithm.element(DerTag.objectIdentifier);
    return equalBytes(curve, ObjectIdentifier.prime256v1) ? 'ecdsa-p256' : undefined;
  }
  if (!equalBytes(name, ObjectIdentifier.rsaEncryption)) return undefined;
  const numbers = new DerReader(key.subarray(1)).inside(DerTag.sequence);
  const bits = bitsOf(numbers.content(DerTag.integer));
  return !numbers.isInvalid && bits >= minRsaBits && bits <= MAX_RSA_BITS ? 'rsa' : undefined;
}

function bitsOf(integer: Uint8Array): number {
  let at = 0;
  while (at < integer.length && integer[at] === 0) at++;
  return at === integer.length ? 0 : 8 * (integer.length - at) - (Math.clz32(integer[at]!) - 24);
}
