import type { ClientSocket } from '../../io/lent-socket.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { writeKeyManagementHeader } from '../../protocol/mikey/key-management.ts';
import type { RtspClientTrack } from '../../protocol/rtsp/client-events.ts';
import { parseSessionDescription } from '../../protocol/sdp/session-description-parser.ts';
import { DatagramDelivery } from '../rtsp/datagram-delivery.ts';
import type { DatagramPacer } from '../rtsp/datagram-pacer.ts';
import type { Delivery } from '../rtsp/delivery.ts';
import { InterleavedDelivery } from '../rtsp/interleaved-delivery.ts';
import type { LiveMediaSession } from '../rtsp/live-media-session.ts';
import type { LivePlayback } from '../rtsp/live-playback.ts';
import type { MediaEndReason } from '../rtsp/media-session.ts';
import type { MediaSessionRegistry, MediaSessionUser } from '../rtsp/media-session-registry.ts';
import {
  ClientConnection,
  type ClientConnectionOptions,
  type ClientOutcome,
  type ClientRole,
  connectToServer,
  serverPortsOf,
  type TrackTerms,
} from './client-connection.ts';
import { type PushErrorCode, pushError } from './push-error.ts';

/** A server of which nothing is heard for so long beyond its session timeout is gone, milliseconds. */
export const SILENCE_MS = 10_000;
/** How long a server may take for what waits for it when the stream has ended, and when we are told to end, milliseconds. */
const FLUSH_MS = 10_000;
const STOP_MS = 2_000;
/** How often reports are looked after, milliseconds. */
const HOUSEKEEP_MS = 500;

const FAILURES: Readonly<Partial<Record<MediaEndReason, readonly [PushErrorCode, string]>>> = {
  stalled: ['push/stalled', 'the server takes nothing'],
  failed: ['push/failed', 'the stream can not be sent'],
};

export interface PushConnectionOptions extends ClientConnectionOptions {
  /** The stream as RTSP sends it; retained in the registry as long as the connection lasts. */
  readonly media: LiveMediaSession;
  readonly registry: MediaSessionRegistry;
  readonly pacer: DatagramPacer;
  /** The server takes the stream from now on. */
  readonly onRecording: (connection: PushProgress) => void;
}

/** How far a connection is. */
export interface PushProgress {
  readonly sentBytes: number;
  /** Bytes that wait to be sent. */
  readonly bufferedBytes: number;
}

/** How a connection ended: `changed` when the stream is no longer what was announced. */
export type PushOutcome = ClientOutcome | { readonly type: 'changed' };

/** Publishes a live stream to another server by one connection, until either side ends it. Never rejects. */
export async function pushOnce(options: PushConnectionOptions): Promise<PushOutcome> {
  let socket: ClientSocket;
  try {
    socket = await connectToServer(options);
  } catch (error) {
    return options.signal.aborted ? { type: 'closed' } : { type: 'failed', error: error as Error, hadMedia: false };
  }
  const connection = new PushConnection(socket, options);
  const outcome = await connection.outcome;
  if (connection.isOutdated) return { type: 'changed' };
  if (connection.hasSaidGoodbye) return { type: 'closed' };
  return outcome.type === 'failed' && connection.mayBeBlocked ? { type: 'use-tcp' } : outcome;
}

class PushConnection implements ClientRole, MediaSessionUser, PushProgress {
  /** The stream is no longer what was announced. */
  isOutdated = false;
  readonly #options: PushConnectionOptions;
  readonly #connection: ClientConnection;
  #tracks: readonly RtspClientTrack[] = [];
  #delivery: Delivery | undefined;
  #playback: LivePlayback | undefined;
  #nextHousekeepMs = 0;
  #isLeaving = false;
  /** Everything was handed to the network or its queues. */
  #isFlushed = false;
  #leaveAtMs = Number.POSITIVE_INFINITY;
  #hadRtcp = false;

  constructor(socket: ClientSocket, options: PushConnectionOptions) {
    this.#options = options;
    const { media, registry } = options;
    const text = media.describe({ localAddress: '', multicast: undefined });
    this.#connection = new ClientConnection(socket, options, this, parseSessionDescription(text)!);
    registry.retain(media, this);
    this.#connection.start();
  }

  get outcome(): Promise<ClientOutcome> {
    return this.#connection.outcome;
  }

  get hadMedia(): boolean {
    return this.sentBytes > 0;
  }

  get sentBytes(): number {
    return this.#playback?.statistics.sentBytes ?? 0;
  }

  get bufferedBytes(): number {
    return this.#delivery?.bufferedBytes ?? 0;
  }

  /** Everything was sent, with a BYE behind it: FFmpeg closes the connection then, before it can be asked to. */
  get hasSaidGoodbye(): boolean {
    return this.#isLeaving && this.#isFlushed && this.#connection.socket.writableLength === 0;
  }

  /** Packets were sent by UDP, and nothing tells that any of them came. */
  get mayBeBlocked(): boolean {
    return this.#options.lowerTransport === 'udp' && this.#options.mayUseTcp && this.hadMedia && !this.#hadRtcp;
  }

  /** All of them: they are what was announced. */
  choose(tracks: readonly RtspClientTrack[]): readonly RtspClientTrack[] {
    this.#tracks = tracks;
    return tracks;
  }

  termsOf(track: number): TrackTerms {
    const message = this.#options.media.keyMessageOf(track);
    if (message === undefined) return { profile: 'RTP/AVP', headers: [] };
    // The description has told it, but gst-rtsp-server takes the key of a publisher from here only.
    const header = writeKeyManagementHeader({ uri: this.#tracks[track]!.url, message });
    return { profile: 'RTP/SAVP', headers: [['KeyMgmt', header]] };
  }

  begin(nowMs: number): void {
    this.#connection.perform(this.#connection.session.record(nowMs));
  }

  started(): void {
    if (this.#playback !== undefined || this.#isLeaving) return;
    const delivery = this.#openDelivery();
    if (delivery === undefined) return;
    this.#delivery = delivery;
    const { media } = this.#options;
    const playback = media.openPlayback({ delivery, onEnded: (reason) => this.#mediaOver(reason) }) as LivePlayback;
    this.#playback = playback;
    const tracks = new Set(this.#connection.ready.keys());
    const played = playback.play({ tracks, range: undefined, scale: 1, speed: 1 });
    if ('statusCode' in played) {
      this.#connection.fail(pushError('push/failed', `the stream can not be sent (${played.statusCode})`));
      return;
    }
    played.begin();
    this.#options.onRecording(this);
  }

  /** Reports of the receiver: a sign of life, which the connection has noted. RTP of it would be no use. */
  receive(_track: number, _bytes: Uint8Array, isRtcp: boolean): void {
    this.#hadRtcp ||= isRtcp;
  }

  tick(nowMs: number): void {
    if (this.#isLeaving) {
      if (this.hasSaidGoodbye || nowMs >= this.#leaveAtMs) this.#connection.leave({ type: 'closed' });
      return;
    }
    if (nowMs < this.#nextHousekeepMs || this.#playback === undefined) return;
    this.#nextHousekeepMs = nowMs + HOUSEKEEP_MS;
    this.#playback.housekeep();
    // Within this time there was a request to keep the session alive, at least, that was to be answered.
    const silentMs = nowMs - this.#connection.heardMs;
    if (silentMs > this.#connection.session.timeoutMs + SILENCE_MS) {
      this.#connection.fail(
        pushError('push/silent', `nothing was heard of the server for ${Math.round(silentMs / 1000)} s`),
      );
    }
  }

  stop(): void {
    this.#leave(STOP_MS);
  }

  ended(): void {
    this.#playback?.close(false);
    this.#delivery?.close(() => undefined);
    this.#options.registry.release(this.#options.media, this);
  }

  failure(kind: 'no-tracks' | 'ended', message: string): Error {
    return pushError(`push/${kind}`, message);
  }

  /** The registry takes the stream away: its codecs are others, or an operator ended it. */
  mediaEnded(reason: MediaEndReason): void {
    this.isOutdated ||= reason === 'changed';
    this.#leave(STOP_MS);
  }

  #mediaOver(reason: MediaEndReason): void {
    const failure = FAILURES[reason];
    if (failure === undefined) this.#leave(FLUSH_MS);
    else this.#connection.fail(pushError(...failure));
  }

  /** What is written goes out, with a BYE behind it; then the session is ended. */
  #leave(withinMs: number): void {
    const leaveAtMs = nodeClock.nowMs() + withinMs;
    this.#leaveAtMs = Math.min(this.#leaveAtMs, leaveAtMs);
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#playback?.close(true);
    if (this.#delivery === undefined) this.#connection.finish({ type: 'closed' });
    else {
      this.#delivery.close(() => {
        this.#isFlushed = true;
      });
    }
  }

  #openDelivery(): Delivery | undefined {
    const { ready, socket } = this.#connection;
    const numbers = Array.from({ length: this.#options.media.trackCount }, (_, track) => track);
    if (this.#options.lowerTransport === 'tcp') {
      const channels = numbers.map((track) => {
        const transport = ready.get(track)?.transport;
        return transport && this.#connection.channelsOf(track, transport);
      });
      return new InterleavedDelivery(this.#outputTo(socket), channels, () => undefined);
    }
    const address = socket.remoteAddress;
    const routes = numbers.map((track) => {
      const one = ready.get(track);
      if (one?.ports === undefined || address === undefined) return undefined;
      const { rtp, rtcp } = serverPortsOf(one.transport);
      if (rtp < 1 || rtcp < 1 || rtcp > 65_535) return undefined;
      const { rtp: rtpSocket, rtcp: rtcpSocket } = one.ports;
      return {
        rtpSocket,
        rtcpSocket,
        rtpTarget: rtpSocket.target(address, rtp),
        rtcpTarget: rtcpSocket.target(address, rtcp),
      };
    });
    if (routes.some((route) => route !== undefined)) return new DatagramDelivery(routes, this.#options.pacer);
    if (this.#options.mayUseTcp) this.#connection.finish({ type: 'use-tcp' });
    else this.#connection.fail(pushError('push/no-ports', 'the server did not say where packets go'));
    return undefined;
  }

  #outputTo(socket: ClientSocket): ConstructorParameters<typeof InterleavedDelivery>[0] {
    const onTaken = (): void => {
      if (socket.writableLength === 0 && this.#delivery instanceof InterleavedDelivery) this.#delivery.drained();
    };
    return {
      send: (bytes) => {
        if (socket.writable) socket.write(bytes, onTaken);
      },
      get bufferedBytes() {
        return socket.writableLength;
      },
      abort: () => socket.destroy(),
    };
  }
}
