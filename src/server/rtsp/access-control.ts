import { ServerAuthenticator, type ServerAuthenticatorOptions } from '../../protocol/rtsp/server-authentication.ts';

/** What a user may do. */
export type RtspRight = 'play' | 'publish';

/** Someone who may do something. */
export interface RtspUser {
  readonly name: string;
  readonly password: string;
  readonly rights: readonly RtspRight[];
}

/** `unauthorized` comes with the WWW-Authenticate values of the 401; `forbidden` is known, but may not. */
export type AccessDecision =
  | { readonly type: 'granted'; readonly username: string | undefined }
  | { readonly type: 'unauthorized'; readonly challenges: readonly string[] }
  | { readonly type: 'forbidden'; readonly username: string };

export interface AccessControlOptions
  extends Pick<ServerAuthenticatorOptions, 'realm' | 'methods' | 'crypto' | 'nonceSecret'> {
  readonly users: readonly RtspUser[];
}

/** Who may do what. Without users everybody may do everything. */
export class AccessControl {
  readonly #users: ReadonlyMap<string, RtspUser>;
  readonly #authenticator: ServerAuthenticator;

  constructor(options: AccessControlOptions) {
    const users = new Map(options.users.map((user) => [user.name, user]));
    this.#users = users;
    this.#authenticator = new ServerAuthenticator({
      ...options,
      secretOf: (name) => {
        const user = users.get(name);
        return user === undefined ? undefined : { password: user.password };
      },
    });
  }

  /**
   * @param authorization value of the request's Authorization header
   * @param url of the request line
   */
  check(
    right: RtspRight,
    request: { readonly authorization: string | undefined; readonly method: string; readonly url: string },
    nowMs: number,
  ): AccessDecision {
    if (this.#users.size === 0) return { type: 'granted', username: undefined };
    const result = this.#authenticator.check(request.authorization, request.method, request.url, nowMs);
    if (result.type === 'refused') {
      return { type: 'unauthorized', challenges: this.#authenticator.challenges(nowMs, result.stale) };
    }
    const { username } = result;
    const isAllowed = this.#users.get(username)?.rights.includes(right) === true;
    return isAllowed ? { type: 'granted', username } : { type: 'forbidden', username };
  }
}
