import type { DatagramSocket } from '../../io/datagram-socket.ts';
import type { ListenAddress } from '../../io/listen-address.ts';
import { TcpListener } from '../../io/tcp-listener.ts';
import { TupleTable, UfragTable } from '../../protocol/ice/tuple-table.ts';
import { IceTcpConnections } from './ice-tcp-connections.ts';
import { type NetworkPath, takenPacket, type UdpPath } from './network-path.ts';
import { type MemberPorts, PortMember, type PortSessionOptions } from './port-member.ts';

/** Most TCP connections of one port at a time. */
export const MAX_PORT_CONNECTIONS = 20_000;

interface SharedUdp {
  readonly socket: DatagramSocket;
  readonly routes: TupleTable<PortMember>;
}

interface SharedTcp {
  readonly listener: TcpListener;
  readonly connections: IceTcpConnections;
}

/**
 * UDP sockets and TCP listeners, and the sessions that share them: a packet is whose its address is, else whose the
 * username fragment is that it names.
 */
export class SharedPorts implements MemberPorts {
  readonly fragments: UfragTable<PortMember> = new UfragTable();
  readonly #members = new Set<PortMember>();
  readonly #udp: SharedUdp[] = [];
  readonly #tcp: SharedTcp[] = [];
  #strange = 0;

  /** Sessions that have not ended. */
  get members(): ReadonlySet<PortMember> {
    return this.#members;
  }

  /** What is kept for the sessions: addresses of peers, names they address us by, connections. */
  get tables(): { readonly routes: number; readonly fragments: number; readonly connections: number } {
    return {
      routes: this.#udp.reduce((sum, { routes }) => sum + routes.size, 0),
      fragments: this.fragments.size,
      connections: this.#tcp.reduce((sum, { connections }) => sum + connections.size, 0),
    };
  }

  /** Packets that came and were no session's, and those a socket did not send: no room, or refused by the kernel. */
  get dropped(): { readonly strange: number; readonly unsent: number } {
    return {
      strange: this.#strange,
      unsent: this.#udp.reduce((sum, { socket }) => sum + socket.dropped + socket.failed, 0),
    };
  }

  /** Awaits a peer. Members end themselves. */
  add(options: PortSessionOptions): PortMember {
    const member = new PortMember(this, options);
    this.#members.add(member);
    return member;
  }

  /** The socket's datagrams go to the sessions from now on, and it is closed with the ports. */
  addUdp(socket: DatagramSocket): void {
    const routes = new TupleTable<PortMember>(this.fragments);
    this.#udp.push({ socket, routes });
    socket.onPacket = (bytes, start, end, source) => {
      const packet = takenPacket(bytes, start, end);
      const member = routes.find(packet, source.address, source.port);
      if (member === undefined) this.#strange++;
      else member.receiveDatagram(packet, source, socket);
    };
  }

  /** Takes connections too. @throws ResourceError with a `ListenErrorCode` when the port can't be had */
  async listenTcp(address: ListenAddress, ipv6Only = false): Promise<TcpListener> {
    const connections = new IceTcpConnections((firstPacket) => this.fragments.find(firstPacket));
    const listener = await TcpListener.listen({
      address,
      ipv6Only,
      noDelay: true,
      maxConnections: MAX_PORT_CONNECTIONS,
      onConnection: (socket) => connections.add(socket),
      onRefused: () => undefined,
      // Of a single connection, before it was handed over: nobody's session is concerned.
      onError: () => undefined,
    });
    this.#tcp.push({ listener, connections });
    return listener;
  }

  addRoute(path: UdpPath, member: PortMember): void {
    this.#routesOf(path)?.addRoute(path.remoteAddress, path.remotePort, member);
  }

  removeRoute(path: UdpPath, member: PortMember): void {
    this.#routesOf(path)?.removeRoute(path.remoteAddress, path.remotePort, member);
  }

  closePath(path: NetworkPath): void {
    for (const { connections } of this.#tcp) connections.closePath(path);
  }

  forget(member: PortMember): void {
    for (const { routes } of this.#udp) routes.removeTransport(member);
    this.#members.delete(member);
  }

  /** Closes the ports; sessions are others' to end. */
  async close(): Promise<void> {
    const [udp, tcp] = [this.#udp.splice(0), this.#tcp.splice(0)];
    for (const { connections } of tcp) connections.close();
    await Promise.all([...udp.map(({ socket }) => socket.close()), ...tcp.map(({ listener }) => listener.close())]);
  }

  #routesOf({ socket }: UdpPath): TupleTable<PortMember> | undefined {
    return this.#udp.find((port) => port.socket === socket)?.routes;
  }
}
