import { nodeClock } from '../../io/node-clock.ts';
import type { TcpSocket } from '../../io/tcp-listener.ts';
import { TcpFrameReader } from '../../protocol/ice/tcp-framing.ts';
import { type NetworkPath, TcpPath } from './network-path.ts';

/** How long a connection may take until ICE has found it genuine, milliseconds. */
export const TCP_PROOF_TIMEOUT_MS = 10_000;
/** Longest packet until then, bytes: a request of ICE, with room for what it may carry along. */
export const MAX_UNPROVEN_PACKET_BYTES = 1500;
/** Longest packet afterwards, bytes. */
export const MAX_TCP_PACKET_BYTES = 16_384;

/** Who takes the packets of a connection. */
export interface TcpPeer {
  receivePacket(bytes: Uint8Array, path: NetworkPath): void;
  /** Whether ICE has found the path genuine. */
  isKnown(path: NetworkPath): boolean;
  /** The connection has ended. */
  removePath(path: NetworkPath): void;
}

/**
 * The TCP connections of a port (RFC 6544 §7, passive): each begins with a request of ICE that names the session, and is
 * that session's until one of both ends. Until ICE has found it genuine its packets are short, and its time too.
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
    const reader = new TcpFrameReader(MAX_UNPROVEN_PACKET_BYTES);
    let peer: TcpPeer | undefined;
    let isProven = false;
    this.#sockets.set(path, socket);
    const stopWaiting = nodeClock.after(TCP_PROOF_TIMEOUT_MS, () => {
      if (peer?.isKnown(path) !== true) socket.destroy();
    });
    socket.on('data', (bytes: Uint8Array) => {
      for (const packet of reader.read(bytes)) {
        peer ??= this.#peerOf(packet);
        peer?.receivePacket(packet, path);
        // Not known here, or closed by what it was told.
        if (peer === undefined || socket.destroyed) {
          socket.destroy();
          return;
        }
      }
      if (reader.error !== undefined) {
        socket.destroy();
      } else if (!isProven && peer?.isKnown(path) === true) {
        isProven = true;
        stopWaiting();
        reader.maxFrameBytes = MAX_TCP_PACKET_BYTES;
      }
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
