import type { DatagramSocket, DatagramSource, DatagramTarget } from '../../io/datagram-socket.ts';
import { nodeClock } from '../../io/node-clock.ts';
import type { UdpPortPair } from '../../io/udp-port-pair.ts';
import type { UdpPeer, UdpReceiver, UdpRoute } from './udp-route.ts';

/** What comes late from a client that has left is not taken for a new one's for so long, milliseconds. */
const FORMER_MS = 5_000;
/** Most sources of clients that have left which are remembered. */
const MAX_FORMER = 1_000;

interface SharedRoute extends UdpRoute {
  rtpTarget: DatagramTarget;
  rtcpTarget: DatagramTarget;
  readonly receiver: UdpReceiver;
}

/**
 * A pair of ports that serves all players: who sent a packet is known by its source. Packets of an unknown port are of
 * the first client of that address nothing was heard of yet, behind a translator, and what is sent to it goes there from
 * then on; unless it is heard from the port it named after all.
 */
export class SharedPair {
  readonly #pair: UdpPortPair;
  readonly #rtp: ClientsOfSocket;
  readonly #rtcp: ClientsOfSocket;

  constructor(pair: UdpPortPair) {
    this.#pair = pair;
    const { rtp, rtcp } = pair;
    this.#rtp = new ClientsOfSocket();
    this.#rtcp = new ClientsOfSocket();
    rtp.onMessage = (bytes, source) => {
      const route = this.#rtp.senderOf(source, this.#rtcp);
      if (route === undefined) return;
      route.rtpTarget = targetAt(rtp, route.rtpTarget, source);
      route.receiver.receiveRtp(bytes);
    };
    rtcp.onMessage = (bytes, source) => {
      const route = this.#rtcp.senderOf(source, this.#rtp);
      if (route === undefined) return;
      route.rtcpTarget = targetAt(rtcp, route.rtcpTarget, source);
      route.receiver.receiveRtcp(bytes);
    };
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
      close: () => {
        this.#rtp.remove(route);
        this.#rtcp.remove(route);
      },
    };
    this.#rtp.add(route, route.rtpTarget);
    this.#rtcp.add(route, route.rtcpTarget);
    return route;
  }

  close(): Promise<void> {
    return this.#pair.close();
  }
}

/** The clients of one of the two sockets by where their packets come from. */
class ClientsOfSocket {
  readonly #bySource = new Map<string, SharedRoute>();
  /** The ports they named, and those a translator gave them. */
  readonly #sources = new Map<SharedRoute, { readonly named: string; translated: string | undefined }>();
  /** Those of an address that were not heard of yet. */
  readonly #silent = new Map<string, Set<SharedRoute>>();
  /** When clients left, by their sources. */
  readonly #former = new Map<string, number>();

  add(route: SharedRoute, target: DatagramTarget): void {
    const named = keyOf(target);
    this.#former.delete(named);
    this.#bySource.set(named, route);
    this.#sources.set(route, { named, translated: undefined });
    const silent = this.#silent.get(target.address);
    if (silent === undefined) this.#silent.set(target.address, new Set([route]));
    else silent.add(route);
  }

  /** @param other socket's clients: who is not translated here is not translated there */
  senderOf(source: DatagramSource, other: ClientsOfSocket): SharedRoute | undefined {
    const key = keyOf(source);
    const known = this.#bySource.get(key);
    if (known === undefined) return this.#adopt(source, key);
    this.#heard(known, source.address);
    if (this.#sources.get(known)?.named === key) other.#heard(known, source.address);
    return known;
  }

  remove(route: SharedRoute): void {
    const sources = this.#sources.get(route);
    if (sources === undefined) return;
    this.#sources.delete(route);
    for (const key of [sources.named, sources.translated]) {
      if (key === undefined || this.#bySource.get(key) !== route) continue;
      this.#bySource.delete(key);
      this.#remember(key);
    }
    this.#heard(route, route.rtpTarget.address);
  }

  #adopt(source: DatagramSource, key: string): SharedRoute | undefined {
    const [route] = this.#silent.get(source.address) ?? [];
    if (route === undefined) return undefined;
    const leftMs = this.#former.get(key);
    if (leftMs !== undefined && nodeClock.nowMs() - leftMs < FORMER_MS) return undefined;
    this.#heard(route, source.address);
    this.#bySource.set(key, route);
    this.#sources.get(route)!.translated = key;
    return route;
  }

  #heard(route: SharedRoute, address: string): void {
    const silent = this.#silent.get(address);
    if (silent?.delete(route) === true && silent.size === 0) this.#silent.delete(address);
  }

  #remember(key: string): void {
    this.#former.delete(key);
    this.#former.set(key, nodeClock.nowMs());
    if (this.#former.size <= MAX_FORMER) return;
    const [oldest] = this.#former.keys();
    this.#former.delete(oldest!);
  }
}

/** The target, or where the source is when that is another place. */
function targetAt(socket: DatagramSocket, target: DatagramTarget, source: DatagramSource): DatagramTarget {
  return target.port === source.port ? target : socket.target(source.address, source.port);
}

function keyOf(end: DatagramSource): string {
  return `${end.address} ${end.port}`;
}
