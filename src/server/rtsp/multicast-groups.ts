import type { DatagramSocket } from '../../io/datagram-socket.ts';
import { UdpSocket } from '../../io/udp-socket.ts';
import type { Clock } from '../../media/clock.ts';
import { ResourceError } from '../../wire/errors.ts';
import type { DatagramPacer } from './datagram-pacer.ts';
import type { MediaSession } from './media-session.ts';
import { MulticastGroup } from './multicast-group.ts';

/** Ports each group has for itself: two a track. Machines that are in several groups tell them apart by ports. */
const PORTS_PER_GROUP = 16;

/** How often groups nobody needs are given back, milliseconds. A client has at least so long between DESCRIBE and SETUP. */
const SWEEP_MS = 30_000;

/** Code of the `ResourceError` when every group is in use. */
export type MulticastErrorCode = 'rtsp/no-group';

export interface MulticastGroupsOptions {
  /** First and last group, IPv4 as numbers. */
  readonly firstAddress: number;
  readonly lastAddress: number;
  /** RTP port of the first track in the first group, even. */
  readonly firstPort: number;
  /** 1–255. */
  readonly timeToLive: number;
  /** An own address of the interface to send from; the system chooses by default. */
  readonly networkInterface: string | undefined;
  readonly pacer: DatagramPacer;
  readonly clock: Clock;
  /** Whether somebody holds a media session. */
  readonly isReferenced: (session: MediaSession) => boolean;
}

interface SocketPair {
  readonly rtp: DatagramSocket;
  readonly rtcp: DatagramSocket;
}

/** Multicast groups by media session: each has one, the same one for the same name as long as that is free. */
export class MulticastGroups {
  readonly #options: MulticastGroupsOptions;
  /** By index in the range. */
  readonly #groups = new Map<number, MulticastGroup>();
  /** Groups that nobody needed at the last sweep. */
  #unneeded: ReadonlySet<MulticastGroup> = new Set();
  readonly #stopSweeping: () => void;
  #sockets: Promise<SocketPair> | undefined;

  constructor(options: MulticastGroupsOptions) {
    this.#options = options;
    this.#stopSweeping = options.clock.every(SWEEP_MS, () => this.#sweep());
  }

  /**
   * The group of a media session.
   * @throws ResourceError `rtsp/no-group` when all are in use, or what opening sockets throws
   */
  async groupOf(session: MediaSession): Promise<MulticastGroup> {
    const { rtp, rtcp } = await this.#open();
    for (const group of this.#groups.values()) if (group.session === session) return group;
    const { firstPort, timeToLive, pacer } = this.#options;
    const index = this.#freeIndex(session.name);
    const port = firstPort + index * PORTS_PER_GROUP;
    const group = new MulticastGroup({
      session,
      address: addressText(this.#options.firstAddress + index),
      timeToLive,
      portOf: (track) => port + track * 2,
      rtpSocket: rtp,
      rtcpSocket: rtcp,
      pacer,
    });
    this.#groups.set(index, group);
    return group;
  }

  async close(): Promise<void> {
    this.#stopSweeping();
    const sockets = this.#sockets;
    if (sockets === undefined) return;
    try {
      const { rtp, rtcp } = await sockets;
      await Promise.all([rtp.close(), rtcp.close()]);
    } catch (error) {
      // Whoever asked for the sockets was told that there are none.
      if (!(error instanceof ResourceError)) throw error;
    }
  }

  async #open(): Promise<SocketPair> {
    this.#sockets ??= this.#openPair();
    try {
      return await this.#sockets;
    } catch (error) {
      this.#sockets = undefined;
      throw error;
    }
  }

  async #openPair(): Promise<SocketPair> {
    const { timeToLive, networkInterface } = this.#options;
    const [rtp, rtcp] = await Promise.all([openSender(), openSender()]);
    for (const socket of [rtp, rtcp]) {
      socket.setMulticast({ timeToLive, ...(networkInterface === undefined ? {} : { networkInterface }) });
    }
    return { rtp, rtcp };
  }

  /** Where the name's hash leads, or the next place that is free. Groups nobody needs any more are free. */
  #freeIndex(name: string): number {
    const { firstAddress, lastAddress } = this.#options;
    const size = lastAddress - firstAddress + 1;
    const start = hashOf(name) % size;
    for (let i = 0; i < size; i++) {
      const index = (start + i) % size;
      const group = this.#groups.get(index);
      if (group === undefined || this.#isUnneeded(group)) return index;
    }
    throw new ResourceError('rtsp/no-group' satisfies MulticastErrorCode, 'every multicast group is in use');
  }

  #isUnneeded(group: MulticastGroup): boolean {
    return group.isIdle && !this.#options.isReferenced(group.session);
  }

  /** Lets go of what was not needed at two sweeps in a row. */
  #sweep(): void {
    const unneeded = new Set<MulticastGroup>();
    for (const [index, group] of this.#groups) {
      if (!this.#isUnneeded(group)) continue;
      if (this.#unneeded.has(group)) this.#groups.delete(index);
      else unneeded.add(group);
    }
    this.#unneeded = unneeded;
  }
}

function openSender(): Promise<DatagramSocket> {
  return UdpSocket.open({ address: { host: '0.0.0.0', port: 0 } });
}

function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
