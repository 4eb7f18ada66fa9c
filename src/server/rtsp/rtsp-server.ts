import { nodeAuthenticationCrypto } from '../../io/authentication-crypto.ts';
import type { UpgradeSocket } from '../../io/http-listener.ts';
import { commonHost, type ListenAddress } from '../../io/listen-address.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto, random32 } from '../../io/node-crypto.ts';
import { type UpgradeRequest, WebSocketStreamAcceptor } from '../../io/web-socket-stream.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import type { RtspRequest } from '../../protocol/rtsp/rtsp-message.ts';
import { ResourceError } from '../../wire/errors.ts';
import type { RtspConfiguration, RtspsConfiguration } from '../config/configuration.ts';
import type { AdoptOptions } from '../delegate/delegate-server.ts';
import { type RtspDelegate, RtspDelegateServer } from '../delegate/rtsp-delegate-server.ts';
import type { DelegateServerCounters, TlsCertificate } from '../delegate/server-delegate.ts';
import { type Logger, sessionLogger } from '../log/logger.ts';
import type { ProxiedStreams } from '../rtsp-client/proxied-streams.ts';
import { AccessControl } from './access-control.ts';
import { ClientSessions } from './client-sessions.ts';
import { DatagramPacer } from './datagram-pacer.ts';
import { HttpTunnels } from './http-tunnels.ts';
import { IngestSessions, ingestName } from './ingest/ingest-sessions.ts';
import { LiveSessions } from './live-sessions.ts';
import type { MediaSession } from './media-session.ts';
import { MediaSessionRegistry } from './media-session-registry.ts';
import type { MulticastGroup } from './multicast-group.ts';
import { MulticastGroups } from './multicast-groups.ts';
import { Registrations } from './registration/registrations.ts';
import { answer, type HandledAnswer } from './rtsp-answers.ts';
import { RtspConnection } from './rtsp-connection.ts';
import { RtspRequestHandler } from './rtsp-request-handler.ts';
import { UdpPorts } from './udp-ports.ts';
import { FileSessions } from './vod/file-sessions.ts';

/** Where users are asked for passwords. */
const REALM = 'Millrace';

/** What RTSP in a WebSocket is called (ONVIF Streaming Specification §5.1.4). */
export const WEB_SOCKET_PROTOCOL = 'rtsp.onvif.org';

/** Connections, sessions, and what limits stopped; all but the first two only grow. */
export interface RtspServerCounters extends Readonly<DelegateServerCounters> {
  /** Open connections. */
  readonly connections: number;
  /** RTSP sessions now. */
  readonly sessions: number;
  /** RTSP sessions made so far. */
  readonly sessionsMade: number;
}

export interface RtspServerOptions {
  readonly hub: StreamHub;
  readonly log: Logger;
  readonly configuration: RtspConfiguration;
  /** RTSPS: PEM texts and where to listen. */
  readonly tls?: Pick<RtspsConfiguration, 'listen'> & TlsCertificate;
  /** The virtual host a name asked for stands for. */
  readonly resolveVhost: (asked: string | undefined) => string;
  /** A player of a file that takes nothing for this long is gone, milliseconds. */
  readonly stallTimeoutMs: number;
  /** Told in the Server header. */
  readonly version: string;
  /** Pulls what is registered; without it nothing can be. */
  readonly proxied?: ProxiedStreams;
}

/** The RTSP and RTSPS ports: the streams of the hub for RTSP players and publishers. */
export class RtspServer {
  readonly registry: MediaSessionRegistry;
  readonly #options: RtspServerOptions;
  readonly #sessions: ClientSessions;
  /** The streams of the hub, as RTSP sends them. */
  readonly live: LiveSessions;
  readonly #handler: RtspRequestHandler;
  readonly #udp: UdpPorts | undefined;
  readonly #multicast: MulticastGroups | undefined;
  readonly #pacer = new DatagramPacer(nodeClock);
  readonly #connections = new Map<number, RtspConnection>();
  readonly #webSockets = new WebSocketStreamAcceptor(WEB_SOCKET_PROTOCOL);
  #tunnels: HttpTunnels | undefined;
  #server: RtspDelegateServer | undefined;
  #plainPorts = 0;

  private constructor(options: RtspServerOptions, files: FileSessions | undefined, registry: MediaSessionRegistry) {
    this.#options = options;
    this.registry = registry;
    const { configuration, hub, log } = options;
    this.#udp = configuration.udp
      ? new UdpPorts({
          host: commonHost(listenAddresses(options).map(({ address }) => address)),
          firstPort: configuration.udp_ports.first,
          lastPort: configuration.udp_ports.last,
          shared: configuration.udp_shared,
        })
      : undefined;
    this.#multicast = configuration.multicast
      ? new MulticastGroups({
          firstAddress: configuration.multicast_addresses.first,
          lastAddress: configuration.multicast_addresses.last,
          firstPort: configuration.multicast_port,
          timeToLive: configuration.multicast_ttl,
          networkInterface: configuration.multicast_interface,
          pacer: this.#pacer,
          clock: nodeClock,
          isReferenced: (session) => this.registry.isReferenced(session),
        })
      : undefined;
    const multicastGroupOf = async (session: MediaSession): Promise<MulticastGroup | undefined> =>
      session.isSameForAll === true ? this.#multicast?.groupOf(session) : undefined;
    this.#sessions = new ClientSessions({
      clock: nodeClock,
      log,
      maxSessions: configuration.max_sessions,
      services: {
        registry: this.registry,
        udp: this.#udp,
        pacer: this.#pacer,
        clock: nodeClock,
        multicastGroupOf,
        timeoutMs: configuration.timeout * 1000,
      },
    });
    this.live = new LiveSessions({
      hub,
      clock: nodeClock,
      registry: this.registry,
      resolveVhost: options.resolveVhost,
      waitMs: configuration.wait * 1000,
      maxPacketBytes: configuration.packet_size,
      random32,
    });
    const registrations = openRegistrations(options);
    const registered = registrations === undefined ? [] : [registrations.asSource(this.live)];
    this.#handler = new RtspRequestHandler({
      sessions: this.#sessions,
      sources: [this.live, ...registered, ...(files === undefined ? [] : [files])],
      registrations,
      access: new AccessControl({
        realm: REALM,
        users: configuration.users,
        methods: configuration.auth_methods,
        crypto: nodeAuthenticationCrypto,
        nonceSecret: Buffer.from(nodeHandshakeCrypto.randomBytes(16)).toString('hex'),
      }),
      ingest: new IngestSessions({
        hub,
        clock: nodeClock,
        registry: this.registry,
        resolveVhost: options.resolveVhost,
        random32,
      }),
      multicastGroupOf,
      nowMs: Date.now,
    });
  }

  /** @throws ResourceError when a port, the certificate or the directory of files can't be used */
  static async start(options: RtspServerOptions): Promise<RtspServer> {
    const registry = new MediaSessionRegistry();
    const server = new RtspServer(options, await openFiles(options, registry), registry);
    try {
      await server.#listen();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** The RTSP ports in use, in the order of `listen`. */
  get ports(): number[] {
    return this.#server?.ports.slice(0, this.#plainPorts) ?? [];
  }

  /** The RTSPS ports in use. */
  get tlsPorts(): number[] {
    return this.#server?.ports.slice(this.#plainPorts) ?? [];
  }

  get counters(): RtspServerCounters {
    return {
      ...this.#server!.counters,
      connections: this.#connections.size,
      sessions: this.#sessions.size,
      sessionsMade: this.#sessions.made,
    };
  }

  /** Throws everybody off who plays or records what is called so; the name stays. */
  closeAllClientSessions(name: string): void {
    this.registry.closeAllClientSessions(name);
    this.registry.closeAllClientSessions(ingestName(name));
  }

  /** Ends every session and closes the ports. Idempotent. */
  async close(): Promise<void> {
    this.#sessions.close();
    this.live.close();
    this.#pacer.close();
    await Promise.all([this.#server?.close(), this.#udp?.close(), this.#multicast?.close()]);
  }

  async #listen(): Promise<void> {
    const { configuration, version, log } = this.#options;
    const [first, ...others] = listenAddresses(this.#options);
    if (first === undefined) return;
    this.#server = await RtspDelegateServer.listen({
      address: first.address,
      ...(first.tls === undefined ? {} : { tls: first.tls }),
      maxConnections: configuration.max_connections,
      headerTimeoutMs: configuration.header_timeout * 1000,
      serverName: `Millrace/${version}`,
      delegate: this.#delegate(),
      onError: (error, connectionId) =>
        log.error({ err: error, connection: connectionId }, 'an RTSP connection ended by a fault in the server'),
    });
    this.#tunnels = new HttpTunnels(this.#server);
    for (const { address, tls: certificate } of others) await this.#server.listenAlso(address, certificate);
    this.#plainPorts = configuration.enabled ? configuration.listen.length : 0;
  }

  /** Takes a WebSocket upgrade that came to another port. The socket is the server's from here on. */
  adoptWebSocket(request: UpgradeRequest, socket: UpgradeSocket, head: Uint8Array, options: AdoptOptions): void {
    this.#webSockets.accept(request, socket, head, (stream) => {
      const id = this.#server!.adopt(stream, options);
      const connection = id === false ? undefined : this.#connections.get(id);
      if (connection !== undefined) connection.isTunnelled = true;
    });
  }

  /** Takes a connection of another port that turned out to be part of a tunnel; nothing was read of it. */
  adopt(socket: UpgradeSocket, options: AdoptOptions): void {
    this.#server!.adopt(socket, options);
  }

  #handleHttp(connection: RtspConnection, request: RtspRequest): void {
    const { id, remote, local, isSecure: secure } = connection;
    if (!request.headers.has('Upgrade')) {
      connection.isTunnelled = this.#tunnels!.handle(id, request);
      return;
    }
    const taken = this.#server!.takeSocket(id);
    if (taken === undefined) return;
    const asked = { method: request.method, headers: headerRecord(request.headers) };
    this.adoptWebSocket(asked, taken.socket, taken.head, { remote, local, secure });
  }

  #delegate(): RtspDelegate {
    return {
      onConnect: (id) => this.#connected(id),
      onRequest: (id, request) => this.#handle(id, request),
      onResponse: (id, response) => this.#connections.get(id)?.peerInput?.takeResponse(response),
      onInterleaved: (id, channel, payload) => this.#connections.get(id)?.receive(channel, payload),
      onDrain: (id) => this.#connections.get(id)?.drained(),
      onClose: (id) => {
        const connection = this.#connections.get(id);
        this.#connections.delete(id);
        connection?.ended();
        this.#tunnels?.ended(id);
      },
    };
  }

  #connected(id: number): void {
    const server = this.#server!;
    const [remote, local] = [server.remote(id)!, server.local(id)!];
    const isSecure = server.isSecure(id);
    const log = sessionLogger(this.#options.log, {
      protocol: isSecure ? 'rtsps' : 'rtsp',
      remote: `${remote.address}:${remote.port}`,
    });
    const connection = new RtspConnection({
      id,
      remote,
      local,
      isSecure,
      isTunnelled: false,
      log,
      output: {
        send: (bytes) => server.sendRaw(id, bytes),
        get bufferedBytes() {
          return server.bufferedBytes(id);
        },
        abort: () => server.close(id),
      },
    });
    this.#connections.set(id, connection);
    log.debug('connection opened');
  }

  async #handle(id: number, request: RtspRequest): Promise<void> {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    if (request.protocol === 'HTTP') {
      this.#handleHttp(connection, request);
      return;
    }
    let answered: HandledAnswer;
    try {
      answered = await this.#handler.handle(connection, request);
    } catch (error) {
      if (error instanceof ResourceError) {
        connection.log.warn({ err: error, method: request.method }, 'a request needs what the server has not');
        answered = answer(503);
      } else {
        connection.log.error({ err: error, method: request.method }, 'a request failed by a fault in the server');
        answered = answer(500);
      }
    }
    const { method, url } = request;
    connection.log.debug({ method, url: loggedUrl(url), status: answered.statusCode }, 'request');
    // What was done is done, also when nobody is there any more to be told.
    if (this.#server!.isOpen(id)) this.#server!.send(id, answered);
    answered.afterwards?.();
    if (answered.closes === true || request.headers.get('Connection')?.toLowerCase() === 'close') {
      this.#server!.closeAfterFlush(id);
    }
  }
}

/** RTSP first, then RTSPS. */
function listenAddresses({ configuration, tls }: RtspServerOptions): {
  readonly address: ListenAddress;
  readonly tls: TlsCertificate | undefined;
}[] {
  const plain = configuration.enabled ? configuration.listen.map((address) => ({ address, tls: undefined })) : [];
  return [...plain, ...(tls?.listen ?? []).map((address) => ({ address, tls }))];
}

/** Name and value of each header, the name in lower case; several of one name as one list. */
function headerRecord(headers: Iterable<readonly [string, string]>): Record<string, string> {
  const record: Record<string, string> = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    record[key] = record[key] === undefined ? value : `${record[key]}, ${value}`;
  }
  return record;
}

/** Without what may be a password or token. */
function loggedUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, '$1').split('?', 1)[0]!;
}

function openRegistrations({ configuration, proxied }: RtspServerOptions): Registrations | undefined {
  if (proxied === undefined || !configuration.register.enabled) return undefined;
  return new Registrations({ configuration: configuration.register, streams: proxied });
}

async function openFiles(
  { configuration, log, stallTimeoutMs }: RtspServerOptions,
  registry: MediaSessionRegistry,
): Promise<FileSessions | undefined> {
  const { files, files_index, packet_size } = configuration;
  if (files === undefined) return undefined;
  return FileSessions.open({
    directory: files,
    indexDirectory: files_index,
    registry,
    clock: nodeClock,
    log,
    random32,
    maxPacketBytes: packet_size,
    stallTimeoutMs,
  });
}
