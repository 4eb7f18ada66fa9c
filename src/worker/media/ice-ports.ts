import type { DatagramSocket } from '../../io/datagram-socket.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { nodeStunCrypto } from '../../io/stun-crypto.ts';
import { TcpListener } from '../../io/tcp-listener.ts';
import { candidatePriority } from '../../protocol/ice/candidate.ts';
import { type IceParameters, makeIceParameters } from '../../protocol/ice/credentials.ts';
import { IceLiteAgent } from '../../protocol/ice/ice-lite-agent.ts';
import { TupleTable, UfragTable } from '../../protocol/ice/tuple-table.ts';
import { IceTcpConnections, type TcpPeer } from '../../server/webrtc/ice-tcp-connections.ts';
import { type NetworkPath, takenPacket, UdpPath } from '../../server/webrtc/network-path.ts';
import { createSecureTransport, type WebRtcSecurityOptions } from '../../server/webrtc/secure-transport.ts';
import { type IceNetworkEvent, WebRtcSession, type WebRtcSessionHandlers } from '../../server/webrtc/webrtc-session.ts';
import { type ListenInfo, openInRange, openUdp, type PortRange } from './listen-sockets.ts';

/** Most TCP connections of one port at a time. */
const MAX_CONNECTIONS = 20_000;

interface UdpPort {
  readonly info: ListenInfo;
  readonly socket: DatagramSocket;
  readonly routes: TupleTable<IceMember>;
}

interface TcpPort {
  readonly info: ListenInfo;
  readonly listener: TcpListener;
  readonly connections: IceTcpConnections;
}

interface ListedPort {
  readonly info: ListenInfo;
  readonly port: number;
}

/** A candidate with the names of the API. */
export interface HostCandidate {
  readonly foundation: string;
  readonly priority: number;
  readonly ip: string;
  readonly address: string;
  readonly protocol: 'udp' | 'tcp';
  readonly port: number;
  readonly type: 'host';
  readonly tcpType?: 'passive';
}

/** Which candidates a session is to have, and which its peer is to like better. */
export interface CandidateWishes {
  readonly enableUdp: boolean;
  readonly enableTcp: boolean;
  readonly preferUdp: boolean;
  readonly preferTcp: boolean;
}

/** UDP and TCP ports for any number of WebRTC sessions, told apart by address and by username fragment. */
export class IcePorts {
  readonly fragments: UfragTable<IceMember> = new UfragTable();
  readonly #udp: UdpPort[] = [];
  readonly #tcp: TcpPort[] = [];
  /** All of both, as they were listed. */
  readonly #listed: ListedPort[] = [];

  /** @throws RequestError when a port can't be had */
  static async open(infos: readonly ListenInfo[], range: PortRange): Promise<IcePorts> {
    const ports = new IcePorts();
    try {
      for (const info of infos) {
        if (info.protocol === 'udp') await ports.#openUdp(info, range);
        else await ports.#openTcp(info, range);
      }
      return ports;
    } catch (error) {
      ports.close();
      throw error;
    }
  }

  get udpSockets(): readonly { ip: string; port: number }[] {
    return this.#udp.map(({ info: { ip }, socket: { port } }) => ({ ip, port }));
  }

  get tcpServers(): readonly { ip: string; port: number }[] {
    return this.#tcp.map(({ info: { ip }, listener: { port } }) => ({ ip, port }));
  }

  /** What peers are told, the preferred first: as they are listed, but for a protocol that is preferred. */
  candidates({ enableUdp, enableTcp, preferUdp, preferTcp }: CandidateWishes): readonly HostCandidate[] {
    const candidates: HostCandidate[] = [];
    for (const { info, port } of this.#listed) {
      const { protocol, announcedAddress, ip, exposeInternalIp } = info;
      if (!(protocol === 'udp' ? enableUdp : enableTcp)) continue;
      const isBehind = protocol === 'udp' ? preferTcp && !preferUdp : preferUdp;
      const addresses = announcedAddress === undefined ? [ip] : [announcedAddress, ...(exposeInternalIp ? [ip] : [])];
      for (const address of addresses) {
        const localPreference = (isBehind ? 0x7fff : 0xffff) - candidates.length;
        candidates.push({
          foundation: `${protocol}candidate`,
          // Of TCP too: what it is worth beside UDP is said by the list.
          priority: candidatePriority({ type: 'host', transport: 'udp', localPreference }),
          ip: address,
          address,
          protocol,
          port,
          type: 'host',
          ...(protocol === 'tcp' ? ({ tcpType: 'passive' } as const) : {}),
        });
      }
    }
    return candidates.sort((a, b) => b.priority - a.priority);
  }

  /** Ends a connection its session has no use for any more. */
  closePath(path: NetworkPath): void {
    for (const { connections } of this.#tcp) connections.closePath(path);
  }

  /** Forgets whence a session's datagrams come. */
  forget(member: IceMember): void {
    for (const { routes } of this.#udp) routes.removeTransport(member);
  }

  /** Datagrams from there are this session's, or no more. */
  route(path: UdpPath, member: IceMember, isAdded: boolean): void {
    const port = this.#udp.find(({ socket }) => socket.port === path.localPort && socket.address === path.localAddress);
    if (isAdded) port?.routes.addRoute(path.remoteAddress, path.remotePort, member);
    else port?.routes.removeRoute(path.remoteAddress, path.remotePort, member);
  }

  /** Closes the ports; sessions are others' to end. */
  close(): void {
    for (const { socket } of this.#udp) void socket.close();
    for (const { connections, listener } of this.#tcp) {
      connections.close();
      void listener.close();
    }
    this.#listed.length = 0;
    this.#udp.length = 0;
    this.#tcp.length = 0;
  }

  async #openUdp(info: ListenInfo, range: PortRange): Promise<void> {
    const socket = await openUdp(info, range);
    const routes = new TupleTable<IceMember>(this.fragments);
    this.#udp.push({ info, socket, routes });
    this.#listed.push({ info, port: socket.port });
    socket.onPacket = (bytes, start, end, source) => {
      const packet = takenPacket(bytes, start, end);
      routes.find(packet, source.address, source.port)?.receiveDatagram(packet, source, socket);
    };
  }

  async #openTcp(info: ListenInfo, range: PortRange): Promise<void> {
    const connections = new IceTcpConnections((firstPacket) => this.fragments.find(firstPacket));
    const listener = await openInRange(info, range, (port) =>
      TcpListener.listen({
        address: { host: info.ip, port },
        ipv6Only: info.ipv6Only,
        noDelay: true,
        maxConnections: MAX_CONNECTIONS,
        onConnection: (socket) => connections.add(socket),
        onRefused: () => undefined,
        // Of a single connection, before it was handed over: nobody's session is concerned.
        onError: () => undefined,
      }),
    );
    this.#tcp.push({ info, listener, connections });
    this.#listed.push({ info, port: listener.port });
  }
}

/** What a session on shared ports is made of. */
export interface IceMemberOptions extends WebRtcSecurityOptions {
  readonly ports: IcePorts;
  /** Milliseconds; 0: for ever. */
  readonly consentTimeoutMs: number;
  readonly handlers: Omit<WebRtcSessionHandlers<NetworkPath>, 'onNetwork'>;
}

/** One WebRTC session on shared ports. */
export class IceMember implements TcpPeer {
  readonly session: WebRtcSession<NetworkPath>;
  readonly #ports: IcePorts;
  readonly #agent: IceLiteAgent<NetworkPath>;
  readonly #fragments = new Set<string>();
  #parameters: IceParameters;
  #paths: UdpPath[] = [];
  #isClosed = false;

  constructor(options: IceMemberOptions) {
    const { ports, consentTimeoutMs, handlers } = options;
    this.#ports = ports;
    this.#parameters = this.#newParameters();
    this.#agent = new IceLiteAgent({ parameters: this.#parameters, crypto: nodeStunCrypto, consentTimeoutMs });
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

  /** By which its packets are known: after a restart of ICE those from before, too, until the peer uses the new ones. */
  get usernameFragments(): readonly string[] {
    return [...this.#fragments];
  }

  receiveDatagram(
    bytes: Uint8Array,
    source: { readonly address: string; readonly port: number },
    socket: DatagramSocket,
  ): void {
    const known = this.#paths.find(
      (path) => path.remotePort === source.port && path.remoteAddress === source.address && path.socket === socket,
    );
    this.session.receive(bytes, known ?? new UdpPath(socket, source.address, source.port));
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

  restartIce(): IceParameters {
    if (this.#isClosed) return this.#parameters;
    this.#parameters = this.#newParameters();
    this.session.follow(this.#agent.restart(this.#parameters));
    return this.#parameters;
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.session.close();
    for (const fragment of this.#fragments) this.#ports.fragments.remove(fragment, this);
    this.#ports.forget(this);
  }

  #newParameters(): IceParameters {
    let parameters: IceParameters;
    do parameters = { ...makeIceParameters((size) => nodeHandshakeCrypto.randomBytes(size)), iceLite: true };
    while (!this.#ports.fragments.add(parameters.usernameFragment, this));
    this.#fragments.add(parameters.usernameFragment);
    return parameters;
  }

  #follow(event: IceNetworkEvent<NetworkPath>): void {
    switch (event.type) {
      case 'send':
        event.tuple.write(event.bytes);
        break;
      case 'tuple-added':
        if (!(event.tuple instanceof UdpPath)) break;
        this.#paths.push(event.tuple);
        this.#ports.route(event.tuple, this, true);
        break;
      case 'tuple-removed':
        if (event.tuple instanceof UdpPath) {
          this.#paths = this.#paths.filter((path) => path !== event.tuple);
          this.#ports.route(event.tuple, this, false);
        } else {
          this.#ports.closePath(event.tuple);
        }
        break;
      case 'fragment-retired':
        this.#ports.fragments.remove(event.usernameFragment, this);
        this.#fragments.delete(event.usernameFragment);
        break;
      default:
        // A lite agent neither gathers nor connects.
        break;
    }
  }
}
