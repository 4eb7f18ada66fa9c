import type { UdpPortRange } from '../../io/udp-port-pair.ts';
import type { Stream } from '../../media/stream.ts';
import type { RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { type Logger, sessionLogger } from '../log/logger.ts';
import type { DatagramPacer } from '../rtsp/datagram-pacer.ts';
import { isPublished, type LiveSessions } from '../rtsp/live-sessions.ts';
import { ClientAttempts, shownRtspUrl } from './client-attempts.ts';
import type { ClientOutcome } from './client-connection.ts';
import { type PushOutcome, type PushProgress, pushOnce } from './push-connection.ts';
import { pushError } from './push-error.ts';

export interface RtspPushOptions {
  readonly log: Logger;
  /** What is published there. It has a publisher. */
  readonly stream: Stream;
  /** Gives the stream's packets, which are made once for all who get them. */
  readonly live: LiveSessions;
  readonly pacer: DatagramPacer;
  readonly url: RtspUrl;
  /** `auto` takes UDP, and TCP where the server refuses UDP or tells of none that came. */
  readonly transport: 'auto' | 'udp' | 'tcp';
  /** Take any certificate. */
  readonly insecure: boolean;
  /** Send it as SRTP; only by `rtsps://`, as the key goes with the description. */
  readonly srtp?: boolean;
  readonly ports: UdpPortRange;
  /** Whether to try again after a failure; always by default. `hadMedia`: packets have gone since it was made. */
  readonly mayRetry?: (hadMedia: boolean) => boolean;
}

/** Publishes a live stream to another server by ANNOUNCE and RECORD, over and over again until the stream ends. */
export class RtspPush {
  /** Resolves when it is over, and all it used is free: with the failure it gave up after, if there is one. */
  readonly finished: Promise<Error | undefined>;
  readonly #options: RtspPushOptions;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  #connection: PushProgress | undefined;
  #pastBytes = 0;

  constructor(options: RtspPushOptions) {
    this.#options = options;
    const { url, transport, mayRetry, stream } = options;
    this.#log = sessionLogger(options.log, { protocol: 'rtsp', stream: stream.key, target: shownRtspUrl(url) });
    this.finished = new ClientAttempts({
      url,
      transport,
      connect: (target, lowerTransport) => this.#push(target, lowerTransport),
      // There is nothing to come back with once the stream is over.
      mayRetry: (hadMedia) => isPublished(stream) && mayRetry?.(hadMedia) !== false,
      signal: this.#abort.signal,
      log: this.#log,
      failureText,
    }).run();
  }

  /** Whether the server takes the stream now. */
  get isRecording(): boolean {
    return this.#connection !== undefined;
  }

  /** What was sent so far. */
  get sentBytes(): number {
    return this.#pastBytes + (this.#connection?.sentBytes ?? 0);
  }

  /** What waits to be sent. */
  get bufferedBytes(): number {
    return this.#connection?.bufferedBytes ?? 0;
  }

  /** Ends the session there and the connection. Idempotent; resolves when the ports are free. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.finished;
  }

  /** One connection, and another one at once whenever the stream has become what was not announced. */
  async #push(url: RtspUrl, lowerTransport: 'udp' | 'tcp'): Promise<ClientOutcome> {
    for (;;) {
      const outcome = await this.#pushOnce(url, lowerTransport);
      if (outcome.type !== 'changed') return outcome;
      this.#log.info('the stream has changed: announcing it anew');
    }
  }

  async #pushOnce(url: RtspUrl, lowerTransport: 'udp' | 'tcp'): Promise<PushOutcome> {
    const { live, stream, pacer, transport, insecure, ports, srtp = false } = this.#options;
    const { signal } = this.#abort;
    if (srtp && url.scheme !== 'rtsps') {
      const error = pushError('push/key-in-clear', 'SRTP goes to rtsps:// only: others could read its key');
      return { type: 'failed', error, hadMedia: false };
    }
    const media = await live.open(stream, signal, srtp);
    if (media === undefined) {
      if (signal.aborted || !isPublished(stream)) return { type: 'closed' };
      const error = pushError('push/no-tracks', 'RTP carries nothing of this stream');
      return { type: 'failed', error, hadMedia: false };
    }
    const outcome = await pushOnce({
      url,
      lowerTransport,
      mayUseTcp: transport === 'auto',
      insecure,
      ports,
      media,
      registry: live.registry,
      pacer,
      signal,
      onRecording: (connection) => {
        this.#connection = connection;
        this.#log.info({ transport: lowerTransport }, 'pushing');
      },
    });
    this.#pastBytes = this.sentBytes;
    this.#connection = undefined;
    if (outcome.type === 'closed') this.#log.info({ bytes: this.#pastBytes }, 'push ended');
    return outcome;
  }
}

function failureText(code: string | undefined): string {
  return code === 'rtsp/unauthorized'
    ? 'the server does not accept the user name and password of the URL it is pushed to'
    : 'the stream can not be pushed now';
}
