import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A server that writes down what it is asked, and answers DESCRIBE with what it was told. */
export class ScriptedBackEnd {
  /** Method and URL of each request. */
  readonly requests: string[] = [];
  /** Connections accepted so far. */
  connections = 0;
  /** Status line and headers behind the CSeq of every answer to DESCRIBE; without it none comes. */
  describe: string | undefined = '404 Not Found';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(): Promise<ScriptedBackEnd> {
    const backEnd = new ScriptedBackEnd();
    backEnd.#server.listen(0, '127.0.0.1');
    await once(backEnd.#server, 'listening');
    return backEnd;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** URLs of DESCRIBE, without scheme, host and port. */
  get described(): string[] {
    return this.requests
      .filter((request) => request.startsWith('DESCRIBE '))
      .map((request) => request.replace(/^DESCRIBE rtsp:\/\/[^/]*/, ''));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (bytes) => {
      for (const request of bytes.toString('latin1').split('\r\n\r\n')) {
        const sequence = /^CSeq: *(\d+)/im.exec(request)?.[1];
        if (sequence === undefined) continue;
        const [method, url] = request.split(' ', 2);
        this.requests.push(`${method} ${url}`);
        const head = method === 'DESCRIBE' ? this.describe : '200 OK';
        if (head !== undefined) socket.write(`RTSP/1.0 ${head}\r\nCSeq: ${sequence}\r\n\r\n`);
      }
    });
  }
}
