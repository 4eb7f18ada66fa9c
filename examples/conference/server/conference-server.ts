/** HTTP or HTTPS: the page, and the WebSocket at `/signal?room=…`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { LIMITS } from './limits.ts';
import type { PageFile } from './page-files.ts';
import { roomName } from './requests.ts';
import type { Rooms } from './rooms.ts';
import { Signalling } from './signalling.ts';

export interface ConferenceServerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Certificate and key as PEM: HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Whose pages may connect besides the server's own, as `https://example.org`. */
  readonly origins: readonly string[];
  readonly page: ReadonlyMap<string, PageFile>;
  readonly rooms: Rooms;
  readonly log: (line: string) => void;
}

/** What the page may do: nothing with anybody but this server. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'permissions-policy': 'camera=(self), microphone=(self), display-capture=(self)',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export class ConferenceServer {
  readonly #options: ConferenceServerOptions;
  readonly #server: Server;
  readonly #webSockets = new WebSocketServer({ noServer: true, maxPayload: LIMITS.requestBytes });

  private constructor(options: ConferenceServerOptions) {
    this.#options = options;
    const { tls } = options;
    const answer = (request: IncomingMessage, response: ServerResponse): void => this.#answer(request, response);
    this.#server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** @throws Error when the port is taken */
  static async start(options: ConferenceServerOptions): Promise<ConferenceServer> {
    const server = new ConferenceServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(options.port, options.host, resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const webSocket of this.#webSockets.clients) webSocket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      end(response, 405, 'GET only');
      return;
    }
    const { pathname } = urlOf(request);
    // Every room is the same page, which reads the room's name from its address.
    const name = pathname === '/' || pathname.startsWith('/room/') ? '/index.html' : pathname;
    const file = this.#options.page.get(name);
    if (file === undefined) {
      end(response, 404, 'not found');
      return;
    }
    const age = name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    response.writeHead(200, { ...HEADERS, 'content-type': file.type, 'cache-control': age });
    response.end(request.method === 'HEAD' ? undefined : file.body);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { rooms, log } = this.#options;
    const onError = (error: Error): void => log(`a connection failed: ${error.message}`);
    socket.on('error', onError);
    const refused = this.#reasonToRefuse(request);
    if (refused !== undefined) {
      socket.end(`HTTP/1.1 ${refused}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const room = roomOf(request);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      // From here on the WebSocket tells.
      socket.off('error', onError);
      new Signalling(webSocket, { roomName: room, rooms, log });
    });
  }

  /** A line of HTTP. */
  #reasonToRefuse(request: IncomingMessage): string | undefined {
    if (urlOf(request).pathname !== '/signal') return '404 Not Found';
    if (!roomName.safeParse(roomOf(request)).success) return '400 Bad Request';
    if (!this.#mayConnect(request)) return '403 Forbidden';
    if (this.#webSockets.clients.size >= LIMITS.connections) return '503 Service Unavailable';
    return undefined;
  }

  /** Without it, any page in the world could enter rooms with its visitors' cookies and addresses. */
  #mayConnect({ headers }: IncomingMessage): boolean {
    const own = `${this.#options.tls === undefined ? 'http' : 'https'}://${headers.host}`;
    return headers.origin !== undefined && [own, ...this.#options.origins].includes(headers.origin);
  }
}

function urlOf(request: IncomingMessage): URL {
  return URL.parse(request.url ?? '/', 'http://localhost') ?? new URL('http://localhost/');
}

/** The same name however it was typed. */
function roomOf(request: IncomingMessage): string {
  return urlOf(request).searchParams.get('room')?.normalize('NFC') ?? '';
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
