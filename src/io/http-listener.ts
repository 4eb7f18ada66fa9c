import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { ListenAddress } from './listen-address.ts';
import { listenOn } from './tcp-listener.ts';

export type HttpRequest = http.IncomingMessage;
export type HttpResponse = http.ServerResponse;
export type UpgradeSocket = Duplex;

/** Time for a request's header, also for a connection that sends nothing at all, milliseconds. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** Time for a whole request, milliseconds. No request to this server carries a large body. */
export const REQUEST_TIMEOUT_MS = 20_000;
/** How long an idle connection is kept for another request, milliseconds. */
export const KEEP_ALIVE_MS = 15_000;
/** Largest request header, bytes. */
export const MAX_HEADER_BYTES = 16_384;

/** Counters of connections that came to nothing; all only grow. */
export interface HttpListenerCounters {
  /** Connections closed because the header or request took too long, or never came. */
  timedOut: number;
  /** Connections closed because what came was not HTTP, or too large. */
  malformed: number;
  /** Connections closed because there were `maxConnections` already. */
  refused: number;
}

export interface HttpListenerOptions {
  readonly address: ListenAddress;
  readonly noDelay: boolean;
  readonly maxConnections: number;
  readonly onRequest: (request: HttpRequest, response: HttpResponse) => void;
  /** A request to change to WebSocket; the socket is the handler's to close. */
  readonly onUpgrade: (request: HttpRequest, socket: Duplex, head: Buffer) => void;
}

/** An HTTP/1.1 port with limits on time, size and number, and counters of what they stopped. */
export class HttpListener {
  readonly #server: http.Server;
  readonly port: number;
  readonly counters: HttpListenerCounters;

  private constructor(server: http.Server, port: number, counters: HttpListenerCounters) {
    this.#server = server;
    this.port = port;
    this.counters = counters;
  }

  /** @throws ResourceError with a `ListenErrorCode` when the port can't be had */
  static async listen(options: HttpListenerOptions): Promise<HttpListener> {
    const counters: HttpListenerCounters = { timedOut: 0, malformed: 0, refused: 0 };
    const server = http.createServer(
      {
        noDelay: options.noDelay,
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: 1000,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      options.onRequest,
    );
    server.maxConnections = options.maxConnections;
    server.on('drop', () => counters.refused++);
    server.on('upgrade', options.onUpgrade);
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') counters.timedOut++;
      else if (error.code !== 'ECONNRESET') counters.malformed++;
      if (socket.writable) socket.end(statusLine(error.code));
      else socket.destroy();
    });
    const port = await listenOn(server, options.address);
    return new HttpListener(server, port, counters);
  }

  /** Stops accepting and closes every connection. Resolves when all are gone. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

function statusLine(code: string | undefined): string {
  const status =
    code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request';
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}
