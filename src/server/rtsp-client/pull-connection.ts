import { nodeAuthenticationCrypto } from '../../io/authentication-crypto.ts';
import { connectError } from '../../io/connect-error.ts';
import type { DatagramSocket } from '../../io/datagram-socket.ts';
import type { ClientSocket } from '../../io/lent-socket.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { connectTcp } from '../../io/tcp-client.ts';
import type { UdpPortPair, UdpPortRange } from '../../io/udp-port-pair.ts';
import type { Publication, PublicationEnd } from '../../media/publication.ts';
import { RtpIngest } from '../../media/rtp-ingest.ts';
import type { RtspClientEvent, RtspClientTrack } from '../../protocol/rtsp/client-events.ts';
import { RtspClientSession } from '../../protocol/rtsp/rtsp-client-session.ts';
import type { RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import type { RtspTransport } from '../../protocol/rtsp/transport-header.ts';
import type { SessionDescription } from '../../protocol/sdp/session-description.ts';
import { pullError } from './pull-error.ts';
import { PullSrtp } from './pull-srtp.ts';
import { type PullTrack, pullTracksOf } from './pull-tracks.ts';

/** Time for name, TCP and TLS together, and for each answer, milliseconds. */
export const PULL_TIMEOUT_MS = 10_000;
/** How long the first packet may take before UDP is taken for blocked, when TCP may be tried, milliseconds. */
export const UDP_SILENCE_MS = 4_000;
/** How long it may take otherwise, milliseconds. */
export const FIRST_PACKET_MS = 15_000;
/** How often reports, keep-alive and missing packets are looked after, milliseconds. */
const TICK_MS = 50;
/** How long the connection is kept for TEARDOWN, milliseconds. */
const FAREWELL_MS = 500;
/** An RTP header without payload: opens the way through address translators for what comes back. */
const HOLE_PUNCH: Uint8Array = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

export interface PullConnectionOptions {
  readonly url: RtspUrl;
  readonly lowerTransport: 'udp' | 'tcp';
  /** Whether UDP that does not work ends with `use-tcp`. */
  readonly mayUseTcp: boolean;
  /** Take any certificate. */
  readonly insecure: boolean;
  readonly ports: UdpPortRange;
  /**
   * Called with the first packet.
   * @throws ResourceError when the stream has a publisher already
   */
  readonly publish: (remote: string, onEnded: (end: PublicationEnd) => void) => Publication;
  /** Ends the connection in good order. */
  readonly signal: AbortSignal;
  /**
   * Hands out a connection that stands already, to be used instead of a new one.
   * @throws ResourceError when it is gone
   */
  readonly borrow?: (() => ClientSocket) | undefined;
}

/** How a connection ended. `hadMedia`: packets came by it. */
export type PullOutcome =
  | { readonly type: 'redirect'; readonly url: string }
  | { readonly type: 'use-tcp' }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly error: Error; readonly hadMedia: boolean };

/** Where packets of one track go that is set up. */
interface ReadyTrack {
  readonly transport: RtspTransport;
  readonly ports: UdpPortPair | undefined;
}

/**
 * Plays one stream of another server by one connection and publishes it here, until either side ends it. Never rejects.
 */
export async function pullOnce(options: PullConnectionOptions): Promise<PullOutcome> {
  const { signal } = options;
  let socket: ClientSocket;
  try {
    socket = options.borrow?.() ?? (await connect(options));
  } catch (error) {
    return signal.aborted ? { type: 'closed' } : { type: 'failed', error: error as Error, hadMedia: false };
  }
  return new PullConnection(socket, options).outcome;
}

function connect({ url, insecure, signal }: PullConnectionOptions): Promise<ClientSocket> {
  const { host, port } = url;
  const secure = url.scheme === 'rtsps';
  return connectTcp({ host, port, secure, insecure, timeoutMs: PULL_TIMEOUT_MS, signal });
}

class PullConnection {
  readonly outcome: Promise<PullOutcome>;
  readonly #options: PullConnectionOptions;
  readonly #socket: ClientSocket;
  readonly #session: RtspClientSession;
  readonly #resolve: (outcome: PullOutcome) => void;
  readonly #stopTicking: () => void;
  readonly #onAbort = (): void => this.#close();
  /** Those that can be carried, in the order of the ingest. */
  #tracks: readonly PullTrack[] = [];
  #srtp = new PullSrtp([]);
  /** Tracks of which SETUP was not answered yet. */
  #asked: PullTrack[] = [];
  readonly #pairs = new Map<RtspClientTrack, UdpPortPair>();
  readonly #ready = new Map<number, ReadyTrack>();
  /** Twice the track's number, and one more for RTCP, by channel. */
  readonly #channels = new Map<number, number>();
  #ingest: RtpIngest | undefined;
  #publication: Publication | undefined;
  #silentAtMs: number | undefined;
  #isOver = false;

  constructor(socket: ClientSocket, options: PullConnectionOptions) {
    this.#options = options;
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<PullOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    this.#session = new RtspClientSession({
      url: options.url,
      crypto: nodeAuthenticationCrypto,
      cnonce: toHex(nodeHandshakeCrypto.randomBytes(16)),
      responseTimeoutMs: PULL_TIMEOUT_MS,
    });
    socket.on('data', (bytes: Uint8Array) => this.#perform(this.#session.receive(bytes, nodeClock.nowMs())));
    socket.on('error', (cause) => this.#fail(connectError('connect/lost', `the connection broke: ${cause.message}`)));
    socket.on('close', () => this.#fail(connectError('connect/lost', 'the server closed the connection')));
    this.#stopTicking = nodeClock.every(TICK_MS, () => this.#tick());
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#perform(this.#session.start(nodeClock.nowMs()));
    if (options.signal.aborted) this.#close();
  }

  #perform(events: readonly RtspClientEvent[]): void {
    for (const event of events) {
      if (this.#isOver) return;
      this.#handle(event);
    }
  }

  #handle(event: RtspClientEvent): void {
    switch (event.type) {
      case 'send':
        this.#socket.write(event.bytes);
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
        this.#play();
        break;
      case 'playing':
        this.#punchHoles();
        break;
      case 'interleaved':
        this.#receiveInterleaved(event.channel, event.payload);
        break;
      case 'redirect':
        this.#finish({ type: 'redirect', url: event.url });
        break;
      case 'ended':
        this.#fail(pullError('pull/ended', 'the server ended the session'));
        break;
      case 'failed':
        this.#fail(event.error);
        break;
      case 'recording':
      case 'paused':
      case 'refused':
      case 'notified':
        break;
      default:
        event satisfies never;
    }
  }

  async #setUpAll(described: readonly RtspClientTrack[], description: SessionDescription): Promise<void> {
    this.#tracks = pullTracksOf(described, description);
    this.#srtp = new PullSrtp(this.#tracks.map(({ srtp }) => srtp));
    if (this.#tracks.length === 0) {
      this.#fail(pullError('pull/no-tracks', 'the server has no track that can be carried'));
      return;
    }
    if (this.#options.lowerTransport === 'udp') {
      try {
        for (const { track } of this.#tracks) {
          const pair = await this.#options.ports.open();
          if (this.#isOver) {
            await pair.close();
            return;
          }
          this.#pairs.set(track, pair);
        }
      } catch (error) {
        this.#fail(error as Error);
        return;
      }
    }
    this.#setUp([...this.#tracks]);
  }

  #setUp(tracks: PullTrack[]): void {
    this.#asked = tracks;
    const setups = tracks.map((one) => ({
      track: one.track,
      transports: [this.#transportOf(one)],
      headers: this.#srtp.headersOf(this.#numberOf(one.track), one.track.url),
    }));
    this.#perform(this.#session.setUp(setups, nodeClock.nowMs()));
  }

  #transportOf({ track, srtp }: PullTrack): RtspTransport {
    const profile = srtp === undefined ? 'RTP/AVP' : profileOf(track);
    const pair = this.#pairs.get(track);
    if (pair !== undefined) {
      return { profile, delivery: 'unicast', clientPort: { first: pair.rtp.port, last: pair.rtcp.port } };
    }
    const first = 2 * this.#numberOf(track);
    return { profile, lowerTransport: 'TCP', delivery: 'unicast', interleaved: { first, last: first + 1 } };
  }

  #numberOf(track: RtspClientTrack): number {
    return this.#tracks.findIndex((one) => one.track === track);
  }

  #takeTrack(track: RtspClientTrack, transport: RtspTransport): void {
    this.#asked.shift();
    const number = this.#numberOf(track);
    const ports = this.#pairs.get(track);
    this.#ready.set(number, { transport, ports });
    if (ports === undefined) {
      const { first, last } = transport.interleaved ?? { first: 2 * number, last: undefined };
      this.#channels.set(first, 2 * number);
      this.#channels.set(last ?? first + 1, 2 * number + 1);
      return;
    }
    ports.rtp.onMessage = (bytes, source) => {
      if (this.#isPeer(source.address, transport)) this.#receive(number, bytes, false);
    };
    ports.rtcp.onMessage = (bytes, source) => {
      if (this.#isPeer(source.address, transport)) this.#receive(number, bytes, true);
    };
  }

  /** Anybody may send to an open port. */
  #isPeer(address: string, transport: RtspTransport): boolean {
    const plain = withoutMapping(address);
    return plain === withoutMapping(this.#socket.remoteAddress ?? '') || plain === transport.source;
  }

  #goOnWithout(track: RtspClientTrack, statusCode: number, reason: string): void {
    if (statusCode === 461 && this.#options.mayUseTcp) {
      this.#finish({ type: 'use-tcp' });
      return;
    }
    const rest = this.#asked.filter((one) => one.track !== track);
    if (rest.length > 0) this.#setUp(rest);
    else if (this.#ready.size > 0) this.#play();
    else this.#fail(pullError('pull/no-tracks', `the server refused every track: ${statusCode} ${reason}`));
  }

  #play(): void {
    const { lowerTransport, mayUseTcp } = this.#options;
    const nowMs = nodeClock.nowMs();
    this.#silentAtMs = nowMs + (lowerTransport === 'udp' && mayUseTcp ? UDP_SILENCE_MS : FIRST_PACKET_MS);
    this.#perform(this.#session.play({}, nowMs));
  }

  #punchHoles(): void {
    for (const { ports, transport } of this.#ready.values()) {
      const port = transport.serverPort?.first;
      if (ports !== undefined && port !== undefined) this.#sendDatagram(ports.rtp, HOLE_PUNCH, port);
    }
  }

  #sendDatagram(socket: DatagramSocket, bytes: Uint8Array, port: number): void {
    const address = this.#socket.remoteAddress;
    if (address !== undefined && port > 0) socket.send(bytes, socket.target(address, port));
  }

  #receiveInterleaved(channel: number, payload: Uint8Array): void {
    const place = this.#channels.get(channel);
    if (place !== undefined) this.#receive(place >> 1, payload, (place & 1) === 1);
  }

  #receive(track: number, received: Uint8Array, isRtcp: boolean): void {
    const bytes = this.#srtp.unprotect(track, received, isRtcp);
    if (bytes === undefined) return;
    const ingest = this.#ingest ?? (isRtcp ? undefined : this.#begin());
    if (ingest === undefined || this.#isOver) return;
    if (isRtcp) ingest.receiveRtcp(track, bytes, nodeClock.nowMs());
    else ingest.receiveRtp(track, bytes, nodeClock.nowMs());
  }

  /** The first packet is here: the stream is live. */
  #begin(): RtpIngest | undefined {
    try {
      this.#publication = this.#options.publish(this.#socket.remoteAddress ?? '', (end) =>
        this.#fail(pullError('pull/revoked', `the publication ended here: ${end}`)),
      );
    } catch (error) {
      this.#fail(error as Error);
      return undefined;
    }
    this.#ingest = new RtpIngest({
      publication: this.#publication,
      tracks: this.#tracks.map(({ ingest }) => ingest),
      ssrc: this.#srtp.ssrc,
      cname: `millrace-${toHex(nodeHandshakeCrypto.randomBytes(4))}`,
      announce: 'with-first-packet',
      ...(this.#options.lowerTransport === 'tcp' ? { maxWaitMs: 0 } : {}),
    });
    return this.#ingest;
  }

  #tick(): void {
    const nowMs = nodeClock.nowMs();
    this.#perform(this.#session.handleTimeout(nowMs));
    if (this.#isOver) return;
    if (this.#ingest === undefined) {
      if (this.#silentAtMs !== undefined && nowMs >= this.#silentAtMs) this.#noteSilence();
      return;
    }
    for (const { track, bytes } of this.#ingest.handleTimeout(nowMs)) this.#sendReport(track, bytes);
    if (this.#ingest.isFinished) this.#fail(pullError('pull/ended', 'the server ended the stream'));
  }

  #noteSilence(): void {
    if (this.#options.lowerTransport === 'udp' && this.#options.mayUseTcp) this.#finish({ type: 'use-tcp' });
    else if (this.#srtp.unauthentic > 0) {
      this.#fail(pullError('pull/silent', 'the packets of the server do not have the key it told'));
    } else this.#fail(pullError('pull/silent', 'the server sends no packets'));
  }

  #sendReport(track: number, report: Uint8Array): void {
    const ready = this.#ready.get(track);
    const bytes = this.#srtp.protectRtcp(track, report);
    if (ready === undefined || bytes.length === 0) return;
    const { ports, transport } = ready;
    if (ports !== undefined) {
      const port = transport.serverPort?.last ?? (transport.serverPort?.first ?? -1) + 1;
      this.#sendDatagram(ports.rtcp, bytes, port);
      return;
    }
    const range = transport.interleaved;
    const channel = range === undefined ? 2 * track + 1 : (range.last ?? range.first + 1);
    const frame = new Uint8Array(4 + bytes.length);
    frame.set([0x24, channel, bytes.length >> 8, bytes.length & 0xff]);
    frame.set(bytes, 4);
    this.#socket.write(frame);
  }

  #fail(error: Error): void {
    this.#finish({ type: 'failed', error, hadMedia: this.#ingest !== undefined });
  }

  #close(): void {
    this.#finish({ type: 'closed' });
  }

  #finish(outcome: PullOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTicking();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#ingest?.end();
    this.#publication?.end(outcome.type === 'closed' ? 'unpublished' : 'lost');
    // Some servers send by UDP until the session's timeout unless they are told.
    for (const event of this.#session.teardown(nodeClock.nowMs())) {
      if (event.type === 'send' && this.#socket.writable) this.#socket.write(event.bytes);
    }
    this.#socket.end();
    nodeClock.after(FAREWELL_MS, () => this.#socket.destroy());
    void Promise.all([...this.#pairs.values()].map((pair) => pair.close())).then(() => this.#resolve(outcome));
  }
}

/** `RTP/SAVP` or `RTP/SAVPF`, as the description has it. */
function profileOf({ media }: RtspClientTrack): string {
  return media.protocol.toUpperCase().split('/', 2).join('/');
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** IPv4 as sockets of both families name it. */
function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
