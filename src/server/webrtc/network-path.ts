import type { DatagramSocket, DatagramTarget } from '../../io/datagram-socket.ts';
import type { TcpSocket } from '../../io/tcp-listener.ts';
import type { IceTuple } from '../../protocol/ice/ice-tuple.ts';
import { writeTcpFrame } from '../../protocol/ice/tcp-framing.ts';
import type { PacketQueue } from '../../sfu/ports/packet-port.ts';

/** What may wait in a TCP connection, bytes; packets beyond are dropped, as a network without room does. */
export const MAX_PATH_BUFFER_BYTES = 1_048_576;

/** A path to a peer that can be sent on. */
export interface NetworkPath extends IceTuple {
  /** Sends one packet; it may not be written into in this turn. @returns false when there is no room: it is dropped */
  write(bytes: Uint8Array): boolean;
}

/** Datagrams to one address, through the queue of the socket: what is said first leaves first, and all of a turn together. */
export class UdpPath implements NetworkPath {
  readonly protocol = 'udp';
  readonly socket: DatagramSocket;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly target: DatagramTarget;
  readonly queue: PacketQueue;

  /** @throws ResourceError `datagram/bad-address` */
  constructor(socket: DatagramSocket, address: string, port: number) {
    this.socket = socket;
    this.localAddress = socket.address;
    this.localPort = socket.port;
    this.remoteAddress = address;
    this.remotePort = port;
    this.target = socket.target(address, port);
    this.queue = socket.packetQueue();
  }

  /** What the kernel has no room for later is counted by the socket, for all its paths. */
  write(bytes: Uint8Array): boolean {
    const at = this.queue.reserve(bytes.length);
    if (at < 0) return false;
    this.queue.bytes.set(bytes, at);
    this.queue.put(bytes.length, this.target);
    return true;
  }
}

/**
 * What a session is given of a packet that lies in memory of its socket: media where it lies, since it is done with when it
 * has been handled; handshakes in memory of their own, as they are kept until they are whole.
 */
export function takenPacket(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const isMedia = end > start && bytes[start]! >>> 6 === 2;
  return isMedia ? bytes.subarray(start, end) : bytes.slice(start, end);
}

/** Packets in a TCP connection, each behind its length (RFC 4571, RFC 6544). */
export class TcpPath implements NetworkPath {
  readonly protocol = 'tcp';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: TcpSocket;

  constructor(socket: TcpSocket) {
    this.#socket = socket;
    this.localAddress = socket.localAddress ?? '';
    this.localPort = socket.localPort ?? 0;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.remotePort = socket.remotePort ?? 0;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#socket.writable || this.#socket.writableLength > MAX_PATH_BUFFER_BYTES) return false;
    this.#socket.write(writeTcpFrame(bytes));
    return true;
  }
}
