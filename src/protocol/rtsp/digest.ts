/** Hashes of digest authentication, in the spelling of the `algorithm` parameter (RFC 7616 §3.3), strongest first. */
export const DIGEST_ALGORITHMS = ['SHA-256', 'MD5'] as const;

export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** Hashing and comparing, with `node:crypto` behind it in production. */
export interface AuthenticationCrypto {
  /** The hash of the text's UTF-8 bytes in lower-case hexadecimal digits. */
  hash(algorithm: DigestAlgorithm, text: string): string;
  /** Whether two texts are the same, in a time that does not tell where they differ. */
  isEqual(first: string, second: string): boolean;
}

/** A user's password, or H(user:realm:password) for the algorithms it was stored for (lower-case hexadecimal digits). */
export type DigestSecret =
  | { readonly password: string }
  | { readonly ha1: Readonly<Partial<Record<DigestAlgorithm, string>>> };

/** The `algorithm` parameter understood: `MD5`, `SHA-256`, and each with `-sess`. */
export interface AlgorithmParameter {
  readonly algorithm: DigestAlgorithm;
  readonly isSession: boolean;
}

/** Reads an `algorithm` parameter; MD5 is meant when there is none, undefined given for one not known. */
export function parseAlgorithm(value: string | undefined): AlgorithmParameter | undefined {
  const text = (value ?? 'MD5').trim().toUpperCase();
  const isSession = text.endsWith('-SESS');
  const name = isSession ? text.slice(0, -'-SESS'.length) : text;
  const algorithm = DIGEST_ALGORITHMS.find((known) => known === name || known.replace('-', '') === name);
  return algorithm === undefined ? undefined : { algorithm, isSession };
}

/** What a digest is about (RFC 7616 §3.4.1). */
export interface DigestInput {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly method: string;
  readonly uri: string;
  readonly algorithm: AlgorithmParameter;
  /** Undefined for the form of RFC 2069, without nonce count. */
  readonly qop?: { readonly nonceCount: string; readonly cnonce: string } | undefined;
  /** Needed for `-sess` without qop. */
  readonly cnonce?: string | undefined;
}

/**
 * The `response` of a digest (RFC 7616 §3.4.1, RFC 2617 §3.2.2.1); undefined when `secret` has nothing for its algorithm.
 */
export function digestResponse(
  input: DigestInput,
  secret: DigestSecret,
  crypto: Pick<AuthenticationCrypto, 'hash'>,
): string | undefined {
  const { algorithm, isSession } = input.algorithm;
  const hash = (...parts: string[]): string => crypto.hash(algorithm, parts.join(':'));
  let ha1 = 'password' in secret ? hash(input.username, input.realm, secret.password) : secret.ha1[algorithm];
  if (ha1 === undefined) return undefined;
  if (isSession) ha1 = hash(ha1, input.nonce, input.qop?.cnonce ?? input.cnonce ?? '');
  const ha2 = hash(input.method, input.uri);
  if (input.qop === undefined) return hash(ha1, input.nonce, ha2);
  return hash(ha1, input.nonce, input.qop.nonceCount, input.qop.cnonce, 'auth', ha2);
}
