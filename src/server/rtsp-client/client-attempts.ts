import { connectError } from '../../io/connect-error.ts';
import { sleep } from '../../io/sleep.ts';
import { parseRtspUrl, type RtspUrl, writeRtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import type { Logger } from '../log/logger.ts';
import type { ClientOutcome } from './client-connection.ts';
import { pullError } from './pull-error.ts';

/** Most redirects followed one after another. */
export const MAX_CLIENT_REDIRECTS = 5;
/** Shortest and longest time between two attempts, milliseconds; each is up to a half shorter by chance. */
export const FIRST_RETRY_MS = 1_000;
export const LAST_RETRY_MS = 30_000;

export interface ClientAttemptsOptions {
  readonly url: RtspUrl;
  /** `auto` takes UDP, and TCP where UDP does not come through. */
  readonly transport: 'auto' | 'udp' | 'tcp';
  /** One connection, from its first to its last moment. Must not reject. */
  readonly connect: (url: RtspUrl, lowerTransport: 'udp' | 'tcp') => Promise<ClientOutcome>;
  /** Whether to try again after a failure; always by default. `hadMedia`: packets have come since the beginning. */
  readonly mayRetry?: ((hadMedia: boolean) => boolean) | undefined;
  /** Whether a redirect may be followed; every one by default. */
  readonly mayFollow?: ((url: RtspUrl) => boolean) | undefined;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** What is logged of a failure with this code. */
  readonly failureText: (code: string | undefined) => string;
}

/**
 * Connects to a server over and over again, with pauses that grow, by UDP and then by TCP, and to where it redirects,
 * until it is done, is told to end, or may not try again. Gives back the failure that was the last one.
 */
export class ClientAttempts {
  readonly #options: ClientAttemptsOptions;
  #lowerTransport: 'udp' | 'tcp';

  constructor(options: ClientAttemptsOptions) {
    this.#options = options;
    this.#lowerTransport = options.transport === 'tcp' ? 'tcp' : 'udp';
  }

  /** @returns why it gave up; undefined when it is done or was told to end */
  async run(): Promise<Error | undefined> {
    const { signal, log, mayRetry, failureText } = this.#options;
    let failures = 0;
    let hadMedia = false;
    while (!signal.aborted) {
      const outcome = await this.#attempt();
      if (outcome.type !== 'failed') return undefined;
      failures = outcome.hadMedia ? 1 : failures + 1;
      hadMedia ||= outcome.hadMedia;
      const isLast = mayRetry?.(hadMedia) === false;
      const retryMs = isLast ? undefined : retryDelayMs(failures, Math.random());
      const { error } = outcome;
      const code = (error as { readonly code?: string }).code;
      log.warn({ reason: error.message, code, retryMs }, failureText(code));
      if (retryMs === undefined) return error;
      await sleep(retryMs, signal);
    }
    return undefined;
  }

  /** One attempt, redirects and the change to TCP included. */
  async #attempt(): Promise<Extract<ClientOutcome, { readonly type: 'failed' | 'closed' }>> {
    const { connect, mayFollow, log } = this.#options;
    let { url } = this.#options;
    let redirects = 0;
    for (;;) {
      const outcome = await connect(url, this.#lowerTransport);
      if (outcome.type === 'use-tcp') {
        log.info('UDP does not come through: trying TCP');
        this.#lowerTransport = 'tcp';
      } else if (outcome.type === 'redirect') {
        const next = redirectTarget(url, outcome.url);
        if (next === undefined || ++redirects > MAX_CLIENT_REDIRECTS) {
          const error = connectError('connect/too-many-redirects', 'the server redirects too often or nowhere');
          return { type: 'failed', error, hadMedia: false };
        }
        if (mayFollow?.(next) === false) {
          const error = pullError('pull/bad-redirect', 'the server redirects to where this one may not go');
          return { type: 'failed', error, hadMedia: false };
        }
        log.info({ to: shownRtspUrl(next) }, 'redirected');
        url = next;
      } else {
        return outcome;
      }
    }
  }
}

/**
 * How long to wait after so many failures one after another, milliseconds.
 * @param random 0 to 1: what was lost together does not come back together
 */
export function retryDelayMs(failures: number, random: number): number {
  const longestMs = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS);
  return Math.round(longestMs * (1 - random / 2));
}

/** Where a redirect leads. The password goes along only to the same host, and not from TLS to plain text. */
export function redirectTarget(from: RtspUrl, location: string): RtspUrl | undefined {
  const to = parseRtspUrl(location);
  if (to === undefined || to.scheme === 'rtspu') return undefined;
  const isTrusted = to.host === from.host && (from.scheme !== 'rtsps' || to.scheme === 'rtsps');
  if (!isTrusted || to.username !== undefined) return to;
  return { ...to, username: from.username, password: from.password };
}

/** For logs: neither the password nor what may be one in the query. */
export function shownRtspUrl(url: RtspUrl): string {
  return writeRtspUrl({ ...url, query: '' });
}
