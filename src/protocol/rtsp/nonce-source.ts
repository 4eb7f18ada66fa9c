import type { AuthenticationCrypto } from './digest.ts';

/** How long a nonce may be used, ms. */
export const RTSP_NONCE_LIFETIME_MS = 86_400_000;
/** Most nonces whose count is remembered. */
export const RTSP_MAX_COUNTED_NONCES = 4096;

/** What a server thinks of a nonce; `stale` means that the client may simply try again with a new one. */
export type NonceState = 'fresh' | 'stale';

/**
 * Makes nonces and knows its own again (RFC 7616 §5.4) without remembering them: each holds its time, a number, and a
 * hash over both and a secret. Only counts of nonces that were used rightly are kept, so that nobody can fill the table
 * without a password.
 */
export class NonceSource {
  readonly #secret: string;
  readonly #crypto: AuthenticationCrypto;
  #made = 0;
  /** Highest nonce count used, by nonce, in the order of the first use. */
  readonly #counts = new Map<string, number>();

  /** `secret`: 16 random bytes or more in hexadecimal digits, new for each source. */
  constructor(secret: string, crypto: AuthenticationCrypto) {
    this.#secret = secret;
    this.#crypto = crypto;
  }

  /** A nonce for a challenge; lower-case hexadecimal digits. */
  next(nowMs: number): string {
    this.#made++;
    return this.#sign(`${toHex(nowMs)}${toHex(this.#made)}`);
  }

  /** Whether a nonce is one of ours and not too old. */
  check(nonce: string, nowMs: number): NonceState {
    const body = nonce.slice(0, 24);
    if (!/^[\da-f]{24}$/.test(body) || !this.#crypto.isEqual(this.#sign(body), nonce)) return 'stale';
    const ageMs = nowMs - Number.parseInt(body.slice(0, 12), 16);
    return ageMs >= 0 && ageMs <= RTSP_NONCE_LIFETIME_MS ? 'fresh' : 'stale';
  }

  /** Notes a count for a nonce whose digest was right; `stale` when it was used already, which a replay would do. */
  count(nonce: string, nonceCount: number): NonceState {
    const last = this.#counts.get(nonce) ?? 0;
    if (nonceCount <= last) return 'stale';
    this.#counts.set(nonce, nonceCount);
    if (this.#counts.size > RTSP_MAX_COUNTED_NONCES) {
      for (const oldest of this.#counts.keys()) {
        this.#counts.delete(oldest);
        break;
      }
    }
    return 'fresh';
  }

  #sign(body: string): string {
    return `${body}${this.#crypto.hash('SHA-256', `${body}:${this.#secret}`).slice(0, 32)}`;
  }
}

/** Six bytes. */
function toHex(value: number): string {
  return (Math.floor(value) % 2 ** 48).toString(16).padStart(12, '0');
}
