import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The connections of an HTTP port, and which of them are being answered. */
export class HttpConnections {
  /** Answers each connection still owes. */
  readonly #owed = new Map<Socket, number>();
  #isClosing = false;

  /** Begins with the connections the server accepts from now on. */
  constructor(server: Server) {
    server.prependListener('connection', (socket: Socket) => this.#opened(socket));
    server.prependListener('request', (request, response) => this.#asked(request.socket, response));
    server.prependListener('upgrade', (_, socket) => this.release(socket as Socket));
  }

  /** The connection is somebody else's to close from here on. */
  release(socket: Socket): void {
    this.#owed.delete(socket);
  }

  /** Cuts those that owe no answer at once, each of the others when it has given it, or after `graceMs`. */
  close(graceMs: number): void {
    this.#isClosing = true;
    for (const [socket, owed] of this.#owed) if (owed === 0) socket.destroy();
    const timer = setTimeout(() => {
      for (const socket of this.#owed.keys()) socket.destroy();
    }, graceMs);
    timer.unref();
  }

  #opened(socket: Socket): void {
    if (this.#isClosing) {
      socket.destroy();
      return;
    }
    this.#owed.set(socket, 0);
    socket.once('close', () => this.#owed.delete(socket));
  }

  #asked(socket: Socket, response: ServerResponse): void {
    const owed = this.#owed.get(socket);
    if (owed === undefined) return;
    this.#owed.set(socket, owed + 1);
    response.once('close', () => {
      const left = (this.#owed.get(socket) ?? 0) - 1;
      if (left < 0) return;
      this.#owed.set(socket, left);
      if (this.#isClosing && left === 0) socket.destroySoon();
    });
  }
}
