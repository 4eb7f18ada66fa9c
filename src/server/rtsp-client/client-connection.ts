import { nodeAuthenticationCrypto } from '../../io/authentication-crypto.ts';
import { connectError } from '../../io/connect-error.ts';
import type { DatagramSocket } from '../../io/datagram-socket.ts';
import type { ClientSocket } from '../../io/lent-socket.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { connectTcp } from '../../io/tcp-client.ts';
import type { UdpPortPair, UdpPortRange } from '../../io/udp-port-pair.ts';
import type { RtspClientEvent, RtspClientTrack } from '../../protocol/rtsp/client-events.ts';
import { RtspClientSession } from '../../protocol/rtsp/rtsp-client-session.ts';
import { writeInterleavedFrame } from '../../protocol/rtsp/rtsp-message-writer.ts';
import type { RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import type { RtspTransport } from '../../protocol/rtsp/transport-header.ts';
import type { SessionDescription } from '../../protocol/sdp/session-description.ts';
import { toHexadecimal } from '../../wire/hexadecimal.ts';

/** Time for name, TCP and TLS together, and for each answer, milliseconds. */
export const CLIENT_TIMEOUT_MS = 10_000;
/** How often reports, keep-alive and missing packets are looked after, milliseconds. */
const TICK_MS = 50;
/** How long the connection is kept for TEARDOWN, milliseconds. */
const FAREWELL_MS = 500;

export interface ClientConnectionOptions {
  readonly url: RtspUrl;
  readonly lowerTransport: 'udp' | 'tcp';
  /** Whether UDP that does not work ends with `use-tcp`. */
  readonly mayUseTcp: boolean;
  /** Take any certificate. */
  readonly insecure: boolean;
  readonly ports: UdpPortRange;
  /** Ends the connection in good order. */
  readonly signal: AbortSignal;
  /** Whether to ask for the back channel of a camera; see `RtspClientSessionOptions`. */
  readonly wantsBackChannel?: boolean;
  /**
   * Hands out a connection that stands already, to be used instead of a new one.
   * @throws ResourceError when it is gone
   */
  readonly borrow?: (() => ClientSocket) | undefined;
}

/** How a connection ended. `hadMedia`: packets went by it. */
export type ClientOutcome =
  | { readonly type: 'redirect'; readonly url: string }
  | { readonly type: 'use-tcp' }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly error: Error; readonly hadMedia: boolean };

/** What SETUP says of a track beside its ports or channels. */
export interface TrackTerms {
  /** `RTP/AVP`, … */
  readonly profile: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What the connection is for. Tracks are numbered as `choose` gave them. */
export interface ClientRole {
  /** Packets of the stream went by it. */
  readonly hadMedia: boolean;
  /** The tracks to be set up; none ends the connection. */
  choose(tracks: readonly RtspClientTrack[], description: SessionDescription): readonly RtspClientTrack[];
  termsOf(track: number): TrackTerms;
  /** Every track is set up that will be: the session is to be started. */
  begin(nowMs: number): void;
  /** The server has started. */
  started(): void;
  /** A packet for a track; `bytes` are lent. */
  receive(track: number, bytes: Uint8Array, isRtcp: boolean): void;
  /** Twenty times a second. */
  tick(nowMs: number): void;
  /** The signal aborted: has to end with `finish`, soon. */
  stop(): void;
  /** Nothing goes by the connection any more. */
  ended(outcome: ClientOutcome): void;
  /** What it means to the role that there is no track to set up, or that the server ended the session. */
  failure(kind: 'no-tracks' | 'ended', message: string): Error;
}

/** A track that is set up: how the server said, and the ports of its own when it comes by UDP. */
export interface SetUpTrack {
  readonly transport: RtspTransport;
  readonly ports: UdpPortPair | undefined;
}

/** The connection to a server. @throws ResourceError with a `ConnectErrorCode` */
export async function connectToServer(options: ClientConnectionOptions): Promise<ClientSocket> {
  const { url, insecure, signal, borrow } = options;
  if (borrow !== undefined) return borrow();
  const { host, port } = url;
  return connectTcp({ host, port, secure: url.scheme === 'rtsps', insecure, timeoutMs: CLIENT_TIMEOUT_MS, signal });
}

/**
 * One RTSP connection to another server by which one stream is played or published: requests, ports, channels and
 * keep-alive; what goes by them is the affair of its role.
 */
export class ClientConnection {
  readonly outcome: Promise<ClientOutcome>;
  readonly session: RtspClientSession;
  readonly socket: ClientSocket;
  readonly #options: ClientConnectionOptions;
  readonly #role: ClientRole;
  readonly #resolve: (outcome: ClientOutcome) => void;
  #stopTicking: () => void = () => undefined;
  readonly #onAbort = (): void => this.#role.stop();
  #tracks: readonly RtspClientTrack[] = [];
  /** Tracks of which SETUP was not answered yet. */
  #asked: RtspClientTrack[] = [];
  readonly #pairs = new Map<RtspClientTrack, UdpPortPair>();
  readonly #ready = new Map<number, SetUpTrack>();
  /** Twice the track's number, and one more for RTCP, by channel. */
  readonly #channels = new Map<number, number>();
  #heardMs: number;
  #leaving: ClientOutcome | undefined;
  #isOver = false;

  /** @param announcement what is published; without it the stream is played */
  constructor(
    socket: ClientSocket,
    options: ClientConnectionOptions,
    role: ClientRole,
    announcement?: SessionDescription,
  ) {
    this.socket = socket;
    this.#options = options;
    this.#role = role;
    const { promise, resolve } = Promise.withResolvers<ClientOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    this.#heardMs = nodeClock.nowMs();
    this.session = new RtspClientSession({
      url: options.url,
      crypto: nodeAuthenticationCrypto,
      cnonce: toHexadecimal(nodeHandshakeCrypto.randomBytes(16)),
      responseTimeoutMs: CLIENT_TIMEOUT_MS,
      wantsBackChannel: options.wantsBackChannel ?? false,
      ...(announcement === undefined ? {} : { announcement }),
    });
  }

  /** When something of the server came last, by whatever way. */
  get heardMs(): number {
    return this.#heardMs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Tracks that are set up, by number. */
  get ready(): ReadonlyMap<number, SetUpTrack> {
    return this.#ready;
  }

  /** Sends the first request. Once, when the role can be told of things. */
  start(): void {
    const { socket } = this;
    socket.on('data', (bytes: Uint8Array) => {
      this.#heardMs = nodeClock.nowMs();
      this.perform(this.session.receive(bytes, this.#heardMs));
    });
    socket.on('error', (cause) => this.fail(connectError('connect/lost', `the connection broke: ${cause.message}`)));
    socket.on('close', () => this.fail(connectError('connect/lost', 'the server closed the connection')));
    // By then what has come meanwhile was read: a server that has sent everything and left refuses what a tick writes, which
    // ends the connection with all that was not.
    this.#stopTicking = nodeClock.every(TICK_MS, () => setImmediate(() => this.#tick()));
    this.#options.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.perform(this.session.start(nodeClock.nowMs()));
    if (this.#options.signal.aborted) this.#role.stop();
  }

  /** Does what the session says. */
  perform(events: readonly RtspClientEvent[]): void {
    for (const event of events) {
      if (this.#isOver) return;
      this.#handle(event);
    }
  }

  /** Sends a packet of ours beside those of a track; nothing happens when the server named no port for it. */
  send(track: number, bytes: Uint8Array, isRtcp: boolean): void {
    const ready = this.#ready.get(track);
    if (ready === undefined || bytes.length === 0 || this.#isOver) return;
    const { ports, transport } = ready;
    if (ports !== undefined) {
      const { rtp, rtcp } = serverPortsOf(transport);
      this.#sendDatagram(isRtcp ? ports.rtcp : ports.rtp, bytes, isRtcp ? rtcp : rtp);
      return;
    }
    const channels = this.channelsOf(track, transport);
    this.socket.write(writeInterleavedFrame(isRtcp ? channels.rtcp : channels.rtp, bytes));
  }

  /** Channels of a track that is interleaved. */
  channelsOf(track: number, { interleaved }: RtspTransport): { readonly rtp: number; readonly rtcp: number } {
    const rtp = interleaved?.first ?? 2 * track;
    return { rtp, rtcp: interleaved?.last ?? rtp + 1 };
  }

  fail(error: Error): void {
    this.finish({ type: 'failed', error, hadMedia: this.#role.hadMedia });
  }

  /** Ends the session, and the connection when the server has said so: it has then taken what was sent before. */
  leave(outcome: ClientOutcome): void {
    if (this.#isOver || this.#leaving !== undefined) return;
    this.#leaving = outcome;
    this.perform(this.session.teardown(nodeClock.nowMs()));
  }

  /** Ends session and connection. The first outcome stands. */
  finish(last: ClientOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const outcome = this.#leaving ?? last;
    this.#stopTicking();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#role.ended(outcome);
    const { socket } = this;
    // Some servers send by UDP until the session's timeout unless they are told.
    for (const event of this.session.teardown(nodeClock.nowMs())) {
      if (event.type === 'send' && socket.writable) socket.write(event.bytes);
    }
    socket.end();
    nodeClock.after(FAREWELL_MS, () => socket.destroy());
    void Promise.all([...this.#pairs.values()].map((pair) => pair.close())).then(() => this.#resolve(outcome));
  }

  #handle(event: RtspClientEvent): void {
    switch (event.type) {
      case 'send':
        this.socket.write(event.bytes);
        break;
      case 'described':
        void this.#setUpAll(event.tracks, event.description);
        break;
      case 'track-ready':
        this.#takeTrack(event.track, event.transport);
        break;
      case 'track-refused':
        this.#goOnWithout(event.track, event.statusCode, event.reason);
        break;
      case 'ready':
        this.#role.begin(nodeClock.nowMs());
        break;
      case 'playing':
      case 'recording':
        this.#role.started();
        break;
      case 'interleaved':
        this.#receiveInterleaved(event.channel, event.payload);
        break;
      case 'redirect':
        this.finish({ type: 'redirect', url: event.url });
        break;
      case 'ended':
        this.fail(this.#role.failure('ended', 'the server ended the session'));
        break;
      case 'failed':
        this.fail(event.error);
        break;
      case 'paused':
      case 'refused':
      case 'notified':
        break;
      default:
        event satisfies never;
    }
  }

  async #setUpAll(described: readonly RtspClientTrack[], description: SessionDescription): Promise<void> {
    this.#tracks = this.#role.choose(described, description);
    if (this.#tracks.length === 0) {
      this.fail(this.#role.failure('no-tracks', 'the server has no track that can be carried'));
      return;
    }
    if (this.#options.lowerTransport === 'udp') {
      try {
        for (const track of this.#tracks) {
          const pair = await this.#options.ports.open();
          if (this.#isOver) {
            await pair.close();
            return;
          }
          this.#pairs.set(track, pair);
        }
      } catch (error) {
        this.fail(error as Error);
        return;
      }
    }
    this.#setUp([...this.#tracks]);
  }

  #setUp(tracks: RtspClientTrack[]): void {
    this.#asked = tracks;
    const setups = tracks.map((track) => {
      const { profile, headers } = this.#role.termsOf(this.#numberOf(track));
      return { track, transports: [this.#transportOf(track, profile)], headers };
    });
    this.perform(this.session.setUp(setups, nodeClock.nowMs()));
  }

  #transportOf(track: RtspClientTrack, profile: string): RtspTransport {
    const pair = this.#pairs.get(track);
    if (pair !== undefined) {
      return { profile, delivery: 'unicast', clientPort: { first: pair.rtp.port, last: pair.rtcp.port } };
    }
    const first = 2 * this.#numberOf(track);
    return { profile, lowerTransport: 'TCP', delivery: 'unicast', interleaved: { first, last: first + 1 } };
  }

  #numberOf(track: RtspClientTrack): number {
    return this.#tracks.indexOf(track);
  }

  #takeTrack(track: RtspClientTrack, transport: RtspTransport): void {
    this.#asked.shift();
    const number = this.#numberOf(track);
    const ports = this.#pairs.get(track);
    this.#ready.set(number, { transport, ports });
    if (ports === undefined) {
      const { rtp, rtcp } = this.channelsOf(number, transport);
      this.#channels.set(rtp, 2 * number);
      this.#channels.set(rtcp, 2 * number + 1);
      return;
    }
    ports.rtp.onMessage = (bytes, source) => this.#receiveDatagram(number, bytes, source.address, false);
    ports.rtcp.onMessage = (bytes, source) => this.#receiveDatagram(number, bytes, source.address, true);
  }

  #receiveDatagram(track: number, bytes: Uint8Array, address: string, isRtcp: boolean): void {
    if (!this.#isPeer(address, this.#ready.get(track)!.transport) || this.#isOver) return;
    this.#heardMs = nodeClock.nowMs();
    this.#role.receive(track, bytes, isRtcp);
  }

  /** Anybody may send to an open port. */
  #isPeer(address: string, transport: RtspTransport): boolean {
    const plain = withoutMapping(address);
    return plain === withoutMapping(this.socket.remoteAddress ?? '') || plain === transport.source;
  }

  #goOnWithout(track: RtspClientTrack, statusCode: number, reason: string): void {
    if (statusCode === 461 && this.#options.mayUseTcp) {
      this.finish({ type: 'use-tcp' });
      return;
    }
    const rest = this.#asked.filter((one) => one !== track);
    if (rest.length > 0) this.#setUp(rest);
    else if (this.#ready.size > 0) this.#role.begin(nodeClock.nowMs());
    else this.fail(this.#role.failure('no-tracks', `the server refused every track: ${statusCode} ${reason}`));
  }

  #receiveInterleaved(channel: number, payload: Uint8Array): void {
    const place = this.#channels.get(channel);
    if (place !== undefined) this.#role.receive(place >> 1, payload, (place & 1) === 1);
  }

  #sendDatagram(socket: DatagramSocket, bytes: Uint8Array, port: number): void {
    const address = this.socket.remoteAddress;
    if (address !== undefined && port > 0) socket.send(bytes, socket.target(address, port));
  }

  #tick(): void {
    if (this.#isOver) return;
    const nowMs = nodeClock.nowMs();
    this.perform(this.session.handleTimeout(nowMs));
    if (!this.#isOver) this.#role.tick(nowMs);
  }
}

/** Ports of the server for one track; 0 where it named none. */
export function serverPortsOf({ serverPort }: RtspTransport): { readonly rtp: number; readonly rtcp: number } {
  if (serverPort === undefined) return { rtp: 0, rtcp: 0 };
  return { rtp: serverPort.first, rtcp: serverPort.last ?? serverPort.first + 1 };
}

/** IPv4 as sockets of both families name it. */
function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
