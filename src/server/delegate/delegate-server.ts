import type { UpgradeSocket } from '../../io/http-listener.ts';
import { type ListenAddress, parseListenAddress } from '../../io/listen-address.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { TcpListener, type TcpSocket } from '../../io/tcp-listener.ts';
import { ConfigError, StateError } from '../../wire/errors.ts';
import { ConnectionTable } from './connection-table.ts';
import { type ConnectionOwner, DelegateConnection, type RawInputHandler } from './delegate-connection.ts';
import type { MessageReader } from './message-reader.ts';
import type {
  DelegateConfigErrorCode,
  DelegateServerCounters,
  DelegateServerOptions,
  DelegateStateErrorCode,
  Endpoint,
  ServerDelegate,
  TlsCertificate,
} from './server-delegate.ts';

/** Connections at a time, unless told otherwise. */
const DEFAULT_MAX_CONNECTIONS = 10_000;
/** Largest head of a request, bytes. */
export const DEFAULT_MAX_HEADER_BYTES = 65_536;
/** Largest body of a request, bytes. */
export const DEFAULT_MAX_BODY_BYTES = 1_048_576;
const DEFAULT_HEADER_TIMEOUT_MS = 10_000;
const DEFAULT_BODY_TIMEOUT_MS = 60_000;
/** How often connections are looked through for timeouts, milliseconds. */
const TIMEOUT_CHECK_MS = 250;
/** Failed accepts come in floods; one in so many milliseconds is reported. */
const ACCEPT_REPORT_MS = 1000;

const IPV4_IN_IPV6 = '::ffff:';

/** What a server of one protocol settles for the connections it shares with all others. */
export interface DelegateServerSetup {
  readonly readsAhead: boolean;
  readonly writeQueueLimit: number;
  readonly idleTimeoutMs: number;
}

/** A connection handed out by a server. */
export interface TakenSocket {
  /** Paused, with no listener of the server on it any more. */
  readonly socket: UpgradeSocket;
  /** What was read behind the open request. */
  readonly head: Uint8Array;
}

/** Where an adopted connection comes from and goes to. */
export interface AdoptOptions {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly secure: boolean;
}

/**
 * What the embeddable servers have in common: ports, the table of connections, and everything one can do with a
 * connection whatever it speaks. All calls find the connection by its number and return false, or undefined, when it is
 * gone or closing.
 */
export abstract class DelegateServer<Message, Request, Delegate extends ServerDelegate<Request>>
  implements ConnectionOwner<Message, Request>
{
  readonly counters: DelegateServerCounters = {
    accepted: 0,
    refused: 0,
    failedHandshakes: 0,
    failedAccepts: 0,
    malformed: 0,
    timedOut: 0,
    overflowed: 0,
    faults: 0,
  };
  readonly readsAhead: boolean;
  readonly writeQueueLimit: number;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly idleTimeoutMs: number;
  protected readonly delegate: Delegate;
  readonly #onError: DelegateServerOptions['onError'];
  readonly #maxConnections: number;
  readonly #connections = new ConnectionTable<DelegateConnection<Message, Request>>();
  readonly #listeners: TcpListener[] = [];
  readonly #stopChecking: () => void;
  #reportedAcceptMs = Number.NEGATIVE_INFINITY;
  #closed: Promise<void> | undefined;
  #allGone: (() => void) | undefined;

  protected constructor(options: DelegateServerOptions, delegate: Delegate, setup: DelegateServerSetup) {
    this.delegate = delegate;
    this.readsAhead = setup.readsAhead;
    this.writeQueueLimit = options.writeQueueLimit ?? setup.writeQueueLimit;
    this.idleTimeoutMs = options.idleTimeoutMs ?? setup.idleTimeoutMs;
    this.headerTimeoutMs = options.headerTimeoutMs ?? DEFAULT_HEADER_TIMEOUT_MS;
    this.bodyTimeoutMs = options.bodyTimeoutMs ?? DEFAULT_BODY_TIMEOUT_MS;
    this.#onError = options.onError;
    this.#maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
    this.#stopChecking = nodeClock.every(TIMEOUT_CHECK_MS, () => {
      const nowMs = nodeClock.nowMs();
      for (const connection of this.#connections.values()) connection.checkTimeout(nowMs);
    });
  }

  /** The first port. */
  get port(): number {
    return this.#listeners[0]?.port ?? 0;
  }

  /** The ports, in the order they were opened. */
  get ports(): number[] {
    return this.#listeners.map((listener) => listener.port);
  }

  /** Connections at the moment, with those that are closing. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /**
   * Opens a further port, whose connections are numbered with all others.
   * @returns its number
   * @throws ResourceError with a `ListenErrorCode` when the port or certificate can't be used, ConfigError
   *   `delegate/bad-address`
   */
  async listenAlso(address: string | ListenAddress, tls?: TlsCertificate): Promise<number> {
    const listener = await TcpListener.listen({
      address: toListenAddress(address),
      noDelay: true,
      allowHalfOpen: true,
      ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
      maxConnections: this.#maxConnections,
      onConnection: (socket) => this.#accept(socket, tls !== undefined),
      onRefused: () => {
        this.counters.refused++;
      },
      onError: (error) => this.#handleListenerError(error),
    });
    if (this.#closed !== undefined) await listener.close();
    this.#listeners.push(listener);
    return listener.port;
  }

  /**
   * Makes a connection of any stream of bytes, for example of a WebSocket's.
   * @returns its number, after `onConnect`; the stream is destroyed when there are too many connections
   */
  adopt(socket: UpgradeSocket, options: AdoptOptions): number | false {
    if (this.#closed !== undefined || this.#connections.size >= this.#maxConnections) {
      this.counters.refused++;
      socket.on('error', () => undefined);
      socket.destroy();
      return false;
    }
    this.counters.accepted++;
    const id = this.#connections.nextId();
    const connection = new DelegateConnection<Message, Request>({
      id,
      socket,
      reader: this.makeReader(),
      owner: this,
      ...options,
    });
    this.#connections.add(connection);
    connection.guard(() => this.call(connection, () => this.delegate.onConnect(id)));
    connection.start();
    return id;
  }

  /**
   * Writes bytes as they are. They are shared, not copied: never write into them again.
   * @returns false when the connection is gone, or was given up now because too much waits
   */
  sendRaw(connectionId: number, bytes: Uint8Array): boolean {
    return this.#connections.get(connectionId)?.write(bytes) ?? false;
  }

  /** Bytes written that the network has not taken yet; 0 when the connection is gone. */
  bufferedBytes(connectionId: number): number {
    return this.#connections.get(connectionId)?.bufferedBytes ?? 0;
  }

  /** Takes input for a connection as if its peer had sent it: requests out of a tunnel. `bytes` stays the caller's. */
  receive(connectionId: number, bytes: Uint8Array): boolean {
    return this.#connections.get(connectionId)?.inject(bytes) ?? false;
  }

  /**
   * From now on whatever the peer sends behind the open request goes to `handler`, unread; the bytes are valid during
   * the call. The request counts as answered. There is no way back.
   */
  setRawInput(connectionId: number, handler: RawInputHandler): boolean {
    const connection = this.find(connectionId);
    connection?.setRawInput(handler);
    return connection !== undefined;
  }

  /** Hands the socket out; for the server and its delegate (`onClose`) the connection is gone. */
  takeSocket(connectionId: number): TakenSocket | undefined {
    return this.find(connectionId)?.detach();
  }

  /** Whether the connection is there and not closing. */
  isOpen(connectionId: number): boolean {
    return this.find(connectionId) !== undefined;
  }

  /** The peer's end. Known until `onClose` has returned, as is all about a connection. */
  remote(connectionId: number): Endpoint | undefined {
    return this.#connections.get(connectionId)?.remote;
  }

  /** The server's end. */
  local(connectionId: number): Endpoint | undefined {
    return this.#connections.get(connectionId)?.local;
  }

  /** Whether it came over TLS. */
  isSecure(connectionId: number): boolean {
    return this.#connections.get(connectionId)?.secure ?? false;
  }

  /** Closes a connection when the network has taken what was written, or does not take it within ten seconds. */
  closeAfterFlush(connectionId: number): boolean {
    const connection = this.find(connectionId);
    connection?.closeAfterFlush();
    return connection !== undefined;
  }

  /** Stops listening and closes every connection. Resolves when the last `onClose` was called. Idempotent. */
  close(): Promise<void>;
  /**
   * Closes a connection in the next turn of the event loop, whatever waits in its queue; `onClose` comes then. Nothing
   * more is handed over or taken from now on.
   */
  close(connectionId: number): boolean;
  close(connectionId?: number): boolean | Promise<void> {
    if (connectionId === undefined) {
      this.#closed ??= this.#closeAll();
      return this.#closed;
    }
    const connection = this.#connections.get(connectionId);
    const wasOpen = connection?.isOpen ?? false;
    connection?.close();
    return wasOpen;
  }

  mustWait(_message: Message): boolean {
    return true;
  }

  /** Opens the port of the options, or lets go of everything. */
  protected async listenFirst(options: DelegateServerOptions): Promise<void> {
    try {
      await this.listenAlso(options.address, options.tls);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  abstract handleMessage(connection: DelegateConnection<Message, Request>, message: Message): void;
  abstract handleTimeout(connection: DelegateConnection<Message, Request>, hasBegun: boolean): void;
  protected abstract makeReader(): MessageReader<Message>;

  handleRaw(connection: DelegateConnection<Message, Request>, handler: RawInputHandler, bytes: Uint8Array): void {
    try {
      handler(bytes);
    } catch (error) {
      this.fail(connection, error);
    }
  }

  handleDrain(connection: DelegateConnection<Message, Request>): void {
    try {
      this.delegate.onDrain?.(connection.id);
    } catch (error) {
      this.fail(connection, error);
    }
  }

  handleOverflow(_connection: DelegateConnection<Message, Request>): void {
    this.counters.overflowed++;
  }

  handleClosed(connection: DelegateConnection<Message, Request>): void {
    this.call(connection, () => this.delegate.onClose(connection.id));
    this.#connections.delete(connection.id);
    if (this.#connections.size === 0) this.#allGone?.();
  }

  /** The connection of that number, if it is there and not closing. */
  protected find(connectionId: number): DelegateConnection<Message, Request> | undefined {
    const connection = this.#connections.get(connectionId);
    return connection?.isOpen === true ? connection : undefined;
  }

  /** The request an answer is for. @throws StateError `delegate/no-open-request` */
  protected openRequestOf(connection: DelegateConnection<Message, Request>): Request {
    const request = connection.openRequest;
    if (request !== undefined) return request;
    throw new StateError(
      'delegate/no-open-request' satisfies DelegateStateErrorCode,
      `connection ${connection.id} has no request to be answered`,
    );
  }

  /** Hands a request over; the connection waits for its answer. */
  protected dispatch(connection: DelegateConnection<Message, Request>, request: Request): void {
    connection.open(request);
    this.call(connection, () => this.delegate.onRequest(connection.id, request));
  }

  /** Runs a callback of the delegate; what it throws, now or later, costs the connection. */
  protected call(connection: DelegateConnection<Message, Request>, callback: () => void | Promise<void>): void {
    try {
      const result = callback();
      if (result instanceof Promise) result.catch((error: unknown) => this.fail(connection, error));
    } catch (error) {
      this.fail(connection, error);
    }
  }

  /** A fault of the delegate: reported, and the end of this connection. */
  protected fail(connection: DelegateConnection<Message, Request>, fault: unknown): void {
    this.counters.faults++;
    connection.close();
    this.#report(fault instanceof Error ? fault : new TypeError(`thrown: ${String(fault)}`), connection.id);
  }

  #report(error: Error, connectionId: number | undefined): void {
    if (this.#onError === undefined) process.emitWarning(error);
    else this.#onError(error, connectionId);
  }

  /** A failed TLS handshake is the peer's affair and only counted; anything else is the listener's own. */
  #handleListenerError(error: Error): void {
    if ((error as NodeJS.ErrnoException).syscall !== 'accept') {
      this.counters.failedHandshakes++;
      return;
    }
    this.counters.failedAccepts++;
    const nowMs = nodeClock.nowMs();
    if (nowMs - this.#reportedAcceptMs < ACCEPT_REPORT_MS) return;
    this.#reportedAcceptMs = nowMs;
    this.#report(error, undefined);
  }

  #accept(socket: TcpSocket, secure: boolean): void {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    this.adopt(socket, {
      remote: { address: plainAddress(remoteAddress), port: remotePort ?? 0 },
      local: { address: plainAddress(localAddress), port: localPort ?? 0 },
      secure,
    });
  }

  async #closeAll(): Promise<void> {
    this.#stopChecking();
    // Connections that are about to be accepted are not waited for: they are refused.
    for (const listener of this.#listeners) void listener.close();
    for (const connection of this.#connections.values()) connection.close();
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#allGone = resolve;
    });
  }
}

function toListenAddress(address: string | ListenAddress): ListenAddress {
  if (typeof address !== 'string') return address;
  const parsed = parseListenAddress(address);
  if (parsed !== undefined) return parsed;
  throw new ConfigError(
    'delegate/bad-address' satisfies DelegateConfigErrorCode,
    `not an address to listen on: ${JSON.stringify(address)}; write 8554, 127.0.0.1:8554 or [::1]:8554`,
    { path: 'address' },
  );
}

/** IPv4 as people write it, whatever socket it came to. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith(IPV4_IN_IPV6) ? address.slice(IPV4_IN_IPV6.length) : address;
}
