import { candidatePriority } from '../../protocol/ice/candidate.ts';
import type { PortMember, PortSessionOptions } from '../../server/webrtc/port-member.ts';
import { SharedPorts } from '../../server/webrtc/shared-ports.ts';
import { type ListenInfo, openInRange, openUdp, type PortRange } from './listen-sockets.ts';

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
  readonly #ports = new SharedPorts();
  /** As they were asked for. */
  readonly #listed: ListedPort[] = [];

  /** @throws RequestError when a port can't be had */
  static async open(infos: readonly ListenInfo[], range: PortRange): Promise<IcePorts> {
    const ports = new IcePorts();
    try {
      for (const info of infos) ports.#listed.push({ info, port: await ports.#listen(info, range) });
      return ports;
    } catch (error) {
      ports.close();
      throw error;
    }
  }

  get udpSockets(): readonly { ip: string; port: number }[] {
    return this.#listening('udp');
  }

  get tcpServers(): readonly { ip: string; port: number }[] {
    return this.#listening('tcp');
  }

  /** Packets that came and are nobody's, and those the sockets could not send. */
  get dropped(): { readonly foreign: number; readonly overflowed: number } {
    const { strange, unsent } = this.#ports.dropped;
    return { foreign: strange, overflowed: unsent };
  }

  /** Awaits a peer; the session ends itself. */
  add(options: PortSessionOptions): PortMember {
    return this.#ports.add(options);
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

  /** Closes the ports; sessions are others' to end. */
  close(): void {
    this.#listed.length = 0;
    // Nobody waits for the ports to be free.
    void this.#ports.close();
  }

  #listening(protocol: 'udp' | 'tcp'): readonly { ip: string; port: number }[] {
    return this.#listed
      .filter(({ info }) => info.protocol === protocol)
      .map(({ info: { ip }, port }) => ({ ip, port }));
  }

  /** @returns the port */
  async #listen(info: ListenInfo, range: PortRange): Promise<number> {
    if (info.protocol === 'udp') {
      const socket = await openUdp(info, range);
      this.#ports.addUdp(socket);
      return socket.port;
    }
    const { ip: host, ipv6Only } = info;
    const listener = await openInRange(info, range, (port) => this.#ports.listenTcp({ host, port }, ipv6Only));
    return listener.port;
  }
}
