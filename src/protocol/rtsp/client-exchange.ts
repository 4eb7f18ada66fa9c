import type { ClientAuthenticator } from './client-authentication.ts';
import type { RtspClientTrack } from './client-events.ts';
import { rtspStateError } from './rtsp-error.ts';
import type { RtspResponse } from './rtsp-message.ts';
import { writeRtspRequest } from './rtsp-message-writer.ts';

/** Most requests waiting for their turn. */
export const RTSP_MAX_WAITING_REQUESTS = 256;
/** Most times one request is sent again because its nonce was stale. */
const MAX_STALE_NONCES = 2;

/** A request on its way, without the headers that every request has. */
export interface ClientRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
  /** Of a SETUP. */
  readonly track?: RtspClientTrack;
  /** Nobody minds when no answer comes. */
  readonly isKeepAlive?: boolean;
  /** How long the answer may take, when not as long as any other. */
  readonly timeoutMs?: number;
}

/** What a response meant: an answer, or that the same request went out once more, with credentials. */
export type ExchangeResult =
  | { readonly type: 'answered'; readonly request: ClientRequest; readonly response: RtspResponse }
  | { readonly type: 'repeated'; readonly bytes: Uint8Array }
  | { readonly type: 'ignored' };

const IGNORED: ExchangeResult = { type: 'ignored' };

/** Settings of a `ClientExchange`. */
export interface ClientExchangeOptions {
  readonly userAgent: string;
  readonly responseTimeoutMs: number;
  /** Undefined without a password. */
  readonly authenticator: ClientAuthenticator | undefined;
}

/**
 * Requests and their answers, one at a time: numbers them (RFC 2326 §12.17), adds session and credentials, repeats a
 * request when the server asks who we are, and knows when an answer is overdue.
 */
export class ClientExchange {
  readonly #options: ClientExchangeOptions;
  #waiting: ClientRequest[] = [];
  #current: ClientRequest | undefined;
  #cSeq = 0;
  #wasChallenged = false;
  #staleNonces = 0;
  #deadlineMs: number | undefined;
  /** The session's id, once the server named it. */
  sessionId: string | undefined;

  constructor(options: ClientExchangeOptions) {
    this.#options = options;
  }

  /** When the answer to the request on its way is overdue; undefined when there is none. */
  get deadlineMs(): number | undefined {
    return this.#deadlineMs;
  }

  /** No request is on its way or waiting. */
  get isIdle(): boolean {
    return this.#current === undefined && this.#waiting.length === 0;
  }

  /** Puts a request behind those waiting. Too many throw `StateError` `rtsp/too-many-requests`. */
  add(request: ClientRequest): void {
    if (this.#waiting.length === RTSP_MAX_WAITING_REQUESTS) {
      throw rtspStateError('rtsp/too-many-requests', `${RTSP_MAX_WAITING_REQUESTS} requests are waiting already`);
    }
    this.#waiting.push(request);
  }

  /** Forgets waiting requests and the one on its way: its answer will be ignored. */
  dropAll(): void {
    this.#waiting = [];
    this.#end();
  }

  /** Bytes of the next request when none is on its way. */
  next(nowMs: number): Uint8Array | undefined {
    if (this.#current !== undefined) return undefined;
    this.#current = this.#waiting.shift();
    if (this.#current === undefined) return undefined;
    this.#wasChallenged = false;
    this.#staleNonces = 0;
    return this.#write(this.#current, nowMs);
  }

  receive(response: RtspResponse, nowMs: number): ExchangeResult {
    const request = this.#current;
    const cSeq = response.headers.get('CSeq');
    // Devices that forget CSeq answer in order all the same.
    if (request === undefined || (cSeq !== undefined && Number.parseInt(cSeq, 10) !== this.#cSeq)) return IGNORED;
    if (response.statusCode < 200) {
      this.#deadlineMs = nowMs + this.#options.responseTimeoutMs;
      return IGNORED;
    }
    if (response.statusCode === 401 && this.#mayRepeat(response)) {
      return { type: 'repeated', bytes: this.#write(request, nowMs) };
    }
    this.#end();
    return { type: 'answered', request, response };
  }

  /** The request whose answer is overdue at `nowMs`, which is then no longer waited for. */
  takeOverdue(nowMs: number): ClientRequest | undefined {
    if (this.#deadlineMs === undefined || nowMs < this.#deadlineMs) return undefined;
    const request = this.#current;
    this.#end();
    return request;
  }

  /** Once for a challenge; again only when the nonce it named was too old. */
  #mayRepeat(response: RtspResponse): boolean {
    const answerable = this.#options.authenticator?.takeChallenges(response.headers.getAll('WWW-Authenticate'));
    if (answerable === undefined) return false;
    if (!this.#wasChallenged) {
      this.#wasChallenged = true;
      return true;
    }
    return answerable === 'stale' && ++this.#staleNonces <= MAX_STALE_NONCES;
  }

  #write(request: ClientRequest, nowMs: number): Uint8Array {
    this.#deadlineMs = nowMs + (request.timeoutMs ?? this.#options.responseTimeoutMs);
    const headers: (readonly [string, string])[] = [
      ['CSeq', String(++this.#cSeq)],
      ['User-Agent', this.#options.userAgent],
    ];
    if (this.sessionId !== undefined) headers.push(['Session', this.sessionId]);
    const authorization = this.#options.authenticator?.authorize(request.method, request.url);
    if (authorization !== undefined) headers.push(['Authorization', authorization]);
    headers.push(...request.headers);
    const { method, url, body } = request;
    return writeRtspRequest({ method, url, headers, ...(body === undefined ? {} : { body }) });
  }

  #end(): void {
    this.#current = undefined;
    this.#deadlineMs = undefined;
  }
}
