import { createSocket, type RemoteInfo, type Socket, type SocketType } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { PacketHandler, PacketQueue } from '../sfu/ports/packet-port.ts';
import { ResourceError } from '../wire/errors.ts';
import { toDatagramTarget } from './datagram-address.ts';
import type { InterleavedBatch } from './datagram-batch.ts';
import { DatagramQueue, QUEUE_BYTES, type QueuedPackets } from './datagram-queue.ts';
import type {
  DatagramErrorCode,
  DatagramHandler,
  DatagramProvider,
  DatagramSocket,
  DatagramSocketOptions,
  DatagramTarget,
  MulticastMembership,
  MulticastSending,
} from './datagram-socket.ts';
import { datagramSources } from './datagram-sources.ts';
import { type FastDatagrams, fastDatagrams, fileDescriptorOf } from './ffi/fast-datagrams.ts';
import type { LinuxQueueSender } from './ffi/linux-queue-sender.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import { releaseBytes } from './release-bytes.ts';

/** What is asked of the kernel for each direction unless the options say otherwise, bytes. */
export const DEFAULT_BUFFER_BYTES = 1_048_576;
/** What may wait in this process unless the options say otherwise, bytes. */
export const DEFAULT_SEND_QUEUE_BYTES = 1_048_576;

/** Node's own calls for everything. */
const PORTABLE: FastDatagrams = {
  sender: undefined,
  receiver: undefined,
  createQueueSender: undefined,
  reason: 'not asked for',
};

/**
 * A `DatagramSocket` over `node:dgram`, which owns the socket; where there is a faster way, batches go past it, and what
 * has arrived behind a packet it reports.
 */
export class UdpSocket implements DatagramSocket {
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  onMessage: DatagramHandler | undefined;
  onPacket: PacketHandler | undefined;
  sentPackets = 0;
  sentBytes = 0;
  dropped = 0;
  failed = 0;
  readonly #socket: Socket;
  readonly #sendQueueBytes: number;
  readonly #fast: FastDatagrams;
  readonly #fileDescriptor: number;
  /** Nothing waited behind the last packet. */
  #cameAlone = false;
  #queue: DatagramQueue | undefined;
  #queueSender: LinuxQueueSender | undefined;
  #closed: Promise<void> | undefined;
  /** One function for all packets: Node reports what the kernel refused only to a callback. */
  readonly #onSent = (error: Error | null, sizeBytes: number): void => {
    if (error === null) {
      this.sentPackets++;
      this.sentBytes += sizeBytes;
    } else if (isNoRoom(error)) {
      this.dropped++;
    } else {
      this.failed++;
    }
  };

  private constructor(socket: Socket, options: DatagramSocketOptions, fast: FastDatagrams) {
    const bound = socket.address();
    this.address = bound.address;
    this.port = bound.port;
    this.family = bound.family === 'IPv4' ? 4 : 6;
    this.#socket = socket;
    this.#sendQueueBytes = options.sendQueueBytes ?? DEFAULT_SEND_QUEUE_BYTES;
    const fileDescriptor = fileDescriptorOf(socket);
    this.#fast = fileDescriptor === undefined ? PORTABLE : fast;
    this.#fileDescriptor = fileDescriptor ?? -1;
    socket.on('message', (bytes: Uint8Array, source: RemoteInfo) => this.#receive(bytes, source));
    // An error of one datagram on its way in; the socket goes on receiving.
    socket.on('error', () => {
      this.failed++;
    });
  }

  /**
   * `fast` is asked for a faster way unless the options want the portable one.
   * @throws ResourceError with a `DatagramErrorCode` when the port can't be had
   */
  static async open(
    options: DatagramSocketOptions,
    fast: () => Promise<FastDatagrams> = fastDatagrams,
  ): Promise<DatagramSocket> {
    const { host, port } = options.address;
    const ways = options.provider === 'portable' ? PORTABLE : await fast();
    if (host !== undefined) {
      const found = isIP(host) > 0 ? { address: host, family: isIP(host) } : await resolveHost(host);
      return new UdpSocket(
        await bind(found.family === 4 ? 'udp4' : 'udp6', found.address, port, options),
        options,
        ways,
      );
    }
    try {
      return new UdpSocket(await bind('udp6', '::', port, options), options, ways);
    } catch (error) {
      if (!isWithoutIpv6(error)) throw error;
      return new UdpSocket(await bind('udp4', '0.0.0.0', port, options), options, ways);
    }
  }

  get provider(): DatagramProvider {
    return this.#fast.sender === undefined ? 'portable' : 'sendmmsg';
  }

  target(address: string, port: number): DatagramTarget {
    return toDatagramTarget(this.family, address, port);
  }

  send(bytes: Uint8Array, to: DatagramTarget): void {
    this.#sendPacket(bytes, 0, bytes.length, to, this.#waitingBytes());
  }

  sendBatch(batch: InterleavedBatch, to: DatagramTarget): number {
    const { bytes, offsets, sizes } = batch;
    let sentBytes = 0;
    let first = 0;
    const { sender } = this.#fast;
    // What waits in the queue goes first: then everything goes through it.
    const isFast = sender !== undefined && sizes.length > 0 && this.#closed === undefined && this.#waitingBytes() === 0;
    if (isFast) {
      first = sender.send(this.#fileDescriptor, batch, 0, to);
      sentBytes = sender.sentBytes;
      this.sentBytes += sentBytes;
      this.sentPackets += sender.sentPackets;
      this.failed += sender.failedPackets;
    }
    for (let i = first; i < sizes.length; i++) {
      const sizeBytes = sizes[i]!;
      if (this.#sendPacket(bytes, offsets[i]!, sizeBytes, to, this.#waitingBytes())) sentBytes += sizeBytes;
    }
    return sentBytes;
  }

  packetQueue(): PacketQueue {
    if (this.#queue === undefined) {
      this.#queueSender = this.#fast.createQueueSender?.();
      const bytes = this.#queueSender?.arena ?? new Uint8Array(QUEUE_BYTES);
      const isSegmenting = this.#queueSender !== undefined;
      this.#queue = new DatagramQueue(bytes, (packets) => this.#sendQueued(packets), isSegmenting);
      if (this.#closed !== undefined) this.#queue.close();
    }
    return this.#queue;
  }

  #sendQueued(packets: QueuedPackets): void {
    if (this.#closed !== undefined) return;
    const sender = this.#queueSender;
    if (sender !== undefined && this.#waitingBytes() === 0) {
      sender.send(this.#fileDescriptor, packets);
      this.sentPackets += sender.sentPackets;
      this.sentBytes += sender.sentBytes;
      this.dropped += sender.droppedPackets;
      this.failed += sender.failedPackets;
      return;
    }
    const { bytes, count, offsets, sizes, targets } = packets;
    let waitingBytes = this.#waitingBytes();
    for (let i = 0; i < count; i++) {
      const offset = offsets[i]!;
      const sizeBytes = sizes[i]!;
      if (waitingBytes > 0 || sender !== undefined) {
        // A copy: it waits in Node's queue while the memory is written into again.
        this.#sendPacket(bytes.slice(offset, offset + sizeBytes), 0, sizeBytes, targets[i]!, waitingBytes);
        waitingBytes = this.#waitingBytes();
        continue;
      }
      this.#sendPacket(bytes, offset, sizeBytes, targets[i]!, 0);
      waitingBytes = this.#waitingBytes();
      // The kernel had no room for it, and it waits where it lies. Until it has left, all others are copied.
      if (waitingBytes > 0) packets.bytes = new Uint8Array(QUEUE_BYTES);
    }
  }

  /** Hands on a datagram Node has read, and with `recvmmsg` those that wait behind it. */
  #receive(bytes: Uint8Array, from: RemoteInfo): void {
    const { onPacket } = this;
    if (onPacket === undefined) {
      this.onMessage?.(bytes, from);
    } else {
      const source = datagramSources.of(this.family, from.address, from.port);
      if (source !== undefined) onPacket(bytes, 0, bytes.length, source);
      releaseBytes(bytes);
    }
    const { receiver } = this.#fast;
    if (receiver === undefined || this.#closed !== undefined) return;
    // Behind a packet that came alone the next one comes alone too, most often: looking costs a system call.
    if (this.#cameAlone) {
      this.#cameAlone = false;
      return;
    }
    const count = receiver.receive(this.#fileDescriptor);
    this.#cameAlone = count === 0;
    // Handlers may close the socket, or change them.
    for (let i = 0; i < count && this.#closed === undefined; i++) {
      const source = receiver.source(i);
      if (source === undefined) continue;
      const start = receiver.start(i);
      const end = receiver.end(i);
      if (this.onPacket !== undefined) this.onPacket(receiver.bytes, start, end, source);
      else this.onMessage?.(receiver.bytes.slice(start, end), source);
    }
  }

  /** What Node keeps since the kernel had no room for it. */
  #waitingBytes(): number {
    return this.#closed === undefined ? this.#socket.getSendQueueSize() : 0;
  }

  /** @param waitingBytes as `#waitingBytes` tells */
  #sendPacket(bytes: Uint8Array, offset: number, sizeBytes: number, to: DatagramTarget, waitingBytes: number): boolean {
    if (this.#closed !== undefined) return false;
    if (waitingBytes + sizeBytes > this.#sendQueueBytes) {
      this.dropped++;
      return false;
    }
    this.#socket.send(bytes, offset, sizeBytes, to.port, to.address, this.#onSent);
    return true;
  }

  joinGroup(group: string, options: MulticastMembership = {}): void {
    this.#multicast(`join ${group}`, (socket) => {
      const { source, networkInterface } = options;
      if (source === undefined) socket.addMembership(group, networkInterface);
      else socket.addSourceSpecificMembership(source, group, networkInterface);
    });
  }

  leaveGroup(group: string, options: MulticastMembership = {}): void {
    this.#multicast(`leave ${group}`, (socket) => {
      const { source, networkInterface } = options;
      if (source === undefined) socket.dropMembership(group, networkInterface);
      else socket.dropSourceSpecificMembership(source, group, networkInterface);
    });
  }

  setMulticast(options: MulticastSending): void {
    this.#multicast('set up multicast', (socket) => {
      const { timeToLive, networkInterface, loopback } = options;
      if (timeToLive !== undefined) socket.setMulticastTTL(timeToLive);
      if (networkInterface !== undefined) socket.setMulticastInterface(networkInterface);
      if (loopback !== undefined) socket.setMulticastLoopback(loopback);
    });
  }

  #multicast(what: string, action: (socket: Socket) => void): void {
    if (this.#closed !== undefined) {
      throw new ResourceError('datagram/closed' satisfies DatagramErrorCode, 'the socket is closed');
    }
    try {
      action(this.#socket);
    } catch (cause) {
      throw new ResourceError(
        'datagram/multicast-refused' satisfies DatagramErrorCode,
        `can't ${what} on UDP port ${this.port}: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.onMessage = undefined;
      this.onPacket = undefined;
      // A farewell, most often.
      this.#queue?.flush();
      this.#queue?.close();
      this.#socket.close(() => resolve());
    });
    return this.#closed;
  }
}

/** Gives back the address it was given: `dgram` looks up the address of every packet, also one in numbers. */
function asItIs(
  address: string,
  family: number,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, family);
}

function bind(type: SocketType, address: string, port: number, options: DatagramSocketOptions): Promise<Socket> {
  const { receiveBufferBytes = DEFAULT_BUFFER_BYTES, sendBufferBytes = DEFAULT_BUFFER_BYTES } = options;
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type,
      reuseAddr: options.reuseAddress ?? false,
      reusePort: options.reusePort ?? false,
      ipv6Only: options.ipv6Only ?? false,
      recvBufferSize: receiveBufferBytes,
      sendBufferSize: sendBufferBytes,
      // The declared type is that of dns.lookup; dgram calls it with the family as a number.
      lookup: asItIs as never,
    });
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      socket.close();
      reject(bindError({ host: address, port }, cause));
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

async function resolveHost(host: string): Promise<{ readonly address: string; readonly family: number }> {
  try {
    return await lookup(host);
  } catch (cause) {
    throw new ResourceError('datagram/unknown-host' satisfies DatagramErrorCode, `there is no host ${host}`, { cause });
  }
}

function bindError(address: ListenAddress, cause: NodeJS.ErrnoException): ResourceError {
  const where = formatListenAddress(address);
  if (cause.code === 'EADDRINUSE') {
    return new ResourceError(
      'datagram/port-taken' satisfies DatagramErrorCode,
      `UDP port ${where} is taken by another program; stop it or choose another port in the configuration`,
      { cause },
    );
  }
  if (cause.code === 'EACCES') {
    return new ResourceError(
      'datagram/not-allowed' satisfies DatagramErrorCode,
      `this user may not use UDP port ${where}; choose a port above 1023`,
      { cause },
    );
  }
  return new ResourceError(
    'datagram/failed' satisfies DatagramErrorCode,
    `can't open UDP port ${where}: ${cause.message}`,
    { cause },
  );
}

function isWithoutIpv6(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL' || code === 'EINVAL';
}

function isNoRoom(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EAGAIN' || error.code === 'ENOBUFS' || error.code === 'ENOMEM';
}
