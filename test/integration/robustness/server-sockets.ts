import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** The accepting ends of every TCP connection made while it is open: what a server in this process holds for its peers. */
export class ServerSockets {
  readonly #sockets = new Set<Socket>();
  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  };

  constructor() {
    channel('net.server.socket').subscribe(this.#onSocket);
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Sockets in which bytes wait. */
  get waiting(): number {
    let count = 0;
    for (const socket of this.#sockets) if (socket.writableLength > 0) count++;
    return count;
  }

  /** Bytes that wait in the socket whose peer has this port; undefined when there is none. */
  waitingFor(peerPort: number | undefined): number | undefined {
    for (const socket of this.#sockets) if (socket.remotePort === peerPort) return socket.writableLength;
    return undefined;
  }

  close(): void {
    channel('net.server.socket').unsubscribe(this.#onSocket);
  }
}
