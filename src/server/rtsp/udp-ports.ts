import type { DatagramErrorCode, DatagramSocket, DatagramTarget } from '../../io/datagram-socket.ts';
import { type UdpPortPair, UdpPortRange } from '../../io/udp-port-pair.ts';
import { ResourceError } from '../../wire/errors.ts';
import { SharedPair } from './shared-udp-pair.ts';
import type { UdpPeer, UdpReceiver, UdpRoute } from './udp-route.ts';

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
