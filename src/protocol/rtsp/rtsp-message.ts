import type { RtspHeaders } from './rtsp-headers.ts';

/** What begins a start line: RTSP itself, or HTTP for tunnels (both share ports). */
export type StartLineProtocol = 'RTSP' | 'HTTP';

/** A request (RFC 2326 §6). */
export interface RtspRequest {
  readonly type: 'request';
  /** As sent: methods are case-sensitive. */
  readonly method: string;
  /** As sent: `*`, an absolute URL, or for HTTP a path. */
  readonly url: string;
  readonly protocol: StartLineProtocol;
  /** `1.0`, `2.0`, … */
  readonly version: string;
  readonly headers: RtspHeaders;
  /** Own buffer; empty without Content-Length. */
  readonly body: Uint8Array;
}

/** A response (RFC 2326 §7). */
export interface RtspResponse {
  readonly type: 'response';
  readonly protocol: StartLineProtocol;
  readonly version: string;
  readonly statusCode: number;
  readonly reason: string;
  readonly headers: RtspHeaders;
  readonly body: Uint8Array;
}

/** Binary data between messages (RFC 2326 §10.12). */
export interface InterleavedFrame {
  readonly type: 'interleaved';
  /** 0–255. */
  readonly channel: number;
  /** A view into the received bytes or the reader's buffer, valid until the next `receive`. */
  readonly payload: Uint8Array;
}
