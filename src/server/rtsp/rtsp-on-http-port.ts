import type { HttpInterceptor, HttpRequest, UpgradeSocket } from '../../io/http-listener.ts';
import type { Endpoint } from '../delegate/server-delegate.ts';
import type { HttpService } from '../http/http-server.ts';
import { type RtspServer, WEB_SOCKET_PROTOCOL } from './rtsp-server.ts';

/** The two requests a tunnel begins with. */
const TUNNEL_METHODS: readonly string[] = ['GET ', 'POST '];
const TUNNEL_COOKIE = /\nx-sessioncookie[ \t]*:/i;
const IPV4_IN_IPV6 = '::ffff:';

const textDecoder = new TextDecoder('latin1');

/** Takes what is RTSP from the HTTP port: both connections of tunnels, and WebSockets that speak it. */
export class RtspOnHttpPort implements HttpService {
  /** For tunnels: what looks like HTTP, with a POST that never ends and is never answered. */
  readonly interceptor: HttpInterceptor;
  readonly #server: RtspServer;

  constructor(server: RtspServer) {
    this.#server = server;
    this.interceptor = {
      mayWant: (bytes) => {
        const begin = textDecoder.decode(bytes.subarray(0, 5));
        return TUNNEL_METHODS.some((method) => begin.startsWith(method) || method.startsWith(begin));
      },
      wants: (head) => TUNNEL_COOKIE.test(textDecoder.decode(head)),
      take: (socket) => server.adopt(socket, endsOf(socket)),
    };
  }

  handle(): boolean {
    return false;
  }

  handleUpgrade(request: HttpRequest, socket: UpgradeSocket, head: Buffer): boolean {
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim());
    if (offered?.includes(WEB_SOCKET_PROTOCOL) !== true) return false;
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined) headers[name] = String(value);
    }
    const asked = { method: request.method ?? '', headers };
    this.#server.adoptWebSocket(asked, socket, head, endsOf(request.socket));
    return true;
  }
}

function endsOf(socket: HttpRequest['socket']): {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly secure: boolean;
} {
  return {
    remote: { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 },
    local: { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 },
    secure: false,
  };
}

/** IPv4 as people write it, whatever socket it came to. */
function plainAddress(address = ''): string {
  return address.startsWith(IPV4_IN_IPV6) ? address.slice(IPV4_IN_IPV6.length) : address;
}
