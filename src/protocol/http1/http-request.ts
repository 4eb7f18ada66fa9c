/** A request as an `HttpRequestReader` gives it (RFC 9112 §3). */
export interface HttpRequest {
  readonly type: 'request';
  /** As sent: methods are case-sensitive. */
  readonly method: string;
  /** The request target as sent: a path with query, `*`, or for proxies a whole URL. */
  readonly url: string;
  /** Any later 1.x counts as 1.1. */
  readonly version: '1.0' | '1.1';
  /** By lower-case name; lines of one name are joined with `, ` (cookies with `; `). Has no prototype. */
  readonly headers: Readonly<Record<string, string>>;
  /** Own buffer, without chunks; empty when there is none. */
  readonly body: Uint8Array;
  /** The client wants to go on with this connection (RFC 9112 §9.3). */
  readonly keepAlive: boolean;
}
