import {
  type AuthenticationHeader,
  parseChallenges,
  writeAnswer,
  writeBasicCredentials,
} from './authentication-header.ts';
import {
  type AlgorithmParameter,
  type AuthenticationCrypto,
  DIGEST_ALGORITHMS,
  digestResponse,
  parseAlgorithm,
} from './digest.ts';

/** Settings of a `ClientAuthenticator`. */
export interface ClientAuthenticatorOptions {
  readonly username: string;
  readonly password: string;
  readonly crypto: Pick<AuthenticationCrypto, 'hash'>;
  /** 8 random bytes or more in hexadecimal digits. */
  readonly cnonce: string;
}

interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: AlgorithmParameter;
  /** As sent: old servers want to see it again only when they named it. */
  readonly algorithmText: string | undefined;
  readonly hasQop: boolean;
  readonly isStale: boolean;
}

/**
 * The client's side of Basic and digest authentication (RFC 7617, RFC 7616, RFC 2617): takes the challenges of a 401 and
 * answers the strongest of them for this and the following requests.
 */
export class ClientAuthenticator {
  readonly #options: ClientAuthenticatorOptions;
  #challenge: DigestChallenge | 'basic' | undefined;
  #nonceCount = 0;

  constructor(options: ClientAuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * Takes the values of the WWW-Authenticate headers of a 401. `answerable` when it is worth asking once more, `stale`
   * when the server says that only the nonce was too old, undefined when nothing in them can be answered.
   */
  takeChallenges(values: Iterable<string>): 'answerable' | 'stale' | undefined {
    const challenges = parseChallenges(values);
    const digests = challenges.map(toDigestChallenge).filter((challenge) => challenge !== undefined);
    for (const algorithm of DIGEST_ALGORITHMS) {
      const challenge = digests.find((candidate) => candidate.algorithm.algorithm === algorithm);
      if (challenge === undefined) continue;
      this.#challenge = challenge;
      this.#nonceCount = 0;
      return challenge.isStale ? 'stale' : 'answerable';
    }
    if (!challenges.some((challenge) => challenge.scheme === 'basic')) return undefined;
    this.#challenge = 'basic';
    return 'answerable';
  }

  /** The value of the Authorization header of a request; undefined before any challenge. */
  authorize(method: string, url: string): string | undefined {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge === 'basic') return writeBasicCredentials(this.#options);
    const { username, password, crypto, cnonce } = this.#options;
    const { realm, nonce, opaque, algorithm, algorithmText, hasQop } = challenge;
    const nonceCount = (++this.#nonceCount).toString(16).padStart(8, '0');
    const response = digestResponse(
      { username, realm, nonce, method, uri: url, algorithm, cnonce, qop: hasQop ? { nonceCount, cnonce } : undefined },
      { password },
      crypto,
    );
    const parameters: [string, string][] = [
      ['username', username],
      ['realm', realm],
      ['nonce', nonce],
      ['uri', url],
      ['response', response ?? ''],
    ];
    if (algorithmText !== undefined) parameters.push(['algorithm', algorithmText]);
    if (hasQop) parameters.push(['qop', 'auth'], ['nc', nonceCount]);
    if (hasQop || algorithm.isSession) parameters.push(['cnonce', cnonce]);
    if (opaque !== undefined) parameters.push(['opaque', opaque]);
    return writeAnswer('Digest', parameters);
  }
}

/** Undefined for another scheme, an unknown algorithm, and for `auth-int` alone, which would need the body. */
function toDigestChallenge(challenge: AuthenticationHeader): DigestChallenge | undefined {
  const { scheme, parameters } = challenge;
  const nonce = parameters.get('nonce');
  const algorithm = parseAlgorithm(parameters.get('algorithm'));
  if (scheme !== 'digest' || nonce === undefined || algorithm === undefined) return undefined;
  const qops = (parameters.get('qop') ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((qop) => qop !== '');
  if (qops.length > 0 && !qops.includes('auth')) return undefined;
  return {
    realm: parameters.get('realm') ?? '',
    nonce,
    opaque: parameters.get('opaque'),
    algorithm,
    algorithmText: parameters.get('algorithm'),
    hasQop: qops.length > 0,
    isStale: parameters.get('stale')?.toLowerCase() === 'true',
  };
}
