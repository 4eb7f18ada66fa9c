import type { DatagramSocket } from '../../io/datagram-socket.ts';
import type { ListenAddress } from '../../io/listen-address.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { nodeStunCrypto } from '../../io/stun-crypto.ts';
import { TcpListener } from '../../io/tcp-listener.ts';
import { UdpSocket } from '../../io/udp-socket.ts';
import { candidatePriority, type IceCandidate } from '../../protocol/ice/candidate.ts';
import { type IceParameters, makeIceParameters } from '../../protocol/ice/credentials.ts';
import { IceLiteAgent } from '../../protocol/ice/ice-lite-agent.ts';
import { TupleTable, UfragTable } from '../../protocol/ice/tuple-table.ts';
import { IceTcpConnections, type TcpPeer } from './ice-tcp-connections.ts';
import { type NetworkPath, takenPacket, UdpPath } from './network-path.ts';
import { createSecureTransport, type WebRtcSecurityOptions } from './secure-transport.ts';
import { type IceNetworkEvent, WebRtcSession, type WebRtcSessionHandlers } from './webrtc-session.ts';

/** Most sessions of one port. */
export const MAX_PORT_SESSIONS = 20_000;

export interface WebRtcPortOptions {
  /** An address of this machine, not every address: peers are told of it. At least one of both. */
  readonly udp?: ListenAddress;
  readonly tcp?: ListenAddress;
  /** What peers are told instead of the address listened on, behind a translator. */
  readonly announcedAddress?: string;
}

export interface PortSessionOptions extends WebRtcSecurityOptions {
  /** Milliseconds a path is used without a check of the peer; 30,000, and 0 for ever. */
  readonly consentTimeoutMs?: number;
  readonly handlers?: Omit<WebRtcSessionHandlers<NetworkPath>, 'onNetwork'>;
}

/** A peer that comes to a port: what to tell it, and the session. */
export interface PortSession {
  readonly session: WebRtcSession<NetworkPath>;
  readonly iceParameters: IceParameters;
  /** Ends it and forgets its routes. Idempotent. */
  close(): void;
  /** New parameters of ICE, the old ones are good until the peer uses these. */
  restartIce(): IceParameters;
}

/** Any number of WebRTC peers on one UDP and one TCP port: told apart by where they come from and how they are addressed. */
export class WebRtcPort {
  readonly #options: WebRtcPortOptions;
  readonly #fragments = new UfragTable<Member>();
  readonly #members = new Set<Member>();
  #udp: SharedUdp | undefined;
  #tcp: { readonly listener: TcpListener; readonly connections: IceTcpConnections } | undefined;
  #isClosed = false;

  private constructor(options: WebRtcPortOptions) {
    this.#options = options;
  }

  /** @throws ResourceError `datagram/…`, `listen/…` when a port can't be had */
  static async listen(options: WebRtcPortOptions): Promise<WebRtcPort> {
    const port = new WebRtcPort(options);
    try {
      if (options.udp !== undefined) await port.#listenUdp(options.udp);
      if (options.tcp !== undefined) await port.#listenTcp(options.tcp);
      return port;
    } catch (error) {
      await port.close();
      throw error;
    }
  }

  get udpPort(): number | undefined {
    return this.#udp?.socket.port;
  }

  get tcpPort(): number | undefined {
    return this.#tcp?.listener.port;
  }

  get sessions(): number {
    return this.#members.size;
  }

  /** What is kept for the sessions: addresses of peers, names they address us by, connections. */
  get tables(): { readonly routes: number; readonly fragments: number; readonly connections: number } {
    return {
      routes: this.#udp?.routes.size ?? 0,
      fragments: this.#fragments.size,
      connections: this.#tcp?.connections.size ?? 0,
    };
  }

  /** What peers are told of this port. */
  get candidates(): readonly IceCandidate[] {
    const { udp, tcp, announcedAddress } = this.#options;
    const candidates: IceCandidate[] = [];
    const of = (transport: 'udp' | 'tcp', host: string | undefined, port: number | undefined): void => {
      const address = announcedAddress ?? host;
      if (address === undefined || port === undefined) return;
      candidates.push({
        foundation: `${transport}candidate`,
        component: 1,
        transport,
        priority: candidatePriority({ type: 'host', transport, ...(transport === 'tcp' && { tcpType: 'passive' }) }),
        address,
        port,
        type: 'host',
        ...(transport === 'tcp' && { tcpType: 'passive' as const }),
      });
    };
    of('udp', udp?.host, this.udpPort);
    of('tcp', tcp?.host, this.tcpPort);
    return candidates;
  }

  /** Awaits a peer. @returns undefined when there are `MAX_PORT_SESSIONS`, or the port is closed */
  open(options: PortSessionOptions): PortSession | undefined {
    if (this.#isClosed || this.#members.size >= MAX_PORT_SESSIONS) return undefined;
    const member = new Member({
      ...options,
      fragments: this.#fragments,
      udp: this.#udp,
      closePath: (path) => this.#tcp?.connections.closePath(path),
      onClosed: (closed) => this.#members.delete(closed),
    });
    this.#members.add(member);
    return member;
  }

  /** Ends every session and both ports. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const member of this.#members) member.close();
    const [udp, tcp] = [this.#udp, this.#tcp];
    this.#udp = undefined;
    this.#tcp = undefined;
    tcp?.connections.close();
    await Promise.all([udp?.socket.close(), tcp?.listener.close()]);
  }

  async #listenUdp(address: ListenAddress): Promise<void> {
    const socket = await UdpSocket.open({ address });
    const routes = new TupleTable<Member>(this.#fragments);
    this.#udp = { socket, routes };
    socket.onPacket = (bytes, start, end, { address: from, port }) => {
      const packet = takenPacket(bytes, start, end);
      routes.find(packet, from, port)?.receiveDatagram(packet, from, port);
    };
  }

  async #listenTcp(address: ListenAddress): Promise<void> {
    const connections = new IceTcpConnections((firstPacket) => this.#fragments.find(firstPacket));
    const listener = await TcpListener.listen({
      address,
      noDelay: true,
      maxConnections: MAX_PORT_SESSIONS,
      onConnection: (socket) => connections.add(socket),
      onRefused: () => undefined,
      // Of a single connection, before it was handed over: nobody's session is concerned.
      onError: () => undefined,
    });
    this.#tcp = { listener, connections };
  }
}

/** A UDP port and whose its peers are. */
interface SharedUdp {
  readonly socket: DatagramSocket;
  readonly routes: TupleTable<Member>;
}

interface MemberOptions extends PortSessionOptions {
  readonly fragments: UfragTable<Member>;
  readonly udp: SharedUdp | undefined;
  /** Ends a TCP connection. */
  readonly closePath: (path: NetworkPath) => void;
  readonly onClosed: (member: Member) => void;
}

/** A session on shared ports. */
class Member implements PortSession, TcpPeer {
  readonly session: WebRtcSession<NetworkPath>;
  readonly #options: MemberOptions;
  readonly #agent: IceLiteAgent<NetworkPath>;
  #parameters: IceParameters;
  /** Peers may address it by these: those before a restart too, until they are retired. */
  readonly #ownFragments = new Set<string>();
  /** Datagrams come from there; by these very objects the agent knows them. */
  #paths: UdpPath[] = [];
  #isClosed = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#parameters = this.#newParameters();
    const { consentTimeoutMs, handlers } = options;
    this.#agent = new IceLiteAgent({
      parameters: this.#parameters,
      crypto: nodeStunCrypto,
      ...(consentTimeoutMs === undefined ? {} : { consentTimeoutMs }),
    });
    this.session = new WebRtcSession<NetworkPath>({
      ice: this.#agent,
      secure: createSecureTransport(options),
      clock: nodeClock,
      handlers: { ...handlers, onNetwork: (event) => this.#follow(event) },
    });
  }

  get iceParameters(): IceParameters {
    return this.#parameters;
  }

  receiveDatagram(bytes: Uint8Array, address: string, port: number): void {
    let path = this.#paths.find(({ remotePort, remoteAddress }) => remotePort === port && remoteAddress === address);
    if (path === undefined) {
      const { udp } = this.#options;
      if (udp === undefined) return;
      path = new UdpPath(udp.socket, address, port);
    }
    this.session.receive(bytes, path);
  }

  restartIce(): IceParameters {
    if (this.#isClosed) return this.#parameters;
    this.#parameters = this.#newParameters();
    this.session.follow(this.#agent.restart(this.#parameters));
    return this.#parameters;
  }

  receivePacket(bytes: Uint8Array, path: NetworkPath): void {
    this.session.receive(bytes, path);
  }

  isKnown(path: NetworkPath): boolean {
    return this.#agent.isKnown(path);
  }

  removePath(path: NetworkPath): void {
    if (!this.#isClosed) this.session.follow(this.#agent.removeTuple(path));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.session.close();
    const { fragments, udp, onClosed } = this.#options;
    for (const usernameFragment of this.#ownFragments) fragments.remove(usernameFragment, this);
    udp?.routes.removeTransport(this);
    onClosed(this);
  }

  #newParameters(): IceParameters {
    const { fragments } = this.#options;
    const random = (sizeBytes: number): Uint8Array => nodeHandshakeCrypto.randomBytes(sizeBytes);
    let parameters: IceParameters;
    do parameters = { ...makeIceParameters(random), iceLite: true };
    while (!fragments.add(parameters.usernameFragment, this));
    this.#ownFragments.add(parameters.usernameFragment);
    return parameters;
  }

  #follow(event: IceNetworkEvent<NetworkPath>): void {
    const { fragments, udp } = this.#options;
    switch (event.type) {
      case 'send':
        event.tuple.write(event.bytes);
        break;
      case 'tuple-added':
        if (!(event.tuple instanceof UdpPath) || udp === undefined) break;
        this.#paths.push(event.tuple);
        udp.routes.addRoute(event.tuple.remoteAddress, event.tuple.remotePort, this);
        break;
      case 'tuple-removed':
        if (event.tuple instanceof UdpPath) {
          this.#paths = this.#paths.filter((path) => path !== event.tuple);
          udp?.routes.removeRoute(event.tuple.remoteAddress, event.tuple.remotePort, this);
        } else {
          this.#options.closePath(event.tuple);
        }
        break;
      case 'fragment-retired':
        fragments.remove(event.usernameFragment, this);
        this.#ownFragments.delete(event.usernameFragment);
        break;
      default:
        // A lite agent neither gathers nor connects.
        break;
    }
  }
}
