import type { ListenAddress } from '../../io/listen-address.ts';

/**
 * Who decides what a server answers. Connections are numbers, never used twice. All callbacks of a connection come one
 * at a time: `onConnect` first, then requests one by one (the next one when the one before was answered), `onClose` once
 * and last, never inside another callback of that connection. A callback that throws, or returns a promise that is
 * rejected, costs its connection and is reported to `onError`.
 */
export interface ServerDelegate<Request> {
  /** A connection was accepted; nothing was read yet. It may be closed here. */
  onConnect(connectionId: number): void | Promise<void>;
  /** A request came. Answer it here or later, from anywhere, with the server's `send`. */
  onRequest(connectionId: number, request: Request): void | Promise<void>;
  /** The connection is gone, whoever closed it; its number finds nothing any more. */
  onClose(connectionId: number): void | Promise<void>;
  /** The network has taken all of a queue that had grown (above the socket's own 64 KB). */
  onDrain?(connectionId: number): void;
}

/** PEM texts of a TLS port. */
export interface TlsCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Settings that both servers share. */
export interface DelegateServerOptions {
  /** `8554`, `127.0.0.1:8554`, `[::1]:0` or its parts; port 0 takes a free one, no host means IPv6 and IPv4. */
  readonly address: string | ListenAddress;
  /** With it the port speaks TLS. */
  readonly tls?: TlsCertificate;
  /** More connections than this at a time are closed at once. 10,000 by default. */
  readonly maxConnections?: number;
  /** More bytes than this waiting for a peer mean that it is gone: its connection is closed. */
  readonly writeQueueLimit?: number;
  /** Largest head of a request, bytes. 65,536 by default. */
  readonly maxHeaderSizeBytes?: number;
  /** Largest body of a request, bytes. 1,048,576 by default. */
  readonly maxBodySizeBytes?: number;
  /** Time for the head of a request, also for the first one, counted from the connection; milliseconds, 10,000 by default. */
  readonly headerTimeoutMs?: number;
  /** Time for the body of a request beyond that, milliseconds. 60,000 by default. */
  readonly bodyTimeoutMs?: number;
  /** A connection on which nothing went either way for so long is closed, milliseconds; 0 is never. */
  readonly idleTimeoutMs?: number;
  /** What the `Server` header says; an empty text leaves the header out. `Millrace` by default. */
  readonly serverName?: string;
  /** Told of what a callback threw, and, without a number, of failed accepts, one a second. Without it such errors become process warnings. */
  readonly onError?: (error: Error, connectionId: number | undefined) => void;
}

/** Counters of a server; all only grow. */
export interface DelegateServerCounters {
  accepted: number;
  /** Closed because there were `maxConnections` already. */
  refused: number;
  /** Failed before they were connections (TLS handshakes). */
  failedHandshakes: number;
  /** Accepts that the system refused. Being out of file descriptors is not among them: libuv closes whom it can't keep. */
  failedAccepts: number;
  /** Requests that could not be read, or were answered by the server because they broke the protocol. */
  malformed: number;
  /** Closed because a request did not come in time. */
  timedOut: number;
  /** Closed because more than `writeQueueLimit` waited. */
  overflowed: number;
  /** Closed because a callback threw. */
  faults: number;
}

/** One end of a connection. */
export interface Endpoint {
  /** IPv4 or IPv6; IPv4 also when it came to an IPv6 socket. Empty when the peer was gone before it could be asked. */
  readonly address: string;
  readonly port: number;
}

/** Codes of the `StateError`s a server throws at a caller who uses it wrongly: `send` though no request is open. */
export type DelegateStateErrorCode = 'delegate/no-open-request';

/** Codes of the `ConfigError`s a server throws. */
export type DelegateConfigErrorCode = 'delegate/bad-address';
