import type { DatagramSocket, DatagramTarget } from '../../io/datagram-socket.ts';
import type { TcpSocket } from '../../io/tcp-listener.ts';
import type { IceTuple } from '../../protocol/ice/ice-tuple.ts';
import { writeTcpFrame } from '../../protocol/ice/tcp-framing.ts';

/** What may wait in a TCP connection, bytes; packets beyond are dropped, as a network without room does. */
export const MAX_PATH_BUFFER_BYTES = 1_048_576;

/** A path to a peer that can be sent on. */
export interface NetworkPath extends IceTuple {
  /** Packets dropped because there was no room. */
  readonly dropped: number;
  /** Sends one packet; it may not be written into afterwards. */
  write(bytes: Uint8Array): void;
}

/** Datagrams to one address. */
export class UdpPath implements NetworkPath {
  readonly protocol = 'udp';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** For those who send many at once. */
  readonly target: DatagramTarget;
  /** The socket counts what it drops, for all its paths. */
  readonly dropped = 0;
  readonly #socket: DatagramSocket;

  /** @throws ResourceError `datagram/bad-address` */
  constructor(socket: DatagramSocket, address: string, port: number) {
    this.#socket = socket;
    this.localAddress = socket.address;
    this.localPort = socket.port;
    this.remoteAddress = address;
    this.remotePort = port;
    this.target = socket.target(address, port);
  }

  write(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.target);
  }
}

/** Packets in a TCP connection, each behind its length (RFC 4571, RFC 6544). */
export class TcpPath implements NetworkPath {
  readonly protocol = 'tcp';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  dropped = 0;
  readonly #socket: TcpSocket;

  constructor(socket: TcpSocket) {
    this.#socket = socket;
    this.localAddress = socket.localAddress ?? '';
    this.localPort = socket.localPort ?? 0;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.remotePort = socket.remotePort ?? 0;
  }

  write(bytes: Uint8Array): void {
    if (!this.#socket.writable || this.#socket.writableLength > MAX_PATH_BUFFER_BYTES) this.dropped++;
    else this.#socket.write(writeTcpFrame(bytes));
  }
}
