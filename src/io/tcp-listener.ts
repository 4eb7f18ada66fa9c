import net from 'node:net';
import tls from 'node:tls';
import { ResourceError } from '../wire/errors.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';

/** Codes of the `ResourceError`s a listener rejects with. */
export type ListenErrorCode = 'listen/port-taken' | 'listen/not-allowed' | 'listen/failed' | 'listen/bad-certificate';

export type TcpSocket = net.Socket;

export interface TcpListenerOptions {
  readonly address: ListenAddress;
  /** IPv4 peers do not come to an address of IPv6. Default false. */
  readonly ipv6Only?: boolean;
  readonly noDelay: boolean;
  /** PEM texts; when given the port speaks TLS and `onConnection` is called after the TLS handshake. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** More connections than this at a time are closed at once. */
  readonly maxConnections: number;
  /**
   * A peer that ends its sending half may still be answered; without it (the default) the socket ends itself as soon as
   * what was written is out.
   */
  readonly allowHalfOpen?: boolean;
  readonly onConnection: (socket: TcpSocket) => void;
  /** A connection was closed because there were `maxConnections` already. */
  readonly onRefused: () => void;
  /**
   * A connection that failed before it was handed over (TLS handshake), or a failed accept; the listener goes on. Being
   * out of file descriptors is no error here: libuv accepts and closes what waits, with a descriptor it keeps for that.
   */
  readonly onError: (error: Error) => void;
}

/** A TCP or TLS port that hands over sockets and survives errors of single connections. */
export class TcpListener {
  readonly #server: net.Server;
  readonly port: number;

  private constructor(server: net.Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @throws ResourceError with a `ListenErrorCode` when the port can't be had */
  static async listen(options: TcpListenerOptions): Promise<TcpListener> {
    const server = createServer(options);
    const port = await listenOn(server, options.address, options.ipv6Only);
    server.maxConnections = options.maxConnections;
    server.on('drop', options.onRefused);
    server.on('error', options.onError);
    return new TcpListener(server, port);
  }

  /** Stops accepting. Resolves when the sockets that were handed over are closed too, which is their owners' work. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

function createServer(options: TcpListenerOptions): net.Server {
  const socketOptions = {
    noDelay: options.noDelay,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    allowHalfOpen: options.allowHalfOpen ?? false,
  };
  if (options.tls === undefined) return net.createServer(socketOptions, options.onConnection);
  let server: tls.Server;
  try {
    server = tls.createServer({ ...socketOptions, ...options.tls, handshakeTimeout: 10_000 }, options.onConnection);
  } catch (cause) {
    throw new ResourceError(
      'listen/bad-certificate' satisfies ListenErrorCode,
      `the certificate or key for ${formatListenAddress(options.address)} can't be used: ${(cause as Error).message}`,
      { cause },
    );
  }
  server.on('tlsClientError', options.onError);
  return server;
}

/**
 * Listens and resolves with the port number.
 * @throws ResourceError with a `ListenErrorCode` and a message that says what to do
 */
export function listenOn(server: net.Server, address: ListenAddress, ipv6Only = false): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => reject(listenError(address, cause));
    server.once('error', onError);
    server.listen(
      { port: address.port, ...(address.host === undefined ? {} : { host: address.host }), backlog: 4096, ipv6Only },
      () => {
        server.off('error', onError);
        resolve((server.address() as net.AddressInfo).port);
      },
    );
  });
}

function listenError(address: ListenAddress, cause: NodeJS.ErrnoException): ResourceError {
  const where = formatListenAddress(address);
  if (cause.code === 'EADDRINUSE') {
    return new ResourceError(
      'listen/port-taken' satisfies ListenErrorCode,
      `port ${where} is taken by another program; stop it or choose another port in the configuration`,
      { cause },
    );
  }
  if (cause.code === 'EACCES') {
    return new ResourceError(
      'listen/not-allowed' satisfies ListenErrorCode,
      `this user may not listen on ${where}; choose a port above 1023`,
      { cause },
    );
  }
  return new ResourceError('listen/failed' satisfies ListenErrorCode, `can't listen on ${where}: ${cause.message}`, {
    cause,
  });
}
