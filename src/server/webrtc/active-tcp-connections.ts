import { connectTcp } from '../../io/tcp-client.ts';
import type { TcpSocket } from '../../io/tcp-listener.ts';
import { type IceTuple, tupleKey } from '../../protocol/ice/ice-tuple.ts';
import { TcpFrameReader } from '../../protocol/ice/tcp-framing.ts';
import { MAX_TCP_PACKET_BYTES } from './ice-tcp-connections.ts';
import { type NetworkPath, TcpPath } from './network-path.ts';

/** Whom connections tell, with the tuple that was asked for, whatever port the connection has got. */
export interface ActiveTcpHandlers {
  onConnected(tuple: IceTuple): void;
  onPacket(bytes: Uint8Array, tuple: IceTuple): void;
  /** It has ended, or could not be made. */
  onClosed(tuple: IceTuple): void;
}

/** Connections to peers that wait for them (RFC 6544 §5, active), at most one for a tuple of ICE. */
export class ActiveTcpConnections {
  readonly #handlers: ActiveTcpHandlers;
  readonly #cancel = new AbortController();
  readonly #open = new Map<string, { readonly socket: TcpSocket; readonly path: TcpPath }>();

  constructor(handlers: ActiveTcpHandlers) {
    this.#handlers = handlers;
  }

  /** How to send by a connection that stands. */
  pathOf(tuple: IceTuple): NetworkPath | undefined {
    return this.#open.get(tupleKey(tuple))?.path;
  }

  /** Connects; `onConnected` or `onClosed` follows. */
  connect(tuple: IceTuple, timeoutMs: number): void {
    const { remoteAddress: host, remotePort: port } = tuple;
    const { signal } = this.#cancel;
    connectTcp({ host, port, secure: false, insecure: false, timeoutMs, signal }).then(
      (socket) => this.#add(socket, tuple),
      () => {
        // Why does not matter to ICE.
        if (!signal.aborted) this.#handlers.onClosed(tuple);
      },
    );
  }

  #add(socket: TcpSocket, tuple: IceTuple): void {
    if (this.#cancel.signal.aborted) {
      socket.destroy();
      return;
    }
    const key = tupleKey(tuple);
    const reader = new TcpFrameReader(MAX_TCP_PACKET_BYTES);
    this.#open.set(key, { socket, path: new TcpPath(socket) });
    socket.on('data', (bytes: Uint8Array) => {
      for (const packet of reader.read(bytes)) {
        if (socket.destroyed) return;
        this.#handlers.onPacket(packet, tuple);
      }
      if (reader.error !== undefined) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#open.delete(key);
      if (!this.#cancel.signal.aborted) this.#handlers.onClosed(tuple);
    });
    this.#handlers.onConnected(tuple);
  }

  /** Ends all of them, those not yet made too; nothing is told. */
  close(): void {
    this.#cancel.abort();
    for (const { socket } of this.#open.values()) socket.destroy();
  }
}
