/** How handshake messages are signed: a pair of hash and signature algorithm in RFC 5246 §7.4.1.4.1, one number since RFC 8446 §4.2.3. */
export interface SignatureScheme {
  /** Number on the wire. */
  readonly id: number;
  readonly name: string;
  /** Kind of key that signs so. */
  readonly kind: 'ecdsa-p256' | 'rsa';
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** Only of RSA: RSASSA-PKCS1-v1_5 or RSASSA-PSS with a salt as long as the hash. */
  readonly padding: 'pkcs1' | 'pss' | undefined;
}

const ecdsa = { kind: 'ecdsa-p256', padding: undefined } as const;
const pss = { kind: 'rsa', padding: 'pss' } as const;
const pkcs1 = { kind: 'rsa', padding: 'pkcs1' } as const;

/** All schemes that are offered and taken, in the order they are preferred. SHA-1 is left out. */
export const SIGNATURE_SCHEMES: readonly SignatureScheme[] = [
  { id: 0x0403, name: 'ecdsa_secp256r1_sha256', hash: 'sha256', ...ecdsa },
  { id: 0x0804, name: 'rsa_pss_rsae_sha256', hash: 'sha256', ...pss },
  { id: 0x0401, name: 'rsa_pkcs1_sha256', hash: 'sha256', ...pkcs1 },
  // In version 1.2 the number of an ECDSA scheme names its hash, not the curve.
  { id: 0x0503, name: 'ecdsa_sha384', hash: 'sha384', ...ecdsa },
  { id: 0x0805, name: 'rsa_pss_rsae_sha384', hash: 'sha384', ...pss },
  { id: 0x0501, name: 'rsa_pkcs1_sha384', hash: 'sha384', ...pkcs1 },
  { id: 0x0603, name: 'ecdsa_sha512', hash: 'sha512', ...ecdsa },
  { id: 0x0806, name: 'rsa_pss_rsae_sha512', hash: 'sha512', ...pss },
  { id: 0x0601, name: 'rsa_pkcs1_sha512', hash: 'sha512', ...pkcs1 },
];

/** What certificates are signed with here. */
export const CERTIFICATE_SCHEME: SignatureScheme = SIGNATURE_SCHEMES[0]!;

/** The scheme of that number; undefined when it isn't here. */
export function findSignatureScheme(id: number): SignatureScheme | undefined {
  return SIGNATURE_SCHEMES.find((scheme) => scheme.id === id);
}

/** The scheme to sign with for a peer that takes `ids`: the first of ours with that kind of key; undefined for none. */
export function chooseSignatureScheme(
  kind: SignatureScheme['kind'],
  ids: readonly number[],
): SignatureScheme | undefined {
  return SIGNATURE_SCHEMES.find((scheme) => scheme.kind === kind && ids.includes(scheme.id));
}
