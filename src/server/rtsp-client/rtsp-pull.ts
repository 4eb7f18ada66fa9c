import type { ClientSocket } from '../../io/lent-socket.ts';
import type { UdpPortRange } from '../../io/udp-port-pair.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import type { StreamName } from '../../media/stream-name.ts';
import type { RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { type Logger, sessionLogger } from '../log/logger.ts';
import { BackChannel } from './back-channel.ts';
import { ClientAttempts, shownRtspUrl } from './client-attempts.ts';
import type { ClientOutcome } from './client-connection.ts';
import { pullOnce } from './pull-connection.ts';

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
  /** The stream whose sound goes to the camera, when it is one that takes any. */
  readonly backChannel?: StreamName | undefined;
  /** Whether to try again after a failure; always by default. `hadMedia`: packets have come since it was made. */
  readonly mayRetry?: (hadMedia: boolean) => boolean;
  /** Whether a redirect may be followed; every one by default. */
  readonly mayFollow?: ((url: RtspUrl) => boolean) | undefined;
  /** Hands out a connection to be used instead of new ones; see `ClientConnectionOptions`. */
  readonly borrow?: (() => ClientSocket) | undefined;
}

/** Plays a stream of another server and publishes it here, over and over again until it is closed or may not be retried. */
export class RtspPull {
  /** Resolves when it is over, and all it used is free: with the failure it gave up after, if it was not closed. */
  readonly finished: Promise<Error | undefined>;
  readonly #options: RtspPullOptions;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #backChannel: BackChannel | undefined;

  constructor(options: RtspPullOptions) {
    this.#options = options;
    const { url, transport, mayRetry, mayFollow } = options;
    const stream = `${options.name.app}/${options.name.stream}`;
    this.#log = sessionLogger(options.log, { protocol: 'rtsp', stream, source: shownRtspUrl(url) });
    const { hub, backChannel } = options;
    this.#backChannel = backChannel && new BackChannel({ hub, name: backChannel, log: this.#log });
    this.finished = new ClientAttempts({
      url,
      transport,
      connect: (target, lowerTransport) => this.#pullOnce(target, lowerTransport),
      mayRetry,
      mayFollow,
      signal: this.#abort.signal,
      log: this.#log,
      failureText,
    }).run();
  }

  /** Ends the publication and the connection. Idempotent; resolves when the ports are free. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.finished;
  }

  #pullOnce(url: RtspUrl, lowerTransport: 'udp' | 'tcp'): Promise<ClientOutcome> {
    const { hub, name, transport, insecure, ports, borrow } = this.#options;
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
      backChannel: this.#backChannel,
      signal: this.#abort.signal,
      borrow,
    });
  }
}

function failureText(code: string | undefined): string {
  return code === 'rtsp/unauthorized'
    ? 'the source does not accept the user name and password of its URL'
    : 'the source can not be pulled now';
}
