import type { ListenAddress } from '../../io/listen-address.ts';
import { UdpSocket } from '../../io/udp-socket.ts';
import { candidatePriority, type IceCandidate } from '../../protocol/ice/candidate.ts';
import type { PortSession, PortSessionOptions } from './port-member.ts';
import { SharedPorts } from './shared-ports.ts';

/** Most sessions of one port. */
export const MAX_PORT_SESSIONS = 20_000;

export interface WebRtcPortOptions {
  /** An address of this machine, not every address: peers are told of it. At least one of both. */
  readonly udp?: ListenAddress;
  readonly tcp?: ListenAddress;
  /** What peers are told instead of the address listened on, behind a translator. */
  readonly announcedAddress?: string;
}

/** Any number of WebRTC peers on one UDP and one TCP port: told apart by where they come from and how they are addressed. */
export class WebRtcPort {
  readonly #options: WebRtcPortOptions;
  readonly #ports = new SharedPorts();
  #udpPort: number | undefined;
  #tcpPort: number | undefined;
  #isClosed = false;

  private constructor(options: WebRtcPortOptions) {
    this.#options = options;
  }

  /** @throws ResourceError `datagram/…`, `listen/…` when a port can't be had */
  static async listen(options: WebRtcPortOptions): Promise<WebRtcPort> {
    const port = new WebRtcPort(options);
    try {
      if (options.udp !== undefined) await port.#listenUdp(options.udp);
      if (options.tcp !== undefined) port.#tcpPort = (await port.#ports.listenTcp(options.tcp)).port;
      return port;
    } catch (error) {
      await port.close();
      throw error;
    }
  }

  get udpPort(): number | undefined {
    return this.#udpPort;
  }

  get tcpPort(): number | undefined {
    return this.#tcpPort;
  }

  get sessions(): number {
    return this.#ports.members.size;
  }

  /** What is kept for the sessions: addresses of peers, names they address us by, connections. */
  get tables(): { readonly routes: number; readonly fragments: number; readonly connections: number } {
    return this.#ports.tables;
  }

  /** Packets that came and were no session's, and those the socket did not send: no room, or refused by the kernel. */
  get dropped(): { readonly strange: number; readonly unsent: number } {
    return this.#ports.dropped;
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
    if (this.#isClosed || this.sessions >= MAX_PORT_SESSIONS) return undefined;
    return this.#ports.add(options);
  }

  /** Ends every session and both ports. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const member of this.#ports.members) member.close();
    this.#udpPort = undefined;
    this.#tcpPort = undefined;
    await this.#ports.close();
  }

  async #listenUdp(address: ListenAddress): Promise<void> {
    const socket = await UdpSocket.open({ address });
    this.#ports.addUdp(socket);
    this.#udpPort = socket.port;
  }
}
