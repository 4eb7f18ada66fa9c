import { nodeClock } from '../../io/node-clock.ts';
import type { RtspRequest } from '../../protocol/rtsp/rtsp-message.ts';
import { TunnelDecoder } from '../../protocol/rtsp/tunnel-decoder.ts';
import type { RtspDelegateServer } from '../delegate/rtsp-delegate-server.ts';

/** Header that joins the two connections of a tunnel. */
const COOKIE = 'x-sessioncookie';
const MEDIA_TYPE = 'application/x-rtsp-tunnelled';

/** Longest cookie taken, characters; players send some twenty. */
export const MAX_COOKIE_LENGTH = 256;

/** How long a GET waits for its first POST before it is closed, milliseconds. */
const FIRST_POST_MS = 30_000;

interface Tunnel {
  readonly getId: number;
  readonly decoder: TunnelDecoder;
  /** The connection requests come through now. */
  postId: number | undefined;
  readonly cancelWait: () => void;
}

/**
 * RTSP over HTTP as QuickTime has it: answers and packets go down a GET, requests come up in the body of a POST, in base64,
 * joined by a cookie. A POST may end at any place and go on in another one.
 */
export class HttpTunnels {
  readonly #server: RtspDelegateServer;
  readonly #byCookie = new Map<string, Tunnel>();
  /** Cookies by the number of either connection. */
  readonly #cookies = new Map<number, string>();

  constructor(server: RtspDelegateServer) {
    this.#server = server;
  }

  /** Tunnels now. */
  get size(): number {
    return this.#byCookie.size;
  }

  /** Answers an HTTP request of a connection; true when that connection is one a client will have its answers on. */
  handle(connectionId: number, request: RtspRequest): boolean {
    const cookie = request.headers.get(COOKIE);
    if (request.method === 'GET' && isCookie(cookie)) return this.#openGet(connectionId, cookie);
    if (request.method === 'POST' && isCookie(cookie)) {
      this.#openPost(connectionId, cookie);
      return false;
    }
    const isKnown = request.method === 'GET' || request.method === 'POST';
    this.#refuse(connectionId, isKnown ? 400 : 405);
    return false;
  }

  /** A connection is gone, and with the GET its POST. */
  ended(connectionId: number): void {
    const cookie = this.#cookies.get(connectionId);
    if (cookie === undefined) return;
    this.#cookies.delete(connectionId);
    const tunnel = this.#byCookie.get(cookie);
    if (tunnel === undefined) return;
    if (tunnel.postId === connectionId) tunnel.postId = undefined;
    if (tunnel.getId !== connectionId) return;
    tunnel.cancelWait();
    this.#byCookie.delete(cookie);
    if (tunnel.postId !== undefined) this.#server.close(tunnel.postId);
  }

  #openGet(getId: number, cookie: string): boolean {
    if (this.#byCookie.has(cookie)) {
      // Somebody has this cookie: whoever comes second can't have it as well.
      this.#refuse(getId, 409);
      return false;
    }
    const tunnel: Tunnel = {
      getId,
      decoder: new TunnelDecoder(),
      postId: undefined,
      cancelWait: nodeClock.after(FIRST_POST_MS, () => {
        if (tunnel.postId === undefined) this.#server.close(getId);
      }),
    };
    this.#byCookie.set(cookie, tunnel);
    this.#cookies.set(getId, cookie);
    this.#server.send(getId, {
      statusCode: 200,
      headers: [
        ['Cache-Control', 'no-store'],
        ['Pragma', 'no-cache'],
        ['Connection', 'close'],
        ['Content-Type', MEDIA_TYPE],
      ],
    });
    return true;
  }

  /** POSTs are never answered; whatever length they claim, their body goes on as long as the connection does. */
  #openPost(postId: number, cookie: string): void {
    const tunnel = this.#byCookie.get(cookie);
    if (tunnel === undefined) {
      this.#refuse(postId, 404);
      return;
    }
    const before = tunnel.postId;
    tunnel.postId = postId;
    tunnel.cancelWait();
    this.#cookies.set(postId, cookie);
    // What it still had to say would come behind what this one says.
    if (before !== undefined) this.#server.close(before);
    this.#server.setRawInput(postId, (bytes) => {
      const decoded = tunnel.decoder.decode(bytes);
      if (decoded.length > 0) this.#server.receive(tunnel.getId, decoded);
      if (tunnel.decoder.error !== undefined) this.#server.close(tunnel.getId);
    });
  }

  #refuse(connectionId: number, statusCode: number): void {
    const headers: [string, string][] = [
      ['Connection', 'close'],
      ['Content-Length', '0'],
    ];
    if (statusCode === 405) headers.push(['Allow', 'GET, POST']);
    this.#server.send(connectionId, { statusCode, headers });
    this.#server.closeAfterFlush(connectionId);
  }
}

function isCookie(value: string | undefined): value is string {
  return value !== undefined && value !== '' && value.length <= MAX_COOKIE_LENGTH;
}
