import { connectError } from '../../io/connect-error.ts';
import type { ClientSocket } from '../../io/lent-socket.ts';
import { sleep } from '../../io/sleep.ts';
import type { UdpPortRange } from '../../io/udp-port-pair.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import type { StreamName } from '../../media/stream-name.ts';
import { parseRtspUrl, type RtspUrl, writeRtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { type Logger, sessionLogger } from '../log/logger.ts';
import { type PullOutcome, pullOnce } from './pull-connection.ts';
import { pullError } from './pull-error.ts';

/** Most redirects followed one after another. */
export const MAX_PULL_REDIRECTS = 5;
/** Shortest and longest time between two attempts, milliseconds; each is up to a half shorter by chance. */
export const FIRST_RETRY_MS = 1_000;
export const LAST_RETRY_MS = 30_000;

export interface RtspPullOptions {
  readonly hub: StreamHub;
  readonly log: Logger;
  /** What it is published as. */
  readonly name: StreamName;
  readonly url: RtspUrl;
  /** `auto` takes UDP, and TCP where UDP does not come through. */
  readonly transport: 'auto' | 'udp' | 'tcp';
  /** Take any certificate. */
  readonly insecure: boolean;
  readonly ports: UdpPortRange;
  /** Whether to try again after a failure; always by default. `hadMedia`: packets have come since it was made. */
  readonly mayRetry?: (hadMedia: boolean) => boolean;
  /** Whether a redirect may be followed; every one by default. */
  readonly mayFollow?: ((url: RtspUrl) => boolean) | undefined;
  /** Hands out a connection to be used instead of new ones; see `PullConnectionOptions`. */
  readonly borrow?: (() => ClientSocket) | undefined;
}

/** Plays a stream of another server and publishes it here, over and over again until it is closed or may not be retried. */
export class RtspPull {
  /** Resolves when it is over, and all it used is free. */
  readonly finished: Promise<void>;
  readonly #options: RtspPullOptions;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  #lowerTransport: 'udp' | 'tcp';

  constructor(options: RtspPullOptions) {
    this.#options = options;
    this.#lowerTransport = options.transport === 'tcp' ? 'tcp' : 'udp';
    const stream = `${options.name.app}/${options.name.stream}`;
    this.#log = sessionLogger(options.log, { protocol: 'rtsp', stream, source: shownUrl(options.url) });
    this.finished = this.#run();
  }

  /** Ends the publication and the connection. Idempotent; resolves when the ports are free. */
  close(): Promise<void> {
    this.#abort.abort();
    return this.finished;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    let failures = 0;
    let hadMedia = false;
    while (!signal.aborted) {
      const outcome = await this.#attempt();
      if (outcome.type !== 'failed') return;
      failures = outcome.hadMedia ? 1 : failures + 1;
      hadMedia ||= outcome.hadMedia;
      const isLast = this.#options.mayRetry?.(hadMedia) === false;
      const retryMs = isLast ? undefined : retryDelayMs(failures, Math.random());
      const { error } = outcome;
      const code = (error as { readonly code?: string }).code;
      this.#log.warn({ reason: error.message, code, retryMs }, failureText(code));
      if (retryMs === undefined) return;
      await sleep(retryMs, signal);
    }
  }

  /** One attempt, redirects and the change to TCP included. */
  async #attempt(): Promise<Extract<PullOutcome, { readonly type: 'failed' | 'closed' }>> {
    let { url } = this.#options;
    let redirects = 0;
    for (;;) {
      const outcome = await this.#pullOnce(url);
      if (outcome.type === 'use-tcp') {
        this.#log.info('no packets by UDP: trying TCP');
        this.#lowerTransport = 'tcp';
      } else if (outcome.type === 'redirect') {
        const next = redirectTarget(url, outcome.url);
        if (next === undefined || ++redirects > MAX_PULL_REDIRECTS) {
          const error = connectError('connect/too-many-redirects', 'the server redirects too often or nowhere');
          return { type: 'failed', error, hadMedia: false };
        }
        if (this.#options.mayFollow?.(next) === false) {
          const error = pullError('pull/bad-redirect', 'the server redirects to where this one may not go');
          return { type: 'failed', error, hadMedia: false };
        }
        this.#log.info({ to: shownUrl(next) }, 'redirected');
        url = next;
      } else {
        return outcome;
      }
    }
  }

  #pullOnce(url: RtspUrl): Promise<PullOutcome> {
    const { hub, name, transport, insecure, ports, borrow } = this.#options;
    const lowerTransport = this.#lowerTransport;
    return pullOnce({
      url,
      lowerTransport,
      mayUseTcp: transport === 'auto',
      insecure,
      ports,
      publish: (remote, onEnded) => {
        const id = this.#log.bindings()['cid'] as string;
        const publication = hub.getOrCreate(name).publish({ id, protocol: 'rtsp', remote }, onEnded);
        this.#log.info({ transport: lowerTransport }, 'pulling');
        return publication;
      },
      signal: this.#abort.signal,
      borrow,
    });
  }
}

/**
 * How long to wait after so many failures one after another, milliseconds.
 * @param random 0 to 1: sources that were lost together do not come back together
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
function shownUrl(url: RtspUrl): string {
  return writeRtspUrl({ ...url, query: '' });
}

function failureText(code: string | undefined): string {
  return code === 'rtsp/unauthorized'
    ? 'the source does not accept the user name and password of its URL'
    : 'the source can not be pulled now';
}
