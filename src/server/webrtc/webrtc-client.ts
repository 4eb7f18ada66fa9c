import type { DatagramSocket } from '../../io/datagram-socket.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { nodeStunCrypto } from '../../io/stun-crypto.ts';
import { TcpListener } from '../../io/tcp-listener.ts';
import { UdpSocket } from '../../io/udp-socket.ts';
import { DISCARD_PORT, type IceCandidate } from '../../protocol/ice/candidate.ts';
import type { IceRole } from '../../protocol/ice/candidate-pair.ts';
import { type IceParameters, makeIceParameters } from '../../protocol/ice/credentials.ts';
import { IceAgent, type IceAgentOptions } from '../../protocol/ice/ice-agent.ts';
import { TCP_CONNECT_TIMEOUT_MS } from '../../protocol/ice/ice-session.ts';
import { type IceTuple, isSameTuple, tupleKey } from '../../protocol/ice/ice-tuple.ts';
import { UfragTable } from '../../protocol/ice/tuple-table.ts';
import { ActiveTcpConnections } from './active-tcp-connections.ts';
import { IceTcpConnections, type TcpPeer } from './ice-tcp-connections.ts';
import { type NetworkPath, UdpPath } from './network-path.ts';
import { createSecureTransport, type WebRtcSecurityOptions } from './secure-transport.ts';
import { type IceNetworkEvent, WebRtcSession, type WebRtcSessionHandlers } from './webrtc-session.ts';

/** Addresses of peers a client remembers how to send to. */
export const MAX_CLIENT_PATHS = 256;
/** Connections from peers a client takes at a time. */
export const MAX_CLIENT_CONNECTIONS = 16;

/** Ways to a client, or from it. */
export type ClientTransport = 'udp' | 'tcp-active' | 'tcp-passive';

export interface WebRtcClientOptions extends WebRtcSecurityOptions {
  /** The offerer controls, unless the peer is lite. */
  readonly role: IceRole;
  /** Addresses of this machine to use. */
  readonly addresses: readonly string[];
  /** UDP alone by default. */
  readonly transports?: readonly ClientTransport[];
  readonly stunServers?: NonNullable<IceAgentOptions['stunServers']>;
  readonly handlers?: Omit<WebRtcSessionHandlers<IceTuple>, 'onNetwork'> & {
    /** A candidate to be told to the peer; the first ones come before `open` resolves. */
    readonly onCandidate?: (candidate: IceCandidate) => void;
    readonly onGathered?: () => void;
  };
}

/**
 * One WebRTC peer that goes out itself: a full agent of ICE with sockets of its own, over UDP and over TCP in both
 * directions.
 */
export class WebRtcClient implements TcpPeer {
  readonly session: WebRtcSession<IceTuple>;
  readonly #options: WebRtcClientOptions;
  readonly #agent: IceAgent;
  readonly #active: ActiveTcpConnections;
  readonly #passive: IceTcpConnections;
  readonly #fragments = new UfragTable<WebRtcClient>();
  readonly #sockets: DatagramSocket[] = [];
  readonly #listeners: TcpListener[] = [];
  /** How to send by a path of the agent, whose objects stay the same. */
  #paths = new WeakMap<IceTuple, NetworkPath>();
  readonly #pathsByKey = new Map<string, NetworkPath>();
  #parameters: IceParameters;
  #candidates: IceCandidate[] = [];
  #isClosed = false;

  private constructor(options: WebRtcClientOptions) {
    this.#options = options;
    this.#parameters = this.#newParameters();
    const { role, stunServers, handlers } = options;
    this.#agent = new IceAgent({
      parameters: this.#parameters,
      role,
      crypto: nodeStunCrypto,
      random: (sizeBytes) => nodeHandshakeCrypto.randomBytes(sizeBytes),
      ...(stunServers === undefined ? {} : { stunServers }),
    });
    this.session = new WebRtcSession<IceTuple>({
      ice: this.#agent,
      secure: createSecureTransport(options),
      clock: nodeClock,
      handlers: { ...handlers, onNetwork: (event) => this.#follow(event) },
    });
    this.#active = new ActiveTcpConnections({
      onConnected: (path) => this.session.follow(this.#agent.connected(path)),
      onPacket: (bytes, path) => this.session.receive(bytes, path),
      onClosed: (path) => this.removePath(path),
    });
    this.#passive = new IceTcpConnections((firstPacket) => this.#fragments.find(firstPacket));
  }

  /** Opens the sockets and begins to gather. @throws ResourceError `datagram/…`, `listen/…` when a port can't be had */
  static async open(options: WebRtcClientOptions): Promise<WebRtcClient> {
    const client = new WebRtcClient(options);
    const transports = options.transports ?? ['udp'];
    try {
      for (const address of options.addresses) {
        if (transports.includes('udp')) await client.#openUdp(address);
        if (transports.includes('tcp-passive')) await client.#listen(address);
        if (transports.includes('tcp-active')) client.#addBase(address, DISCARD_PORT, 'active');
      }
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  get iceParameters(): IceParameters {
    return this.#parameters;
  }

  /** Found so far, to be told to the peer. */
  get candidates(): readonly IceCandidate[] {
    return this.#candidates;
  }

  /**
   * What the peer says about itself; after a restart of either side, `restartIce` comes first.
   * @throws StateError `ice/wrong-state`, `ice/bad-credentials`
   */
  setRemoteIce(parameters: IceParameters): void {
    this.session.follow(this.#agent.setRemoteParameters(parameters, nodeClock.nowMs()));
  }

  addRemoteCandidate(candidate: IceCandidate): void {
    this.session.follow(this.#agent.addRemoteCandidate(candidate));
  }

  endOfRemoteCandidates(): void {
    this.session.follow(this.#agent.endOfRemoteCandidates());
  }

  /** New parameters of ICE and the same candidates, for the peer; the old path is used until there is a new one. */
  restartIce(): IceParameters {
    if (this.#isClosed) return this.#parameters;
    this.#parameters = this.#newParameters();
    this.#candidates = [];
    this.session.follow(this.#agent.restart(this.#parameters));
    return this.#parameters;
  }

  /** Tells the peer and gives the sockets back. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.session.close();
      this.#isClosed = true;
      this.#pathsByKey.clear();
      this.#active.close();
      this.#passive.close();
    }
    await Promise.all([...this.#sockets, ...this.#listeners].map((port) => port.close()));
  }

  receivePacket(bytes: Uint8Array, path: NetworkPath): void {
    const key = tupleKey(path);
    if (this.#pathsByKey.get(key) !== path) this.#remember(key, path);
    this.session.receive(bytes, path);
  }

  isKnown(path: NetworkPath): boolean {
    return this.#agent.isKnown(path);
  }

  removePath(path: IceTuple): void {
    if (this.#isClosed) return;
    this.#pathsByKey.delete(tupleKey(path));
    // Another connection may take its place.
    this.#paths = new WeakMap();
    this.session.follow(this.#agent.disconnected(path));
  }

  #newParameters(): IceParameters {
    const parameters = makeIceParameters((sizeBytes) => nodeHandshakeCrypto.randomBytes(sizeBytes));
    this.#fragments.add(parameters.usernameFragment, this);
    return parameters;
  }

  async #openUdp(host: string): Promise<void> {
    const socket = await UdpSocket.open({ address: { host, port: 0 } });
    this.#sockets.push(socket);
    socket.onMessage = (bytes, { address, port }) => {
      // Nobody can be answered there.
      if (port === 0) return;
      const { address: localAddress, port: localPort } = socket;
      const selected = this.session.selectedTuple;
      const tuple: IceTuple = { protocol: 'udp', localAddress, localPort, remoteAddress: address, remotePort: port };
      this.session.receive(bytes, selected !== undefined && isSameTuple(selected, tuple) ? selected : tuple);
    };
    this.#addBase(socket.address, socket.port);
  }

  async #listen(host: string): Promise<void> {
    const listener = await TcpListener.listen({
      address: { host, port: 0 },
      noDelay: true,
      maxConnections: MAX_CLIENT_CONNECTIONS,
      onConnection: (socket) => this.#passive.add(socket),
      onRefused: () => undefined,
      onError: () => undefined,
    });
    this.#listeners.push(listener);
    this.#addBase(host, listener.port, 'passive');
  }

  #addBase(address: string, port: number, tcpType?: 'active' | 'passive'): void {
    const base = tcpType === undefined ? { protocol: 'udp' as const } : { protocol: 'tcp' as const, tcpType };
    this.session.follow(this.#agent.addBase({ ...base, address, port }));
  }

  #follow(event: IceNetworkEvent<IceTuple>): void {
    switch (event.type) {
      case 'send':
        if (this.#pathOf(event.tuple)?.write(event.bytes) !== true) this.session.dropped.unsent++;
        break;
      case 'connect':
        this.#active.connect(event.tuple, TCP_CONNECT_TIMEOUT_MS);
        break;
      case 'candidate':
        this.#candidates.push(event.candidate);
        this.#options.handlers?.onCandidate?.(event.candidate);
        break;
      case 'gathered':
        this.#options.handlers?.onGathered?.();
        break;
      default:
        // Only agents on shared ports have routes.
        break;
    }
  }

  #pathOf(tuple: IceTuple): NetworkPath | undefined {
    const known = this.#paths.get(tuple);
    if (known !== undefined) return known;
    const path = this.#findPath(tuple);
    if (path !== undefined) this.#paths.set(tuple, path);
    return path;
  }

  #findPath(tuple: IceTuple): NetworkPath | undefined {
    const key = tupleKey(tuple);
    const known = tuple.localPort === DISCARD_PORT ? this.#active.pathOf(tuple) : this.#pathsByKey.get(key);
    if (known !== undefined || tuple.protocol === 'tcp') return known;
    const socket = this.#sockets.find(
      ({ address, port }) => port === tuple.localPort && address === tuple.localAddress,
    );
    if (socket === undefined) return undefined;
    const path = new UdpPath(socket, tuple.remoteAddress, tuple.remotePort);
    this.#remember(key, path);
    return path;
  }

  #remember(key: string, path: NetworkPath): void {
    if (this.#pathsByKey.size >= MAX_CLIENT_PATHS) {
      const [oldest] = this.#pathsByKey.keys();
      this.#pathsByKey.delete(oldest!);
    }
    this.#pathsByKey.set(key, path);
  }
}
