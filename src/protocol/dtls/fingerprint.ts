import { toHexadecimal } from '../../wire/hexadecimal.ts';
import type { DigestAlgorithm, DtlsCrypto } from './dtls-crypto.ts';

/** Hash of a certificate, as signalled (RFC 8122 §5). */
export interface CertificateFingerprint {
  /** Name of the hash in SDP, in either case: `sha-256`. */
  readonly algorithm: string;
  readonly value: Uint8Array;
}

/** A fingerprint's value as SDP has it (RFC 8122 §5): upper-case hexadecimal, colons between the bytes. */
export function fingerprintText(value: Uint8Array): string {
  return toHexadecimal(value)
    .toUpperCase()
    .replace(/..(?=.)/g, '$&:');
}

/** Known hashes, the strongest first. */
const ALGORITHMS: readonly DigestAlgorithm[] = ['sha-512', 'sha-384', 'sha-256', 'sha-224', 'sha-1'];

/**
 * Whether a certificate is the signalled one. Of several fingerprints those with the strongest hash that is known here
 * count, and one of them must match (RFC 8122 §5.1). Values are compared in constant time.
 */
export function matchesFingerprint(
  crypto: DtlsCrypto,
  certificate: Uint8Array,
  fingerprints: readonly CertificateFingerprint[],
): boolean {
  for (const algorithm of ALGORITHMS) {
    const candidates = fingerprints.filter((fingerprint) => fingerprint.algorithm.toLowerCase() === algorithm);
    if (candidates.length === 0) continue;
    const digest = crypto.digest(algorithm, certificate);
    return candidates.some(({ value }) => value.length === digest.length && crypto.isEqual(value, digest));
  }
  return false;
}
