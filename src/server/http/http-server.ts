import { endSoon } from '../../io/end-soon.ts';
import {
  type HttpInterceptor,
  HttpListener,
  type HttpListenerCounters,
  type HttpRequest,
  type HttpResponse,
  type UpgradeSocket,
} from '../../io/http-listener.ts';
import type { ListenAddress } from '../../io/listen-address.ts';

/** Longest request target looked at, characters. */
export const MAX_TARGET_LENGTH = 4096;

/** Most requests one connection may have open: more are refused until some are answered. Browsers never have two. */
export const MAX_PIPELINED_REQUESTS = 32;

/** A host name or address and perhaps a port, and nothing that ends it in a URL. */
const PLAIN_AUTHORITY = /^[^/?#@\\]+$/;

/** Open requests of each connection. */
const openRequests = new WeakMap<HttpRequest['socket'], number>();

/** A part of the server that answers some paths. */
export interface HttpService {
  /** Answers the request and returns true, or returns false when the path is not its own. */
  handle(request: HttpRequest, response: HttpResponse, url: URL): boolean;
  /** Takes a WebSocket upgrade and returns true, or returns false. The socket is then the service's to close. */
  handleUpgrade?(request: HttpRequest, socket: UpgradeSocket, head: Buffer, url: URL): boolean;
}

export interface HttpServerOptions {
  readonly listen: readonly ListenAddress[];
  readonly noDelay: boolean;
  readonly maxConnections: number;
  /** Time for a request's header, milliseconds. */
  readonly headersTimeoutMs: number;
  /** Answer every origin's cross-origin requests. */
  readonly crossdomain: boolean;
  /** Asked in this order. */
  readonly services: readonly HttpService[];
  /** Takes connections that only look like HTTP. */
  readonly interceptor?: HttpInterceptor | undefined;
}

/** The HTTP ports of the server: hands each request to the first service that wants it. */
export class HttpServer {
  readonly #listeners: readonly HttpListener[];

  private constructor(listeners: readonly HttpListener[]) {
    this.#listeners = listeners;
  }

  /** @throws ResourceError when a port can't be had; ports that were opened before it are closed again */
  static async start(options: HttpServerOptions): Promise<HttpServer> {
    const listeners: HttpListener[] = [];
    try {
      for (const address of options.listen) {
        listeners.push(
          await HttpListener.listen({
            address,
            noDelay: options.noDelay,
            maxConnections: options.maxConnections,
            headersTimeoutMs: options.headersTimeoutMs,
            interceptor: options.interceptor,
            onRequest: (request, response) => dispatch(options, request, response),
            onUpgrade: (request, socket, head) => dispatchUpgrade(options, request, socket, head),
          }),
        );
      }
    } catch (error) {
      for (const listener of listeners) await listener.close();
      throw error;
    }
    return new HttpServer(listeners);
  }

  /** The ports in use, in the order of `listen`. */
  get ports(): number[] {
    return this.#listeners.map((listener) => listener.port);
  }

  get counters(): HttpListenerCounters {
    const sum: HttpListenerCounters = { timedOut: 0, malformed: 0, refused: 0 };
    for (const { counters } of this.#listeners) {
      sum.timedOut += counters.timedOut;
      sum.malformed += counters.malformed;
      sum.refused += counters.refused;
    }
    return sum;
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }
}

/** A short answer in plain text. */
export function answerText(response: HttpResponse, status: number, text: string): void {
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length });
  response.end(body);
}

function dispatch(options: HttpServerOptions, request: HttpRequest, response: HttpResponse): void {
  // A peer that resets the connection while it is being answered is no error of ours, but unheard it would be thrown.
  response.on('error', () => response.destroy());
  if (options.crossdomain && request.headers.origin !== undefined) {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', '*');
  }
  if (!isWithinPipelineLimit(request, response)) {
    answerText(response, 503, 'too many requests at once on one connection');
    return;
  }
  const url = targetUrl(request);
  if (url === undefined) {
    answerText(response, 400, 'bad request target');
    return;
  }
  if (request.method === 'OPTIONS') {
    response.writeHead(204, {
      Allow: 'GET, HEAD, OPTIONS',
      ...(options.crossdomain
        ? {
            'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
            'Access-Control-Allow-Headers': request.headers['access-control-request-headers'] ?? '*',
            'Access-Control-Allow-Private-Network': 'true',
            'Access-Control-Max-Age': '86400',
          }
        : {}),
    });
    response.end();
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD, OPTIONS');
    answerText(response, 405, 'this server only answers GET and HEAD here');
    return;
  }
  for (const service of options.services) if (service.handle(request, response, url)) return;
  answerText(response, 404, 'not found');
}

function dispatchUpgrade(options: HttpServerOptions, request: HttpRequest, socket: UpgradeSocket, head: Buffer): void {
  socket.on('error', () => socket.destroy());
  const url = targetUrl(request);
  if (url !== undefined) {
    for (const service of options.services) if (service.handleUpgrade?.(request, socket, head, url) === true) return;
  }
  socket.write('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  endSoon(socket);
}

/** Requests that wait for a stream, or behind one, cost memory before anything is written that would slow the peer down. */
function isWithinPipelineLimit(request: HttpRequest, response: HttpResponse): boolean {
  const { socket } = request;
  const open = openRequests.get(socket) ?? 0;
  if (open >= MAX_PIPELINED_REQUESTS) return false;
  openRequests.set(socket, open + 1);
  response.once('close', () => openRequests.set(socket, openRequests.get(socket)! - 1));
  return true;
}

/** The URL a request is for (RFC 9112 §3.2): a path with the Host field, or the whole URL as proxies are told it. */
function targetUrl(request: HttpRequest): URL | undefined {
  const target = request.url ?? '/';
  if (target.length > MAX_TARGET_LENGTH) return undefined;
  if (/^https?:\/\//i.test(target)) return URL.parse(target) ?? undefined;
  if (!target.startsWith('/')) return undefined;
  const host = request.headers.host ?? '';
  const authority = PLAIN_AUTHORITY.test(host) ? host : 'localhost';
  // A missing or nonsensical Host only costs the virtual host's name; "//host/x" stays a path either way.
  return URL.parse(`http://${authority}${target}`) ?? URL.parse(`http://localhost${target}`) ?? undefined;
}
