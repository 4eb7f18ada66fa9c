import { RtspHeaders } from '../../protocol/rtsp/rtsp-headers.ts';
import type { RtspRequest, RtspResponse } from '../../protocol/rtsp/rtsp-message.ts';
import { RtspMessageReader, type RtspReadEvent } from '../../protocol/rtsp/rtsp-message-reader.ts';
import { writeRtspRequest, writeRtspResponse } from '../../protocol/rtsp/rtsp-message-writer.ts';
import type { DelegateConnection } from './delegate-connection.ts';
import { DEFAULT_MAX_BODY_BYTES, DEFAULT_MAX_HEADER_BYTES, DelegateServer } from './delegate-server.ts';
import { httpDate } from './http-date.ts';
import type { MessageReader } from './message-reader.ts';
import { RtspInput } from './rtsp-input.ts';
import type { DelegateServerOptions, ServerDelegate } from './server-delegate.ts';

/** Most bytes that may wait for a peer: eight seconds at 8 Mb/s. */
export const RTSP_WRITE_QUEUE_BYTES = 8_000_000;
/** The version served (RFC 2326 §3.1). */
const RTSP_VERSION = '1.0';
/** A sequence number that can be echoed: digits, within 32 bits and a bit (RFC 2326 §12.17). */
const CSEQ = /^\d{1,10}$/;

/** Headers as a caller likes to write them. */
export type OutgoingHeaders = Readonly<Record<string, string>> | Iterable<readonly [name: string, value: string]>;

/** An answer. CSeq, Date, Server and, with a body, Content-Length are written for it. */
export interface RtspAnswer {
  readonly statusCode: number;
  /** That of the status code by default. */
  readonly reason?: string;
  readonly headers?: OutgoingHeaders;
  readonly body?: Uint8Array | string;
}

/** A request to the peer. CSeq is written for it. */
export interface RtspServerRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: OutgoingHeaders;
  readonly body?: Uint8Array | string;
}

/**
 * Who decides what an RTSP server answers. HTTP requests come to the same port (tunnels, upgrades to WebSocket) and are
 * handed over as they are: `request.protocol` tells.
 */
export interface RtspDelegate extends ServerDelegate<RtspRequest> {
  /** A `$` frame of the peer, in its place among the requests. `payload` is valid during the call. */
  onInterleaved?(connectionId: number, channel: number, payload: Uint8Array): void;
  /** The peer's answer to a `sendRequest`; its CSeq header tells to which. */
  onResponse?(connectionId: number, response: RtspResponse): void | Promise<void>;
}

/** Settings of an `RtspDelegateServer`. The write queue takes 8,000,000 bytes by default, and idle connections may stay. */
export interface RtspDelegateServerOptions extends DelegateServerOptions {
  readonly delegate: RtspDelegate;
}

type Connection = DelegateConnection<RtspReadEvent, RtspRequest>;

/**
 * An RTSP 1.0 server (RFC 2326) that leaves the answers to a delegate. By itself it answers 400 to what is no request
 * or has no usable CSeq, 413 to a body that is too large and 505 to other versions; a head that is too large, or does
 * not come in time, ends the connection.
 */
export class RtspDelegateServer extends DelegateServer<RtspReadEvent, RtspRequest, RtspDelegate> {
  readonly #options: RtspDelegateServerOptions;

  private constructor(options: RtspDelegateServerOptions) {
    super(options, options.delegate, {
      readsAhead: true,
      writeQueueLimit: RTSP_WRITE_QUEUE_BYTES,
      idleTimeoutMs: 0,
    });
    this.#options = options;
  }

  /**
   * @throws ResourceError with a `ListenErrorCode` when the port or certificate can't be used, ConfigError
   *   `delegate/bad-address`
   */
  static async listen(options: RtspDelegateServerOptions): Promise<RtspDelegateServer> {
    const server = new RtspDelegateServer(options);
    await server.listenFirst(options);
    return server;
  }

  /**
   * Answers the open request of a connection, in the form of its protocol. From HTTP requests the version is echoed, and
   * the connection is not closed by itself.
   * @returns false when the connection is gone
   * @throws StateError `delegate/no-open-request`, or what `RtspHeaders` and the message writer throw
   */
  send(connectionId: number, answer: RtspAnswer): boolean {
    const connection = this.find(connectionId);
    if (connection === undefined) return false;
    const request = this.openRequestOf(connection);
    const bytes = this.#writeAnswer(answer, request.headers.get('CSeq'), request);
    connection.answered();
    return connection.write(bytes);
  }

  /**
   * Sends a request to the peer; its answer comes to `onResponse`.
   * @returns its CSeq, or false when the connection is gone
   */
  sendRequest(connectionId: number, request: RtspServerRequest): number | false {
    const connection = this.find(connectionId);
    if (connection === undefined) return false;
    const cSeq = connection.nextRequestNumber();
    const headers = new RtspHeaders([['CSeq', String(cSeq)]]);
    addHeaders(headers, request.headers);
    return connection.write(writeRtspRequest({ ...request, headers })) ? cSeq : false;
  }

  /** Only answers overtake: frames and responses of the peer need none. */
  override mustWait(message: RtspReadEvent): boolean {
    return message.type !== 'interleaved' && message.type !== 'response';
  }

  override handleMessage(connection: Connection, message: RtspReadEvent): void {
    switch (message.type) {
      case 'interleaved':
        this.#handleFrame(connection, message.channel, message.payload);
        return;
      case 'request':
        this.#handleRequest(connection, message);
        return;
      case 'response':
        this.call(connection, () => this.delegate.onResponse?.(connection.id, message));
        return;
      case 'malformed':
        this.#refuse(connection, 400, message.cSeq);
        return;
      case 'raw':
        // Nobody wanted what the request before announced.
        connection.closeAfterFlush();
        return;
      case 'failed':
        if (message.error.code === 'rtsp/body-too-large') this.#refuse(connection, 413, undefined);
        else this.counters.malformed++;
        connection.closeAfterFlush();
        return;
      default:
        message satisfies never;
    }
  }

  override handleTimeout(connection: Connection): void {
    this.counters.timedOut++;
    connection.close();
  }

  protected override makeReader(): MessageReader<RtspReadEvent> {
    const { maxHeaderSizeBytes, maxBodySizeBytes } = this.#options;
    return new RtspInput(
      new RtspMessageReader({
        maxHeaderSizeBytes: maxHeaderSizeBytes ?? DEFAULT_MAX_HEADER_BYTES,
        maxBodySizeBytes: maxBodySizeBytes ?? DEFAULT_MAX_BODY_BYTES,
      }),
    );
  }

  #handleFrame(connection: Connection, channel: number, payload: Uint8Array): void {
    try {
      this.delegate.onInterleaved?.(connection.id, channel, payload);
    } catch (error) {
      this.fail(connection, error);
    }
  }

  #handleRequest(connection: Connection, request: RtspRequest): void {
    if (request.protocol === 'RTSP') {
      const cSeq = request.headers.get('CSeq');
      if (request.version !== RTSP_VERSION) {
        this.#refuse(connection, 505, cSeq);
        return;
      }
      if (cSeq === undefined || !CSEQ.test(cSeq)) {
        this.#refuse(connection, 400, undefined);
        return;
      }
    }
    this.dispatch(connection, request);
  }

  /** Answers what no delegate needs to see. */
  #refuse(connection: Connection, statusCode: number, cSeq: string | undefined): void {
    this.counters.malformed++;
    connection.write(this.#writeAnswer({ statusCode }, cSeq, undefined));
  }

  #writeAnswer(answer: RtspAnswer, cSeq: string | undefined, request: RtspRequest | undefined): Uint8Array {
    const headers = new RtspHeaders();
    if (cSeq !== undefined && CSEQ.test(cSeq)) headers.append('CSeq', cSeq);
    headers.append('Date', httpDate());
    const { serverName = 'Millrace' } = this.#options;
    if (serverName !== '') headers.append('Server', serverName);
    addHeaders(headers, answer.headers);
    const { statusCode, reason, body } = answer;
    return writeRtspResponse({
      statusCode,
      headers,
      ...(request?.protocol === 'HTTP' ? { protocol: 'HTTP', version: request.version } : {}),
      ...(reason === undefined ? {} : { reason }),
      ...(body === undefined ? {} : { body }),
    });
  }
}

/** What a caller gives comes behind what is there, or in its place for the three that are written anyway. */
function addHeaders(headers: RtspHeaders, more: OutgoingHeaders | undefined): void {
  if (more === undefined) return;
  const entries = Symbol.iterator in more ? more : Object.entries(more);
  for (const [name, value] of entries as Iterable<readonly [string, string]>) {
    const key = name.toLowerCase();
    if (key === 'cseq') continue;
    if (key === 'date' || key === 'server') headers.set(name, value);
    else headers.append(name, value);
  }
}
