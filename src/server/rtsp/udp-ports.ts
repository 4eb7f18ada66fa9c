import type { DatagramErrorCode, DatagramSocket, DatagramSource, DatagramTarget } from '../../io/datagram-socket.ts';
import { type UdpPortPair, UdpPortRange } from '../../io/udp-port-pair.ts';
import { ResourceError } from '../../wire/errors.ts';
import type { DatagramRoute } from './datagram-delivery.ts';

/** Where a client receives one track. */
export interface UdpPeer {
  /** Address of its RTSP connection: media never go anywhere else. */
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

/** Gets what the client sends for one track. `bytes` are lent. */
export interface UdpReceiver {
  receiveRtp(bytes: Uint8Array): void;
  receiveRtcp(bytes: Uint8Array): void;
}

/** The sockets one track goes through. */
export interface UdpRoute extends DatagramRoute {
  readonly serverRtpPort: number;
  readonly serverRtcpPort: number;
  /** Lets go of the ports. Idempotent. */
  close(): void;
}

export interface UdpPortsOptions {
  /** Own address; undefined: all. */
  readonly host: string | undefined;
  readonly firstPort: number;
  readonly lastPort: number;
  /** All players get their packets from one pair of ports, instead of one for each track of each. */
  readonly shared: boolean;
}

/**
 * The server's UDP ports for unicast: one pair for all players, or a pair of its own for each track. Datagrams are taken
 * from the address of the client only; when they come from another port than it named, because its address is
 * translated on the way, it is answered there.
 */
export class UdpPorts {
  readonly #range: UdpPortRange;
  readonly #isShared: boolean;
  readonly #own = new Set<OwnRoute>();
  #shared: Promise<SharedPair> | undefined;
  #closed = false;

  constructor(options: UdpPortsOptions) {
    this.#range = new UdpPortRange(options);
    this.#isShared = options.shared;
  }

  /**
   * Opens the way to a client for one track.
   * @param isRecorded the client sends: it gets ports of its own
   * @throws ResourceError `datagram/…` when there are no ports, or the address can't be reached
   */
  async open(peer: UdpPeer, receiver: UdpReceiver, isRecorded: boolean): Promise<UdpRoute> {
    if (this.#isShared && !isRecorded) {
      this.#shared ??= this.#range.open().then((pair) => new SharedPair(pair));
      try {
        return (await this.#shared).route(peer, receiver);
      } catch (error) {
        // The next client may find ports.
        if (!(await isOpened(this.#shared))) this.#shared = undefined;
        throw error;
      }
    }
    const pair = await this.#range.open();
    try {
      if (this.#closed) throw new ResourceError('datagram/closed' satisfies DatagramErrorCode, 'the server is closing');
      const route = new OwnRoute(pair, peer, receiver, () => this.#own.delete(route));
      this.#own.add(route);
      return route;
    } catch (error) {
      await pair.close();
      throw error;
    }
  }

  /** Closes every port. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const route of this.#own) route.close();
    const shared = this.#shared;
    if (shared !== undefined && (await isOpened(shared))) await (await shared).close();
  }
}

async function isOpened(pair: Promise<SharedPair>): Promise<boolean> {
  try {
    await pair;
    return true;
  } catch {
    // Whoever asked for the pair was told why.
    return false;
  }
}

/** A pair of ports that serves one track of one client. */
class OwnRoute implements UdpRoute {
  readonly rtpSocket: DatagramSocket;
  readonly rtcpSocket: DatagramSocket;
  rtpTarget: DatagramTarget;
  rtcpTarget: DatagramTarget;
  readonly #pair: UdpPortPair;
  readonly #onClosed: () => void;
  #closed = false;

  constructor(pair: UdpPortPair, peer: UdpPeer, receiver: UdpReceiver, onClosed: () => void) {
    this.#pair = pair;
    this.#onClosed = onClosed;
    this.rtpSocket = pair.rtp;
    this.rtcpSocket = pair.rtcp;
    this.rtpTarget = pair.rtp.target(peer.address, peer.rtpPort);
    this.rtcpTarget = pair.rtcp.target(peer.address, peer.rtcpPort);
    pair.rtp.onMessage = (bytes, source) => {
      if (source.address !== this.rtpTarget.address) return;
      if (source.port !== this.rtpTarget.port) this.rtpTarget = pair.rtp.target(source.address, source.port);
      receiver.receiveRtp(bytes);
    };
    pair.rtcp.onMessage = (bytes, source) => {
      if (source.address !== this.rtcpTarget.address) return;
      if (source.port !== this.rtcpTarget.port) this.rtcpTarget = pair.rtcp.target(source.address, source.port);
      receiver.receiveRtcp(bytes);
    };
  }

  get serverRtpPort(): number {
    return this.rtpSocket.port;
  }

  get serverRtcpPort(): number {
    return this.rtcpSocket.port;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
    void this.#pair.close();
  }
}

/** A pair of ports that serves all players: who sent an RTCP packet is known by its source. */
class SharedPair {
  readonly #pair: UdpPortPair;
  readonly #bySource = new Map<string, SharedRoute>();
  /** Clients of an address that were not heard of yet. */
  readonly #silent = new Map<string, Set<SharedRoute>>();

  constructor(pair: UdpPortPair) {
    this.#pair = pair;
    pair.rtcp.onMessage = (bytes, source) => this.#receive(bytes, source);
  }

  route(peer: UdpPeer, receiver: UdpReceiver): UdpRoute {
    const { rtp, rtcp } = this.#pair;
    const route: SharedRoute = {
      rtpSocket: rtp,
      rtcpSocket: rtcp,
      serverRtpPort: rtp.port,
      serverRtcpPort: rtcp.port,
      rtpTarget: rtp.target(peer.address, peer.rtpPort),
      rtcpTarget: rtcp.target(peer.address, peer.rtcpPort),
      receiver,
      close: () => this.#forget(route),
    };
    this.#bySource.set(keyOf(route.rtcpTarget), route);
    const { address } = route.rtcpTarget;
    const silent = this.#silent.get(address);
    if (silent === undefined) this.#silent.set(address, new Set([route]));
    else silent.add(route);
    return route;
  }

  close(): Promise<void> {
    return this.#pair.close();
  }

  #receive(bytes: Uint8Array, source: DatagramSource): void {
    const route = this.#bySource.get(keyOf(source)) ?? this.#adopt(source);
    if (route === undefined) return;
    this.#forgetSilent(route);
    route.receiver.receiveRtcp(bytes);
  }

  /** A port nobody named: the first client of this address that is still silent must be it. */
  #adopt(source: DatagramSource): SharedRoute | undefined {
    const [route] = this.#silent.get(source.address) ?? [];
    if (route === undefined) return undefined;
    this.#forgetSource(route);
    route.rtcpTarget = this.#pair.rtcp.target(source.address, source.port);
    this.#bySource.set(keyOf(source), route);
    return route;
  }

  #forget(route: SharedRoute): void {
    this.#forgetSource(route);
    this.#forgetSilent(route);
  }

  #forgetSource(route: SharedRoute): void {
    const key = keyOf(route.rtcpTarget);
    if (this.#bySource.get(key) === route) this.#bySource.delete(key);
  }

  #forgetSilent(route: SharedRoute): void {
    const { address } = route.rtcpTarget;
    const silent = this.#silent.get(address);
    if (silent?.delete(route) === true && silent.size === 0) this.#silent.delete(address);
  }
}

interface SharedRoute extends UdpRoute {
  rtcpTarget: DatagramTarget;
  readonly receiver: UdpReceiver;
}

function keyOf(end: DatagramSource): string {
  return `${end.address} ${end.port}`;
}
