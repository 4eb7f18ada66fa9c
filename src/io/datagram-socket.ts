import type { PacketHandler, PacketQueue } from '../sfu/ports/packet-port.ts';
import type { InterleavedBatch } from './datagram-batch.ts';
import type { ListenAddress } from './listen-address.ts';

/** Codes of the `ResourceError`s (ports, addresses, multicast) and `StateError`s (misuse) of datagram sockets. */
export type DatagramErrorCode =
  | 'datagram/port-taken'
  | 'datagram/no-port-pair'
  | 'datagram/not-allowed'
  | 'datagram/unknown-host'
  | 'datagram/failed'
  | 'datagram/bad-address'
  | 'datagram/bad-range'
  | 'datagram/multicast-refused'
  | 'datagram/closed'
  | 'datagram/not-reserved';

/**
 * Where datagrams go: made once per peer by `DatagramSocket.target`, good only for sockets of the same address family.
 * `address` is written as the kernel reports the sender of a received datagram (`::ffff:192.0.2.1` for IPv4 on a socket
 * of both families), so a source is this target when address and port are equal.
 */
export interface DatagramTarget {
  readonly address: string;
  /** 1–65535. */
  readonly port: number;
  /** The same as a `struct sockaddr_in` or `sockaddr_in6` of Linux. Not to be written into. */
  readonly socketAddress: Uint8Array;
  /** Whether the kernel may be given several packets as one to cut; the provider clears it where the route refuses. */
  isSegmented: boolean;
  /** Where the provider counts it among the targets of what it sends at present. */
  group: number;
}

/** Who sent a datagram. */
export interface DatagramSource {
  readonly address: string;
  readonly port: number;
}

/** Gets each datagram. `bytes` belong to the handler; `source` is valid during the call. Must not throw. */
export type DatagramHandler = (bytes: Uint8Array, source: DatagramSource) => void;

/** How a socket sends and receives: through Node's own calls, or many packets a system call by `node:ffi` (Linux). */
export type DatagramProvider = 'portable' | 'sendmmsg';

export interface DatagramSocketOptions {
  /** `host` undefined: every address of both families where the system has IPv6. Port 0 takes a free one. */
  readonly address: ListenAddress;
  /** Size of the kernel's receive buffer to ask for, bytes; the system may give less. Default 1,048,576. */
  readonly receiveBufferBytes?: number;
  /** Size of the kernel's send buffer to ask for, bytes; the system may give less. Default 1,048,576. */
  readonly sendBufferBytes?: number;
  /** What may wait in this process while the kernel has no room, bytes; packets beyond are dropped. Default 1,048,576. */
  readonly sendQueueBytes?: number;
  /** Several programs may receive the same multicast group on one port. Default false. */
  readonly reuseAddress?: boolean;
  /** Several processes share the port, the kernel spreads the peers over them. Default false. */
  readonly reusePort?: boolean;
  /** IPv4 peers do not come to an address of IPv6. Default false. */
  readonly ipv6Only?: boolean;
  /** `portable` sends every packet through Node, also where there is a faster way. Default: the fastest that works. */
  readonly provider?: 'portable';
}

/**
 * A bound UDP socket. Sending never blocks, never throws for what the network does, and never resolves a name: packets
 * the kernel has no room for wait in a bounded queue, and beyond it are dropped and counted.
 */
export interface DatagramSocket {
  /** As the system names it, for example `0.0.0.0` or `::`. */
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** Which way batches and queues are sent and bursts received; single packets go through Node, which is as fast. */
  readonly provider: DatagramProvider;
  /** Gets the datagrams from now on; while undefined they are thrown away. */
  onMessage: DatagramHandler | undefined;
  /** Gets them instead of `onMessage`, where they lie; sources are targets of this socket. For those who take many. */
  onPacket: PacketHandler | undefined;

  /** Packets handed to the kernel or its queue since the start. */
  readonly sentPackets: number;
  /** UDP payload of `sentPackets`, bytes. */
  readonly sentBytes: number;
  /** Packets thrown away because neither kernel nor queue had room. */
  readonly dropped: number;
  /** Packets the kernel refused: no route, too large, not permitted. */
  readonly failed: number;

  /**
   * @param address IPv4 or IPv6 in numbers, without brackets; `%zone` is understood
   * @throws ResourceError `datagram/bad-address` when it is no address, has no port, or this socket can't reach its family
   */
  target(address: string, port: number): DatagramTarget;
  /** Sends one datagram. `bytes` must not be written into afterwards: they may still wait in the queue. */
  send(bytes: Uint8Array, to: DatagramTarget): void;
  /**
   * Sends every packet of the batch in order.
   * @returns bytes of payload sent or queued; less than `batch.payloadBytes` when packets were dropped
   */
  sendBatch(batch: InterleavedBatch, to: DatagramTarget): number;
  /** The queue for packets to many targets: one for each socket, made when it is first asked for, with memory for 1,024. */
  packetQueue(): PacketQueue;

  /**
   * Receives what is sent to `group`, from anyone or from `source` only (RFC 4607).
   * `networkInterface` is an own address of it (IPv4) or `::%name` (IPv6); without it the system chooses.
   * @throws ResourceError `datagram/multicast-refused`
   */
  joinGroup(group: string, options?: MulticastMembership): void;
  /** The same arguments as at `joinGroup`. @throws ResourceError `datagram/multicast-refused` */
  leaveGroup(group: string, options?: MulticastMembership): void;
  /** Settings for multicast that is sent. @throws ResourceError `datagram/multicast-refused` */
  setMulticast(options: MulticastSending): void;

  /**
   * Stops at once. What was put into `packetQueue` still goes to the kernel; what the kernel had no room for is lost. May be
   * called again. Resolves when the port is free.
   */
  close(): Promise<void>;
}

export interface MulticastMembership {
  readonly networkInterface?: string;
  readonly source?: string;
}

export interface MulticastSending {
  /** Routers a packet may pass, 1–255; the system's default is 1. */
  readonly timeToLive?: number;
  /** An own address of the interface (IPv4), or `::%name` (IPv6). */
  readonly networkInterface?: string;
  /** Whether programs on this machine receive it too; the system's default is true. */
  readonly loopback?: boolean;
}
