import type { DatagramSocket, DatagramTarget } from '../../io/datagram-socket.ts';
import type { NetworkPath } from '../../server/webrtc/network-path.ts';
import type { PacketQueue } from '../../sfu/ports/packet-port.ts';

/** Datagrams to one address, through the queue that media goes through too: what is said first leaves first. */
export class QueuePath implements NetworkPath {
  readonly protocol = 'udp';
  readonly socket: DatagramSocket;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly target: DatagramTarget;
  readonly queue: PacketQueue;
  dropped = 0;

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

  write(bytes: Uint8Array): void {
    const at = this.queue.reserve(bytes.length);
    if (at < 0) {
      this.dropped++;
      return;
    }
    this.queue.bytes.set(bytes, at);
    this.queue.put(bytes.length, this.target);
  }
}
