import http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { cutAfter } from './end-soon.ts';
import { HttpConnections } from './http-connections.ts';
import type { ListenAddress } from './listen-address.ts';
import { watchHead } from './request-head.ts';
import { listenOn } from './tcp-listener.ts';

export type HttpRequest = http.IncomingMessage;
export type HttpResponse = http.ServerResponse;
export type UpgradeSocket = Duplex;

/** Time for a whole request beyond that of its header, milliseconds. No request to this server carries a large body. */
export const REQUEST_BODY_TIMEOUT_MS = 10_000;
/** How often connections are asked for timeouts, milliseconds. */
const TIMEOUT_CHECK_MS = 250;
/** How long a peer may take to receive the answer to a request that was none, milliseconds. */
const ERROR_LINGER_MS = 1000;
/** How long an idle connection is kept for another request, milliseconds. */
export const KEEP_ALIVE_MS = 15_000;
/** How long answers that have begun may take to end when the port is closed, milliseconds. */
export const CLOSE_GRACE_MS = 2_000;
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
  /** Time for a request's header, also for a connection that sends nothing at all, milliseconds. */
  readonly headersTimeoutMs: number;
  readonly onRequest: (request: HttpRequest, response: HttpResponse) => void;
  /** A request to change to WebSocket; the socket is the handler's to close. */
  readonly onUpgrade: (request: HttpRequest, socket: Duplex, head: Buffer) => void;
  /** Takes connections away before HTTP reads of them. */
  readonly interceptor?: HttpInterceptor | undefined;
}

/** Who serves connections to an HTTP port that only look like HTTP. */
export interface HttpInterceptor {
  /** Whether a connection whose first bytes are these, up to a whole head, may still turn out to be wanted. */
  readonly mayWant: (bytes: Uint8Array) => boolean;
  /** Whether a connection whose first head is this is wanted. */
  readonly wants: (head: Uint8Array) => boolean;
  /** Gets the socket, with the head still in it, to be read and closed. */
  readonly take: (socket: Socket) => void;
}

/** An HTTP/1.1 port with limits on time, size and number, and counters of what they stopped. */
export class HttpListener {
  readonly #server: http.Server;
  readonly #connections: HttpConnections;
  readonly port: number;
  readonly counters: HttpListenerCounters;

  private constructor(server: http.Server, connections: HttpConnections, port: number, counters: HttpListenerCounters) {
    this.#server = server;
    this.#connections = connections;
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
        headersTimeout: options.headersTimeoutMs,
        requestTimeout: options.headersTimeoutMs + REQUEST_BODY_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: TIMEOUT_CHECK_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
        // Clients that offer HTTP/2 on the way (`Upgrade: h2c`: curl --http2, Java) want an answer all the same (RFC 9110
        // §7.8). Node before 22.21 does not know this option and takes every offer for an upgrade.
        shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
      },
      options.onRequest,
    );
    server.maxConnections = options.maxConnections;
    server.on('drop', () => counters.refused++);
    server.on('upgrade', options.onUpgrade);
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // Once for each connection, though the parser complains of every further byte.
      if (socket.writableEnded) {
        socket.destroy();
        return;
      }
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') counters.timedOut++;
      else if (error.code?.startsWith('HPE_') === true) counters.malformed++;
      // Behind an answer that has begun, another status line would be part of its body.
      if (!socket.writable || (socket as Socket).bytesWritten > 0) {
        socket.destroy();
        return;
      }
      socket.end(statusLine(error.code));
      cutAfter(socket, ERROR_LINGER_MS);
    });
    const { interceptor } = options;
    const take = (socket: Socket): void => {
      connections.release(socket);
      interceptor?.take(socket);
    };
    if (interceptor !== undefined) interceptConnections(server, { ...interceptor, take }, options, counters);
    const connections = new HttpConnections(server);
    const port = await listenOn(server, options.address);
    return new HttpListener(server, connections, port, counters);
  }

  /**
   * Stops accepting and closes every connection: at once, or, when it is being answered, with the end of the answer, for
   * which there are `CLOSE_GRACE_MS`. Resolves when all are gone.
   */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#connections.close(CLOSE_GRACE_MS);
    });
  }
}

/** Puts the interceptor between the port and what Node does with connections to it. */
function interceptConnections(
  server: http.Server,
  interceptor: HttpInterceptor,
  options: HttpListenerOptions,
  counters: HttpListenerCounters,
): void {
  const serve = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    // Until somebody else listens; 'close' follows and does the work.
    const onError = (): void => undefined;
    socket.on('error', onError);
    watchHead(socket, {
      maxBytes: MAX_HEADER_BYTES,
      timeoutMs: options.headersTimeoutMs,
      isOpen: interceptor.mayWant,
      onTimeout: () => {
        counters.timedOut++;
        socket.end(statusLine('ERR_HTTP_REQUEST_TIMEOUT'));
        cutAfter(socket, ERROR_LINGER_MS);
      },
      onHead: (head) => {
        if (interceptor.wants(head)) interceptor.take(socket);
        else for (const listener of serve) listener.call(server, socket);
        socket.off('error', onError);
        socket.resume();
      },
    });
  });
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
