import { nodeClock } from '../../io/node-clock.ts';
import type { TcpSocket } from '../../io/tcp-listener.ts';
import { TcpFrameReader } from '../../protocol/ice/tcp-framing.ts';
import { type NetworkPath, TcpPath } from './network-path.ts';

/** How long a connection may take to say whom it is for, milliseconds. */
export const FIRST_PACKET_TIMEOUT_MS = 10_000;
/** Longest first packet, bytes: a request of ICE, with room for what it may carry along. */
export const MAX_FIRST_PACKET_BYTES = 1024;
/** Longest packet afterwards, bytes. */
export const MAX_TCP_PACKET_BYTES = 16_384;

/** Who takes the packets of a connection. */
export interface TcpPeer {
  receivePacket(bytes: Uint8Array, path: NetworkPath): void;
  /** The connection has ended. */
  removePath(path: NetworkPath): void;
}

/**
 * The TCP connections of a port (RFC 6544 §7, passive): each begins with a request of ICE that names the session, and is
 * that session's until one of both ends. Packets of strangers are few and short, and soon over.
 */
export class IceTcpConnections {
  readonly #peerOf: (firstPacket: Uint8Array) => TcpPeer | undefined;
  readonly #sockets = new Map<TcpPath, TcpSocket>();

  /** @param peerOf whose a first packet is; undefined closes the connection */
  constructor(peerOf: (firstPacket: Uint8Array) => TcpPeer | undefined) {
    this.#peerOf = peerOf;
  }

  get size(): number {
    return this.#sockets.size;
  }

  add(socket: TcpSocket): void {
    const path = new TcpPath(socket);
    const reader = new TcpFrameReader(MAX_FIRST_PACKET_BYTES);
    let peer: TcpPeer | undefined;
    this.#sockets.set(path, socket);
    const stopWaiting = nodeClock.after(FIRST_PACKET_TIMEOUT_MS, () => socket.destroy());
    socket.on('data', (bytes: Uint8Array) => {
      for (const packet of reader.read(bytes)) {
        if (peer === undefined) {
          peer = this.#peerOf(packet);
          stopWaiting();
          reader.maxFrameBytes = MAX_TCP_PACKET_BYTES;
        }
        // Not known here, or closed by what it was told.
        if (peer === undefined || socket.destroyed) {
          socket.destroy();
          return;
        }
        peer.receivePacket(packet, path);
      }
      if (reader.error !== undefined) socket.destroy();
    });
    // What broke does not matter to the session: the path is gone.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      stopWaiting();
      this.#sockets.delete(path);
      peer?.removePath(path);
    });
  }

  /** Ends a connection its session has no use for any more. */
  closePath(path: NetworkPath): void {
    if (path instanceof TcpPath) this.#sockets.get(path)?.destroy();
  }

  /** Ends all of them. */
  close(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }
}
