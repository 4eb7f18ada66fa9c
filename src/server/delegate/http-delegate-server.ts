import type { HttpRequest } from '../../protocol/http1/http-request.ts';
import { type HttpReadEvent, HttpRequestReader } from '../../protocol/http1/http-request-reader.ts';
import { writeHttpResponseHead } from '../../protocol/http1/http-response.ts';
import { StateError } from '../../wire/errors.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import type { DelegateConnection } from './delegate-connection.ts';
import { DEFAULT_MAX_BODY_BYTES, DEFAULT_MAX_HEADER_BYTES, DelegateServer } from './delegate-server.ts';
import { httpDate } from './http-date.ts';
import type { MessageReader } from './message-reader.ts';
import type { DelegateServerOptions, ServerDelegate } from './server-delegate.ts';

/** Most bytes that may wait for a peer. One answer may be larger when nothing waits before it. */
export const HTTP_WRITE_QUEUE_BYTES = 1_000_000;
/** How long a connection is kept for another request, milliseconds. */
export const HTTP_IDLE_TIMEOUT_MS = 15_000;
/** A body up to this is copied behind its head: one small write is cheaper than two. */
const JOINED_BODY_BYTES = 4096;

const NOTHING = new Uint8Array(0);
const CONTINUE: Uint8Array = new TextEncoder().encode('HTTP/1.1 100 Continue\r\n\r\n');
/** Written by the server, whatever a caller says. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding']);

/** An answer. Date, Server, Connection, Content-Length and Content-Type are written for it. */
export interface HttpAnswer {
  /** 200–599. */
  readonly statusCode: number;
  /** Written in their order; `Connection: close` closes behind this answer. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | string;
  /** `text/plain; charset=utf-8` for texts and `application/octet-stream` for bytes by default. */
  readonly contentType?: string;
}

/** Who decides what an HTTP server answers. */
export type HttpDelegate = ServerDelegate<HttpRequest>;

/** Settings of an `HttpDelegateServer`. The write queue takes 1,000,000 bytes by default, idle connections stay 15 s. */
export interface HttpDelegateServerOptions extends DelegateServerOptions {
  readonly delegate: HttpDelegate;
}

type Connection = DelegateConnection<HttpReadEvent, HttpRequest>;

/**
 * An HTTP/1.0 and 1.1 server (RFC 9112) that leaves the answers to a delegate, at once or later. By itself it answers
 * 400, 413, 417, 431, 501 and 505 to what it can't read, 408 to what does not come in time, and closes behind them;
 * `100 Continue` to who waits for it. Requests are handed over whole, with their bodies.
 *
 * It reads requests itself: Node's parser is only to be had with Node's server, whose queues have no limits.
 */
export class HttpDelegateServer extends DelegateServer<HttpReadEvent, HttpRequest, HttpDelegate> {
  readonly #options: HttpDelegateServerOptions;

  private constructor(options: HttpDelegateServerOptions) {
    super(options, options.delegate, {
      readsAhead: false,
      writeQueueLimit: HTTP_WRITE_QUEUE_BYTES,
      idleTimeoutMs: HTTP_IDLE_TIMEOUT_MS,
    });
    this.#options = options;
  }

  /**
   * @throws ResourceError with a `ListenErrorCode` when the port or certificate can't be used, ConfigError
   *   `delegate/bad-address`
   */
  static async listen(options: HttpDelegateServerOptions): Promise<HttpDelegateServer> {
    const server = new HttpDelegateServer(options);
    await server.listenFirst(options);
    return server;
  }

  /**
   * Answers the open request of a connection. A body of bytes is shared, not copied: never write into it again.
   * @returns false when the connection is gone, or was given up now because too much waits
   * @throws StateError `delegate/no-open-request`, `http/bad-response`
   */
  send(connectionId: number, answer: HttpAnswer): boolean {
    const connection = this.find(connectionId);
    if (connection === undefined) return false;
    const request = this.openRequestOf(connection);
    const mustClose = !request.keepAlive || asksToClose(answer);
    const body = typeof answer.body === 'string' ? new TextEncoder().encode(answer.body) : (answer.body ?? NOTHING);
    const head = this.#writeHead(answer, body.length, request, mustClose);
    const hasBody = request.method !== 'HEAD' && mayHaveBody(answer.statusCode);
    connection.answered();
    const isTaken = writeMessage(connection, head, hasBody ? body : NOTHING);
    if (mustClose) connection.closeAfterFlush();
    return isTaken;
  }

  override handleMessage(connection: Connection, message: HttpReadEvent): void {
    if (message.type === 'request') this.dispatch(connection, message);
    else if (message.type === 'continue') connection.write(CONTINUE);
    else this.#refuse(connection, message.statusCode);
  }

  override handleTimeout(connection: Connection, hasBegun: boolean): void {
    this.counters.timedOut++;
    if (hasBegun) this.#refuse(connection, 408);
    else connection.close();
  }

  protected override makeReader(): MessageReader<HttpReadEvent> {
    const { maxHeaderSizeBytes, maxBodySizeBytes } = this.#options;
    return new HttpRequestReader({
      maxHeaderSizeBytes: maxHeaderSizeBytes ?? DEFAULT_MAX_HEADER_BYTES,
      maxBodySizeBytes: maxBodySizeBytes ?? DEFAULT_MAX_BODY_BYTES,
    });
  }

  /** Answers what no delegate sees, and closes: where the next request would begin is not known. */
  #refuse(connection: Connection, statusCode: number): void {
    if (statusCode !== 408) this.counters.malformed++;
    connection.write(this.#writeHead({ statusCode }, 0, undefined, true));
    connection.closeAfterFlush();
  }

  #writeHead(answer: HttpAnswer, bodySize: number, request: HttpRequest | undefined, mustClose: boolean): Uint8Array {
    const { statusCode, contentType, body } = answer;
    if (statusCode < 200) {
      throw new StateError('http/bad-response', `status code ${statusCode} is not that of a final answer`);
    }
    const headers: [string, string][] = [['Date', httpDate()]];
    const { serverName = 'Millrace' } = this.#options;
    if (serverName !== '') headers.push(['Server', serverName]);
    for (const [name, value] of Object.entries(answer.headers ?? {})) {
      if (OWN_HEADERS.has(name.toLowerCase())) continue;
      for (const one of typeof value === 'string' ? [value] : value) headers.push([name, one]);
    }
    const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
    if (contentType !== undefined || (body !== undefined && !hasType)) {
      const byKind = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
      headers.push(['Content-Type', contentType ?? byKind]);
    }
    if (mayHaveBody(statusCode) && (request?.method !== 'HEAD' || body !== undefined)) {
      headers.push(['Content-Length', String(bodySize)]);
    }
    if (mustClose) headers.push(['Connection', 'close']);
    else if (request?.version === '1.0') headers.push(['Connection', 'keep-alive']);
    return writeHttpResponseHead({ statusCode, headers });
  }
}

function writeMessage(connection: Connection, head: Uint8Array, body: Uint8Array): boolean {
  if (body.length === 0) return connection.write(head);
  if (body.length <= JOINED_BODY_BYTES) return connection.write(joinBytes([head, body]));
  return connection.writePair(head, body);
}

function asksToClose(answer: HttpAnswer): boolean {
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    if (name.toLowerCase() === 'connection' && String(value).toLowerCase() === 'close') return true;
  }
  return false;
}

/** RFC 9110 §6.4.1: these have no body, so they tell no length. */
function mayHaveBody(statusCode: number): boolean {
  return statusCode >= 200 && statusCode !== 204 && statusCode !== 304;
}
