import { type ConnectErrorCode, connectError } from '../../io/connect-error.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { connectTcp } from '../../io/tcp-client.ts';
import type { TcpSocket } from '../../io/tcp-listener.ts';
import type { RtmpClientEvent } from '../../protocol/rtmp/client-events.ts';
import { RtmpClientSession } from '../../protocol/rtmp/client-session.ts';
import type { RtmpUrl } from '../../protocol/rtmp/stream-url.ts';
import { ResourceError } from '../../wire/errors.ts';
import { parseRtmpAddress, shownRtmpUrl } from './media-address.ts';

/** Most redirects and reconnect requests followed one after another. */
export const MAX_RTMP_REDIRECTS = 5;
/**
 * Bytes a publisher may have waiting in its socket; above it `ready` waits. Small enough for a slow line to take within
 * the timeout, as the socket does not tell how far it got.
 */
export const MAX_PUBLISH_BUFFER_BYTES: number = 512 * 1024;
/** Bytes of media that may wait for a player; above it nothing more is read from the socket. */
const MAX_PLAY_QUEUE_BYTES: number = 2 * 1024 * 1024;
/** How long a server may take to confirm the end of a publish, and a socket to close, milliseconds. */
export const FAREWELL_MS = 2_000;

/** Codes of the `ResourceError`s of an RTMP client, beside `ConnectErrorCode`. */
export type RtmpClientErrorCode = ConnectErrorCode | 'client/refused' | 'client/protocol' | 'client/stalled';

export interface ClientOptions {
  /** Time to get as far as media, and longest time without any, milliseconds. */
  readonly timeoutMs: number;
  /** Take any certificate. */
  readonly insecure: boolean;
  /** Ends what was begun; a publisher that publishes already waits for `finish`. */
  readonly signal: AbortSignal;
}

export interface RtmpClientOptions extends ClientOptions {
  readonly mode: 'publish' | 'play';
  readonly url: RtmpUrl;
}

/** One message of media. `payload` belongs to the receiver. */
export interface MediaMessage {
  readonly typeId: 8 | 9 | 18;
  /** Milliseconds, unsigned 32 bits. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

type Outcome = { readonly type: 'running' } | { readonly type: 'redirect'; readonly url: string };

/** One RTMP connection to another server, by which one stream is published or played. */
export class RtmpClient {
  /** Where it ended up after redirects. */
  readonly url: RtmpUrl;
  readonly #socket: TcpSocket;
  readonly #session: RtmpClientSession;
  readonly #signal: AbortSignal;
  readonly #started = Promise.withResolvers<Outcome>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #onAbort = (): void => this.close();
  #queue: MediaMessage[] = [];
  #queuedBytes = 0;
  #wake: (() => void) | undefined;
  #isOver = false;
  #error: Error | undefined;
  #reconnectUrl: string | undefined;

  private constructor(socket: TcpSocket, options: RtmpClientOptions) {
    this.url = options.url;
    this.#socket = socket;
    this.#signal = options.signal;
    this.#session = new RtmpClientSession({
      crypto: nodeHandshakeCrypto,
      mode: options.mode,
      url: options.url,
      setupTimeoutMs: options.timeoutMs,
    });
    socket.on('data', (bytes: Uint8Array) => this.#perform(this.#session.receive(bytes, nodeClock.nowMs())));
    socket.on('error', (cause) => {
      this.#error ??= connectError(
        'connect/lost',
        `lost the connection to ${shownRtmpUrl(this.url)}: ${cause.message}`,
        cause,
      );
    });
    socket.once('close', () => this.#onClose());
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * Connects, follows redirects, and resolves when media may flow.
   * @throws ResourceError with a `RtmpClientErrorCode`
   */
  static async open(options: RtmpClientOptions): Promise<RtmpClient> {
    let { url } = options;
    for (let redirects = 0; redirects <= MAX_RTMP_REDIRECTS; redirects++) {
      const { host, port } = url;
      const secure = url.schema === 'rtmps';
      const socket = await connectTcp({ ...options, host, port, secure });
      const client = new RtmpClient(socket, { ...options, url });
      const outcome = await client.#begin(options.timeoutMs);
      if (outcome.type === 'running') {
        if (options.mode === 'publish') options.signal.removeEventListener('abort', client.#onAbort);
        return client;
      }
      client.close();
      url = redirectTarget(url, outcome.url);
    }
    throw connectError(
      'connect/too-many-redirects',
      `${shownRtmpUrl(options.url)} redirects more than ${MAX_RTMP_REDIRECTS} times`,
    );
  }

  /** Bytes written that the network has not taken yet. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Where the server asked to go instead, while this connection lasts. */
  get reconnectUrl(): string | undefined {
    return this.#reconnectUrl;
  }

  /** Whether the connection can still carry media. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Publishes one message, its body in pieces. Call `ready` before the next. */
  write(message: Omit<MediaMessage, 'payload'> & { readonly parts: readonly Uint8Array[] }): void {
    if (this.#isOver) return;
    this.#perform(this.#session.writeMedia(message.typeId, message.timestamp, message.parts));
  }

  /**
   * Resolves when more may be written: at once, when the network has taken what waits, or when the signal aborts.
   * @throws ResourceError when the connection is over or takes nothing for `timeoutMs`
   */
  async ready(timeoutMs: number): Promise<void> {
    if (!this.#isOver && this.#socket.writableLength > MAX_PUBLISH_BUFFER_BYTES) await this.#drained(timeoutMs);
    if (this.#isOver && !this.#signal.aborted) throw this.#whyOver();
  }

  /**
   * What the server sends, until it ends the stream.
   * @throws ResourceError when the connection is lost
   */
  async *messages(): AsyncGenerator<MediaMessage, void, undefined> {
    try {
      for (;;) {
        const batch = this.#queue;
        this.#queue = [];
        this.#queuedBytes = 0;
        this.#socket.resume();
        yield* batch;
        if (this.#queue.length > 0) continue;
        if (this.#isOver) break;
        await this.#somethingCame();
      }
      if (this.#error !== undefined && !this.#signal.aborted) throw this.#error;
    } finally {
      this.close();
    }
  }

  /**
   * Ends a publish as the protocol wants it: everything written, unpublished, confirmed. Closed when it settles.
   * @throws ResourceError when not everything could be sent
   */
  async finish(timeoutMs: number): Promise<void> {
    try {
      if (!this.#isOver && this.#socket.writableLength > 0) await this.#drained(timeoutMs);
      if (this.#isOver) throw this.#whyOver();
      this.#perform(this.#session.unpublish());
      const cancel = nodeClock.after(FAREWELL_MS, () => this.close());
      while (!this.#isOver) await this.#somethingCame();
      cancel();
    } finally {
      this.close();
      await this.#closed.promise;
    }
  }

  /** Says good-bye and closes the connection. Idempotent. */
  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#perform(this.#session.close());
    this.#isOver = true;
    this.#wake?.();
    this.#socket.resume();
    this.#socket.destroySoon();
    const cancel = nodeClock.after(FAREWELL_MS, () => this.#socket.destroy());
    void this.#closed.promise.then(cancel);
  }

  async #begin(timeoutMs: number): Promise<Outcome> {
    const cancel = nodeClock.after(timeoutMs, () =>
      this.#perform(this.#session.handleTimeout(Number.POSITIVE_INFINITY)),
    );
    this.#perform(this.#session.start(nodeClock.nowMs()));
    try {
      return await this.#started.promise;
    } finally {
      cancel();
    }
  }

  #perform(events: readonly RtmpClientEvent[]): void {
    for (const event of events) this.#handle(event);
  }

  #handle(event: RtmpClientEvent): void {
    switch (event.type) {
      case 'send':
        if (this.#socket.writable) this.#socket.write(event.bytes);
        break;
      case 'message':
        this.#queue.push(event);
        this.#queuedBytes += event.payload.length;
        if (this.#queuedBytes > MAX_PLAY_QUEUE_BYTES) this.#socket.pause();
        this.#wake?.();
        break;
      case 'publishing':
      case 'playing':
        this.#started.resolve({ type: 'running' });
        break;
      case 'redirect':
        this.#reconnectUrl = event.url;
        this.#started.resolve({ type: 'redirect', url: event.url });
        this.#over();
        break;
      case 'reconnect-request':
        this.#reconnectUrl = event.url;
        this.#wake?.();
        break;
      case 'ended':
        this.#over();
        break;
      case 'failed':
        this.#error ??= this.#translate(event.error);
        this.#over();
        break;
      case 'handshake':
      case 'connected':
      case 'dry':
        break;
    }
  }

  #translate(error: Error & { readonly code: string }): ResourceError {
    const where = shownRtmpUrl(this.url);
    if (error.code === 'rtmp/refused')
      return clientError('client/refused', `${where} is refused: ${error.message}`, error);
    if (error.code === 'rtmp/setup-timeout') {
      return connectError('connect/timeout', `${where} does not answer in time: ${error.message}`, error);
    }
    return clientError('client/protocol', `${where} does not keep to RTMP: ${error.message}`, error);
  }

  /** Nothing more will come by this connection. */
  #over(): void {
    this.#isOver = true;
    this.#started.reject(this.#whyOver());
    this.#wake?.();
    this.#socket.destroySoon();
  }

  #onClose(): void {
    if (!this.#isOver)
      this.#error ??= connectError('connect/lost', `${shownRtmpUrl(this.url)}: the server closed the connection`);
    this.#isOver = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#started.reject(this.#whyOver());
    this.#closed.resolve();
    this.#wake?.();
  }

  #whyOver(): Error {
    if (this.#signal.aborted) return connectError('connect/cancelled', 'cancelled');
    return this.#error ?? clientError('client/refused', `${shownRtmpUrl(this.url)}: the server ended the stream`);
  }

  #somethingCame(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #drained(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        cancel();
        this.#socket.off('drain', onEnd);
        this.#socket.off('close', onEnd);
        this.#signal.removeEventListener('abort', onEnd);
      };
      const onEnd = (): void => {
        stop();
        resolve();
      };
      const cancel = nodeClock.after(timeoutMs, () => {
        stop();
        reject(clientError('client/stalled', `${shownRtmpUrl(this.url)} has taken nothing for ${timeoutMs / 1000} s`));
      });
      this.#socket.once('drain', onEnd);
      this.#socket.once('close', onEnd);
      this.#signal.addEventListener('abort', onEnd);
    });
  }
}

/** The URL a server sends its client to. @throws ResourceError when it is no RTMP URL with app and stream */
export function redirectTarget(from: RtmpUrl, to: string): RtmpUrl {
  const url = parseRtmpAddress(to);
  if (typeof url !== 'string') return url;
  throw connectError('connect/bad-answer', `${shownRtmpUrl(from)} sends us on to a wrong address: ${url}`);
}

function clientError(code: RtmpClientErrorCode, message: string, cause?: unknown): ResourceError {
  return new ResourceError(code, message, cause === undefined ? {} : { cause });
}
