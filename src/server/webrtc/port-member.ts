import type { DatagramSocket } from '../../io/datagram-socket.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { nodeStunCrypto } from '../../io/stun-crypto.ts';
import { type IceParameters, makeIceParameters } from '../../protocol/ice/credentials.ts';
import { IceLiteAgent } from '../../protocol/ice/ice-lite-agent.ts';
import type { UfragTable } from '../../protocol/ice/tuple-table.ts';
import type { TcpPeer } from './ice-tcp-connections.ts';
import { type NetworkPath, UdpPath } from './network-path.ts';
import { createSecureTransport, type WebRtcSecurityOptions } from './secure-transport.ts';
import { type IceNetworkEvent, WebRtcSession, type WebRtcSessionHandlers } from './webrtc-session.ts';

/** What a session on shared ports is made of. */
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

/** What a member asks of the ports it shares. */
export interface MemberPorts {
  /** By which members are found while their peers' addresses are not known. */
  readonly fragments: UfragTable<PortMember>;
  /** Datagrams that come by this path are the member's. */
  addRoute(path: UdpPath, member: PortMember): void;
  /** Undoes `addRoute`. */
  removeRoute(path: UdpPath, member: PortMember): void;
  /** Ends a TCP connection its session has no use for any more. */
  closePath(path: NetworkPath): void;
  /** The member has ended: all its routes with it. */
  forget(member: PortMember): void;
}

/** One session on shared ports, and the way its packets come to it. */
export class PortMember implements PortSession, TcpPeer {
  readonly session: WebRtcSession<NetworkPath>;
  readonly #ports: MemberPorts;
  readonly #agent: IceLiteAgent<NetworkPath>;
  readonly #fragments = new Set<string>();
  #parameters: IceParameters;
  /** Datagrams come from there; by these very objects the agent knows them. */
  #paths: UdpPath[] = [];
  #isClosed = false;

  constructor(ports: MemberPorts, options: PortSessionOptions) {
    const { consentTimeoutMs, handlers } = options;
    this.#ports = ports;
    this.#parameters = this.#newParameters();
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

  /** By which its packets are known: after a restart of ICE those from before, too, until the peer uses the new ones. */
  get usernameFragments(): readonly string[] {
    return [...this.#fragments];
  }

  /** A datagram that came to `socket`; media in it is decrypted in place. */
  receiveDatagram(
    bytes: Uint8Array,
    source: { readonly address: string; readonly port: number },
    socket: DatagramSocket,
  ): void {
    for (const path of this.#paths) {
      if (path.remotePort === source.port && path.remoteAddress === source.address && path.socket === socket) {
        this.session.receive(bytes, path);
        return;
      }
    }
    this.session.receive(bytes, new UdpPath(socket, source.address, source.port));
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
        if (!event.tuple.write(event.bytes)) this.session.dropped.unsent++;
        break;
      case 'tuple-added':
        if (!(event.tuple instanceof UdpPath)) break;
        this.#paths.push(event.tuple);
        this.#ports.addRoute(event.tuple, this);
        break;
      case 'tuple-removed':
        if (event.tuple instanceof UdpPath) {
          this.#paths = this.#paths.filter((path) => path !== event.tuple);
          this.#ports.removeRoute(event.tuple, this);
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
