import type { ListenAddress } from '../../io/listen-address.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { TcpListener, type TcpSocket } from '../../io/tcp-listener.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Logger } from '../log/logger.ts';
import { RtmpConnection } from './rtmp-connection.ts';

/** How often sessions are asked for timeouts that are due, milliseconds. */
const TIMEOUT_CHECK_MS = 250;

/** Sessions and what limits stopped; all but `connections` only grow. */
export interface RtmpServerCounters {
  /** Open connections. */
  connections: number;
  /** Connections accepted so far. */
  accepted: number;
  /** Connections closed because there were `max_connections` already. */
  refused: number;
  /** TLS handshakes that failed. */
  tlsFailed: number;
  /** Sessions ended by the peer's fault or a limit, by error code (`rtmp/…`). */
  readonly failed: Map<string, number>;
  /** Media messages of publishers that made no sense, by reason; counted when the publication ends. */
  readonly malformed: Map<string, number>;
}

export interface RtmpServerOptions {
  readonly hub: StreamHub;
  readonly log: Logger;
  readonly configuration: Configuration['rtmp'];
  readonly noDelay: boolean;
  /** Milliseconds between two reads from a publisher; 0 reads at once. */
  readonly mergeReadMs: number;
  /** The virtual host a name asked for stands for. */
  readonly resolveVhost: (asked: string) => string;
  /** Told to clients in the connect reply. */
  readonly version: string;
  /** RTMPS: PEM texts and where to listen. */
  readonly tls?: { readonly listen: readonly ListenAddress[]; readonly cert: string; readonly key: string };
}

/** The RTMP and RTMPS ports: a session for each connection. */
export class RtmpServer {
  readonly counters: RtmpServerCounters = {
    connections: 0,
    accepted: 0,
    refused: 0,
    tlsFailed: 0,
    failed: new Map(),
    malformed: new Map(),
  };
  readonly #options: RtmpServerOptions;
  readonly #listeners: TcpListener[] = [];
  readonly #tlsListeners: TcpListener[] = [];
  readonly #connections = new Set<RtmpConnection>();
  readonly #stopChecking: () => void;

  private constructor(options: RtmpServerOptions) {
    this.#options = options;
    this.#stopChecking = nodeClock.every(TIMEOUT_CHECK_MS, () => {
      const nowMs = nodeClock.nowMs();
      for (const connection of this.#connections) connection.checkTimeouts(nowMs);
    });
  }

  /** @throws ResourceError when a port or the certificate can't be used */
  static async start(options: RtmpServerOptions): Promise<RtmpServer> {
    const server = new RtmpServer(options);
    try {
      for (const address of options.configuration.enabled ? options.configuration.listen : []) {
        server.#listeners.push(await server.#listen(address, undefined));
      }
      for (const address of options.tls?.listen ?? []) {
        server.#tlsListeners.push(await server.#listen(address, options.tls));
      }
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  get ports(): number[] {
    return this.#listeners.map((listener) => listener.port);
  }

  get tlsPorts(): number[] {
    return this.#tlsListeners.map((listener) => listener.port);
  }

  /** Tells clients that can that they shall connect anew, before `close`. */
  askToReconnect(): void {
    for (const connection of this.#connections) connection.askToReconnect();
  }

  /** Stops accepting and ends every session. Idempotent. */
  async close(): Promise<void> {
    this.#stopChecking();
    const listeners = [...this.#listeners, ...this.#tlsListeners];
    for (const connection of this.#connections) connection.close();
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  #listen(address: ListenAddress, tls: RtmpServerOptions['tls']): Promise<TcpListener> {
    return TcpListener.listen({
      address,
      noDelay: this.#options.noDelay,
      maxConnections: this.#options.configuration.max_connections,
      ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
      onConnection: (socket) => this.#accept(socket, tls !== undefined),
      onRefused: () => {
        this.counters.refused++;
      },
      onError: (error) => {
        this.counters.tlsFailed++;
        this.#options.log.debug({ err: error }, 'a connection failed before its session began');
      },
    });
  }

  #accept(socket: TcpSocket, secure: boolean): void {
    this.counters.accepted++;
    this.counters.connections++;
    const connection = new RtmpConnection({
      socket,
      secure,
      hub: this.#options.hub,
      log: this.#options.log,
      configuration: this.#options.configuration,
      version: this.#options.version,
      noDelay: this.#options.noDelay,
      mergeReadMs: this.#options.mergeReadMs,
      resolveVhost: this.#options.resolveVhost,
      onFailed: (code) => add(this.counters.failed, code, 1),
      onMalformed: (reason, count) => add(this.counters.malformed, reason, count),
      onClosed: () => {
        this.counters.connections--;
        this.#connections.delete(connection);
      },
    });
    this.#connections.add(connection);
  }
}

function add(counters: Map<string, number>, name: string, count: number): void {
  counters.set(name, (counters.get(name) ?? 0) + count);
}
