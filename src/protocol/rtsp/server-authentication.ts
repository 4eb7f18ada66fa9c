import {
  type AuthenticationHeader,
  type BasicCredentials,
  parseAuthorization,
  parseBasicCredentials,
  writeChallenge,
} from './authentication-header.ts';
import {
  type AuthenticationCrypto,
  type DigestAlgorithm,
  type DigestSecret,
  digestResponse,
  parseAlgorithm,
} from './digest.ts';
import { NonceSource } from './nonce-source.ts';

/** Ways to prove who one is, as a server offers them. */
export type AuthenticationMethod = 'basic' | 'digest-md5' | 'digest-sha-256';

/** Settings of a `ServerAuthenticator`. */
export interface ServerAuthenticatorOptions {
  readonly realm: string;
  /** In the order they are offered; digest with SHA-256, then with MD5 by default. Basic shows passwords to whoever listens. */
  readonly methods?: readonly AuthenticationMethod[];
  /** Whether to ask for nonce counts (`qop="auth"`), which shut out replays; some cameras and players can't. False. */
  readonly asksForCounts?: boolean;
  /** What is known of a user; undefined for nobody. */
  readonly secretOf: (username: string) => DigestSecret | undefined;
  readonly crypto: AuthenticationCrypto;
  /** 16 random bytes or more in hexadecimal digits, for nonces. */
  readonly nonceSecret: string;
}

/** Whether a request may go on; when not, `stale` says that only the nonce was too old. */
export type AuthenticationResult =
  | { readonly type: 'accepted'; readonly username: string }
  | { readonly type: 'refused'; readonly stale: boolean };

const REFUSED: AuthenticationResult = { type: 'refused', stale: false };
const STALE: AuthenticationResult = { type: 'refused', stale: true };

const DIGESTS = [
  ['digest-sha-256', 'SHA-256'],
  ['digest-md5', 'MD5'],
] as const;

/** Stands in for the secret of users who do not exist, so that both cases take the same time. */
const NOBODY: DigestSecret = { password: '\u0000' };

/**
 * The server's side of Basic and digest authentication (RFC 7617, RFC 7616, RFC 2617): one for all connections of a
 * realm, since a session may be controlled from several.
 */
export class ServerAuthenticator {
  readonly #options: ServerAuthenticatorOptions;
  readonly #methods: readonly AuthenticationMethod[];
  readonly #nonces: NonceSource;

  constructor(options: ServerAuthenticatorOptions) {
    this.#options = options;
    this.#methods = options.methods ?? ['digest-sha-256', 'digest-md5'];
    this.#nonces = new NonceSource(options.nonceSecret, options.crypto);
  }

  /** The values of the WWW-Authenticate headers of a 401, one header for each. */
  challenges(nowMs: number, stale = false): string[] {
    const { realm, asksForCounts } = this.#options;
    const nonce = this.#nonces.next(nowMs);
    return this.#methods.map((method) => {
      if (method === 'basic') return writeChallenge('Basic', [['realm', realm]]);
      const parameters: [string, string][] = [
        ['realm', realm],
        ['nonce', nonce],
      ];
      if (asksForCounts === true) parameters.push(['qop', 'auth']);
      // Without it MD5 is meant, and old clients know no more.
      if (method === 'digest-sha-256') parameters.push(['algorithm', 'SHA-256']);
      if (stale) parameters.push(['stale', 'true']);
      return writeChallenge('Digest', parameters);
    });
  }

  /**
   * Whether a request may go on.
   *
   * @param authorization value of its Authorization header
   * @param url of its request line; the digest's own may be of the stream where this one is of a track, or the reverse
   */
  check(authorization: string | undefined, method: string, url: string, nowMs: number): AuthenticationResult {
    const header = authorization === undefined ? undefined : parseAuthorization(authorization);
    if (header?.scheme === 'digest') return this.#checkDigest(header, method, url, nowMs);
    if (header?.scheme === 'basic' && this.#methods.includes('basic')) return this.#checkBasic(header);
    return REFUSED;
  }

  #checkBasic(header: AuthenticationHeader): AuthenticationResult {
    const credentials = parseBasicCredentials(header);
    if (credentials === undefined) return REFUSED;
    const secret = this.#options.secretOf(credentials.username);
    const isRight = this.#isPassword(credentials, secret ?? NOBODY);
    return isRight && secret !== undefined ? { type: 'accepted', username: credentials.username } : REFUSED;
  }

  #isPassword({ username, password }: BasicCredentials, secret: DigestSecret): boolean {
    const { crypto, realm } = this.#options;
    if ('password' in secret) return crypto.isEqual(secret.password, password);
    for (const algorithm of ['SHA-256', 'MD5'] as const) {
      const ha1 = secret.ha1[algorithm];
      if (ha1 !== undefined) return crypto.isEqual(ha1, crypto.hash(algorithm, `${username}:${realm}:${password}`));
    }
    return false;
  }

  #checkDigest(header: AuthenticationHeader, method: string, url: string, nowMs: number): AuthenticationResult {
    const { crypto, realm } = this.#options;
    const get = (name: string): string | undefined => header.parameters.get(name);
    const [username, nonce, uri, response] = [get('username'), get('nonce'), get('uri'), get('response')];
    const algorithm = parseAlgorithm(get('algorithm'));
    if (username === undefined || nonce === undefined || uri === undefined || response === undefined) return REFUSED;
    if (algorithm === undefined || get('realm') !== realm || !this.#offers(algorithm.algorithm)) return REFUSED;
    const qop = get('qop')?.toLowerCase();
    if (qop !== undefined && qop !== 'auth') return REFUSED;
    if (qop === undefined && this.#options.asksForCounts === true) return REFUSED;
    const nonceCount = get('nc') ?? '';
    const cnonce = get('cnonce') ?? '';
    if (qop !== undefined && !/^[\da-f]{8}$/i.test(nonceCount)) return REFUSED;
    const secret = this.#options.secretOf(username);
    const expected = digestResponse(
      {
        username,
        realm,
        nonce,
        method,
        uri,
        algorithm,
        cnonce,
        qop: qop === undefined ? undefined : { nonceCount, cnonce },
      },
      secret ?? NOBODY,
      crypto,
    );
    const isRight = expected !== undefined && crypto.isEqual(expected, response.toLowerCase());
    if (!isRight || secret === undefined || !isSameTarget(uri, url)) return REFUSED;
    // The password is right, so it is safe to say that only the nonce is not.
    if (this.#nonces.check(nonce, nowMs) === 'stale') return STALE;
    if (qop !== undefined && this.#nonces.count(nonce, Number.parseInt(nonceCount, 16)) === 'stale') return STALE;
    return { type: 'accepted', username };
  }

  #offers(algorithm: DigestAlgorithm): boolean {
    return DIGESTS.some(([method, name]) => name === algorithm && this.#methods.includes(method));
  }
}

/** Whether one of two URLs is the other or below it; clients differ in what of a track's URL they sign. */
function isSameTarget(signed: string, requested: string): boolean {
  const [first, second] = [toPath(signed), toPath(requested)];
  return isBelow(first, second) || isBelow(second, first);
}

function isBelow(path: string, parent: string): boolean {
  return (
    path.startsWith(parent) &&
    (path.length === parent.length || /[/?]$/.test(parent) || '/?'.includes(path[parent.length]!))
  );
}

function toPath(url: string): string {
  return url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '').replace(/\/$/, '');
}
