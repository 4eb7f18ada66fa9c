import type { Clock } from '../../media/clock.ts';
import { writeRtpInfo } from '../../protocol/rtsp/rtp-info.ts';
import { writeScale } from '../../protocol/rtsp/scale-and-speed.ts';
import { writeSession } from '../../protocol/rtsp/session-header.ts';
import { type RtspTransport, writeTransports } from '../../protocol/rtsp/transport-header.ts';
import type { Logger } from '../log/logger.ts';
import { DatagramDelivery } from './datagram-delivery.ts';
import type { DatagramPacer } from './datagram-pacer.ts';
import type { Delivery } from './delivery.ts';
import { InterleavedDelivery } from './interleaved-delivery.ts';
import type { MediaEndReason, MediaSession, Playback, PlayOutcome, Recording, RtspMethod } from './media-session.ts';
import type { MediaSessionRegistry, MediaSessionUser } from './media-session-registry.ts';
import type { MulticastGroup } from './multicast-group.ts';
import { answer, type HandledAnswer, wrongState } from './rtsp-answers.ts';
import type { RtspConnection } from './rtsp-connection.ts';
import { isWithoutRtp, openTransport, type TrackTransport } from './track-transport.ts';
import type { UdpPorts } from './udp-ports.ts';

/**
 * `init`: announced, nothing set up; `ready`: set up or paused; `ended`: the media are over, and the client has yet to say
 * goodbye (RFC 2326 §A.2 has the others).
 */
export type ClientSessionState = 'init' | 'ready' | 'playing' | 'recording' | 'ended';

/**
 * TEARDOWN of what is recorded in datagrams is carried out when none has come for so long, milliseconds: those sent before it
 * may still wait in a socket of ours, or be overtaken on their way.
 */
const QUIET_MS = 5;
/** Longest time it waits for that, milliseconds: some senders go on. */
export const MAX_TEARDOWN_WAIT_MS = 50;

/** What all client sessions of a server share. */
export interface ClientSessionServices {
  readonly registry: MediaSessionRegistry;
  readonly udp: UdpPorts | undefined;
  readonly pacer: DatagramPacer;
  readonly clock: Clock;
  /** The multicast group of a media session; undefined when it has none. */
  readonly multicastGroupOf: (session: MediaSession) => Promise<MulticastGroup | undefined>;
  /** A client nothing is heard of for so long is gone, milliseconds; 0 is never. */
  readonly timeoutMs: number;
}

export interface ClientSessionOptions {
  readonly id: string;
  /** Key of the target it was made for (`targetKey`). */
  readonly targetKey: string;
  /** Who made it, where users have names. */
  readonly username: string | undefined;
  readonly mediaSession: MediaSession;
  /** The client sends. */
  readonly isRecording: boolean;
  readonly services: ClientSessionServices;
  readonly log: Logger;
  /** It is over and forgotten by its client. */
  readonly onGone: (session: ClientSession) => void;
}

/** What PLAY asks for, its headers read. */
export interface PlayWish {
  /** The track of the URL; undefined for all. */
  readonly track: number | undefined;
  readonly range: string | undefined;
  /** Undefined when there is no such header. */
  readonly scale: number | undefined;
  readonly speed: number | undefined;
}

interface SetUpTrack {
  readonly transport: TrackTransport;
  /** URL of its SETUP, told again in RTP-Info: players compare it letter by letter. */
  readonly url: string;
}

/** One RTSP session (RFC 2326 §3.4): what one client has set up, plays or records, whatever connections it uses for it. */
export class ClientSession implements MediaSessionUser {
  readonly id: string;
  readonly targetKey: string;
  readonly username: string | undefined;
  readonly mediaSession: MediaSession;
  readonly isRecording: boolean;
  readonly #services: ClientSessionServices;
  readonly #log: Logger;
  readonly #onGone: (session: ClientSession) => void;
  readonly #tracks = new Map<number, SetUpTrack>();
  #state: ClientSessionState = 'init';
  /** Tracks that are played. */
  #playing: ReadonlySet<number> = new Set();
  #delivery: Delivery | undefined;
  #playback: Playback | undefined;
  #recording: Recording | undefined;
  /** The connection that carries its packets, or that it was announced on. */
  #connection: RtspConnection | undefined;
  #heardMs: number;
  /** TEARDOWNs that wait for datagrams to come in. */
  #waitingTeardowns = 0;
  /** Meanwhile the connection has ended. */
  #isCutOff = false;
  #isGone = false;

  constructor(options: ClientSessionOptions) {
    this.id = options.id;
    this.targetKey = options.targetKey;
    this.username = options.username;
    this.mediaSession = options.mediaSession;
    this.isRecording = options.isRecording;
    this.#services = options.services;
    this.#log = options.log;
    this.#onGone = options.onGone;
    this.#heardMs = options.services.clock.nowMs();
    options.services.registry.retain(options.mediaSession, this);
  }

  get state(): ClientSessionState {
    return this.#state;
  }

  /** Value of the Session header for SETUP, where the client is told of the timeout. */
  get header(): string {
    const { timeoutMs } = this.#services;
    return writeSession({ id: this.id, timeoutSeconds: timeoutMs === 0 ? undefined : Math.ceil(timeoutMs / 1000) });
  }

  /** The client was heard of. */
  touch(): void {
    this.#heardMs = this.#services.clock.nowMs();
  }

  /** Ends with this connection from now on, until something is set up that does not need it. */
  bindTo(connection: RtspConnection): void {
    this.#unbind();
    this.#connection = connection;
    connection.bind(this);
  }

  /** SETUP of one track. */
  async setUp(
    track: number,
    url: string,
    alternatives: readonly RtspTransport[],
    connection: RtspConnection,
  ): Promise<HandledAnswer> {
    if (this.#state === 'ended') return answer(454);
    if (this.#state === 'playing' || this.#recording !== undefined) return this.#wrongState();
    if (track >= this.mediaSession.trackCount) return answer(404);
    // Asked for again, its channels and ports may be those it has.
    this.#tracks.get(track)?.transport.close();
    this.#tracks.delete(track);
    const [other] = this.#tracks.values();
    const transport = await openTransport(alternatives, {
      connection,
      udp: this.#services.udp,
      multicastGroup: () => this.#services.multicastGroupOf(this.mediaSession),
      kind: other?.transport.kind,
      isRecording: this.isRecording,
      isProtected: this.mediaSession.isProtected?.(track) === true,
      isTransportStream: this.mediaSession.isTransportStream === true,
      track,
      ssrc: this.mediaSession.ssrcOf?.(track),
      receiver: {
        receiveRtp: (bytes) => this.#receiveRtp(track, bytes),
        receiveRtcp: (bytes) => this.#receiveRtcp(track, bytes),
      },
    });
    if (typeof transport === 'number') return answer(transport);
    if (this.#isOver) {
      transport.close();
      return answer(454);
    }
    // What was paused begins anew on the tracks there are now.
    this.#closePlayback(false);
    this.#closeDelivery(() => undefined);
    this.#tracks.set(track, { transport, url });
    this.#state = 'ready';
    // A publisher that comes back shall not find its stream taken by a connection that is gone.
    if (transport.kind === 'interleaved' || this.isRecording) this.bindTo(connection);
    else this.#unbind();
    return answer(200, [
      ['Session', this.header],
      ['Transport', writeTransports([transport.answer])],
    ]);
  }

  /** PLAY of all tracks or one. */
  async play(wish: PlayWish): Promise<HandledAnswer> {
    if (this.#state === 'ended') return answer(454);
    if (this.#tracks.size === 0 || this.mediaSession.openPlayback === undefined) return this.#wrongState();
    const asked = this.#trackSet(wish.track);
    if (typeof asked === 'number') return this.#refused(asked);
    const tracks = new Set([...this.#playing, ...asked]);
    this.#playback ??= this.#openPlayback();
    const playback = this.#playback;
    const { range, scale = 1, speed = 1 } = wish;
    const outcome = await playback.play({ tracks, range, scale, speed });
    if (this.#playback !== playback) return answer(454);
    if ('statusCode' in outcome) {
      // Whatever it could not do, the next PLAY begins without it.
      if (this.#state !== 'playing') this.#closePlayback(false);
      return this.#refused(outcome.statusCode);
    }
    if (this.#state !== 'playing') this.#log.info({ tracks: [...tracks] }, 'playing');
    this.#state = 'playing';
    this.#playing = tracks;
    return {
      ...answer(200, this.#playHeaders(wish, outcome)),
      afterwards: () => outcome.begin(),
    };
  }

  /** PAUSE of all tracks or one. */
  pause(track: number | undefined): HandledAnswer {
    // Players pause what has ended before they leave, and take a refusal for a failure of the whole.
    if (this.#state === 'ended') return answer(200, [['Session', this.id]]);
    if (this.#state !== 'playing' && this.#state !== 'recording') return this.#wrongState();
    const asked = this.#trackSet(track);
    if (typeof asked === 'number') return this.#refused(asked);
    this.#recording?.pause();
    this.#playback?.pause(asked);
    this.#playing = new Set([...this.#playing].filter((playing) => !asked.has(playing)));
    if (this.#playing.size === 0) this.#state = 'ready';
    return answer(200, [['Session', this.id]]);
  }

  /** RECORD of what was announced and set up. */
  record(track: number | undefined): HandledAnswer {
    if (this.#state === 'ended') return answer(454);
    if (this.#tracks.size === 0 || this.mediaSession.openRecording === undefined) return this.#wrongState();
    const asked = this.#trackSet(track);
    if (typeof asked === 'number') return this.#refused(asked);
    this.#recording ??= this.mediaSession.openRecording({
      delivery: this.#openDelivery(),
      tracks: new Set(this.#tracks.keys()),
      keepsOrder: !this.#usesDatagrams,
      onEnded: (reason) => this.mediaEnded(reason),
    });
    const refusal = this.#recording.record();
    if (refusal !== undefined) return answer(refusal.statusCode);
    if (this.#state !== 'recording') this.#log.info({ tracks: [...this.#tracks.keys()] }, 'recording');
    this.#state = 'recording';
    return answer(200, [['Session', this.id]]);
  }

  /** TEARDOWN of the session or one of its tracks. */
  tearDown(track: number | undefined): HandledAnswer | Promise<HandledAnswer> {
    return this.#state === 'recording' && this.#usesDatagrams ? this.#tearDownLater(track) : this.#tearDown(track);
  }

  /** First what is on its way is taken in. */
  async #tearDownLater(track: number | undefined): Promise<HandledAnswer> {
    this.#waitingTeardowns++;
    await this.#quiet();
    this.#waitingTeardowns--;
    const answered = this.#tearDown(track);
    if (this.#isCutOff && this.#waitingTeardowns === 0) this.#leave('connection closed', false);
    return answered;
  }

  /** Resolves when nothing has come for a while. */
  #quiet(): Promise<void> {
    const { clock } = this.#services;
    const endMs = clock.nowMs() + MAX_TEARDOWN_WAIT_MS;
    // The first look only remembers: sockets are read between two looks, but perhaps not before the first.
    let heardMs = Number.NaN;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#isOver || this.#heardMs === heardMs || clock.nowMs() >= endMs) {
          resolve();
          return;
        }
        heardMs = this.#heardMs;
        clock.after(QUIET_MS, look);
      };
      clock.after(QUIET_MS, look);
    });
  }

  #tearDown(track: number | undefined): HandledAnswer {
    if (track !== undefined && this.#state !== 'ended') {
      const torn = this.#tracks.get(track);
      if (torn === undefined) return this.#refused(track < this.mediaSession.trackCount ? 455 : 404);
      if (this.#tracks.size > 1) {
        if (this.mediaSession.isAggregateOnly === true && this.#state !== 'ready') return answer(460);
        if (this.#playing.has(track)) this.pause(track);
        this.#tracks.delete(track);
        torn.transport.close();
        return answer(200, [['Session', this.id]]);
      }
    }
    this.#leave('left', false, 'unpublished');
    return answer(200, [['Session', this.id]]);
  }

  /** Reports, and whether the client is still there. To be called about twice a second. */
  housekeep(nowMs: number): void {
    this.#playback?.housekeep();
    this.#recording?.housekeep();
    const { timeoutMs } = this.#services;
    // What goes through a connection lives as long as it does.
    if (timeoutMs === 0 || this.#carrier !== undefined || nowMs - this.#heardMs <= timeoutMs) return;
    this.#leave('timeout', true);
  }

  /** The connection its packets went into is gone. */
  connectionEnded(): void {
    // Clients that have said TEARDOWN don't always wait for the answer.
    if (this.#waitingTeardowns > 0) this.#isCutOff = true;
    else this.#leave('connection closed', false);
  }

  mediaEnded(reason: MediaEndReason): void {
    if (this.#isOver) return;
    this.#log.info({ reason }, 'session ended');
    const delivery = this.#delivery;
    this.#stopMedia(true, reason === 'closed' ? 'unpublished' : 'lost');
    if (reason === 'stalled' || reason === 'failed') delivery?.abort();
    // Publishers don't ask, and would send on for ever.
    if (this.isRecording) this.#connection?.output.abort();
  }

  /** The server ends it. */
  close(): void {
    this.#leave('closed', true, 'unpublished');
  }

  get #isOver(): boolean {
    return this.#state === 'ended';
  }

  /** The connection its packets go through. */
  get #carrier(): RtspConnection | undefined {
    return this.#usesDatagrams ? undefined : this.#connection;
  }

  get #usesDatagrams(): boolean {
    const [first] = this.#tracks.values();
    return first !== undefined && first.transport.kind !== 'interleaved';
  }

  #leave(reason: string, sayBye: boolean, recordingEnd: 'unpublished' | 'lost' = 'lost'): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (!this.#isOver) {
      this.#log.info({ reason }, 'session ended');
      this.#stopMedia(sayBye, recordingEnd);
    }
    this.#unbind();
    this.#onGone(this);
  }

  #stopMedia(sayBye: boolean, recordingEnd: 'unpublished' | 'lost' = 'lost'): void {
    this.#state = 'ended';
    this.#playing = new Set();
    this.#closePlayback(sayBye);
    this.#recording?.close(recordingEnd);
    this.#recording = undefined;
    const transports = [...this.#tracks.values()].map(({ transport }) => transport);
    this.#tracks.clear();
    this.#closeDelivery(() => {
      for (const transport of transports) transport.close();
    });
    this.#services.registry.release(this.mediaSession, this);
  }

  #openPlayback(): Playback {
    const group = this.#multicastGroup();
    if (group !== undefined) return group.join((reason) => this.mediaEnded(reason));
    return this.mediaSession.openPlayback!({
      delivery: this.#openDelivery(),
      onEnded: (reason) => this.mediaEnded(reason),
    });
  }

  #closePlayback(sayBye: boolean): void {
    this.#playback?.close(sayBye);
    this.#playback = undefined;
  }

  #multicastGroup(): MulticastGroup | undefined {
    const [first] = this.#tracks.values();
    return first?.transport.kind === 'multicast' ? first.transport.group : undefined;
  }

  #openDelivery(): Delivery {
    this.#delivery ??= this.#makeDelivery();
    return this.#delivery;
  }

  #makeDelivery(): Delivery {
    const transports = Array.from(
      { length: this.mediaSession.trackCount },
      (_, track) => this.#tracks.get(track)?.transport,
    );
    const connection = this.#carrier;
    if (connection === undefined) {
      const routes = transports.map((transport) => (transport?.kind === 'udp' ? transport.route : undefined));
      const isRaw = transports.some((transport) => transport !== undefined && isWithoutRtp(transport));
      return new DatagramDelivery(routes, this.#services.pacer, isRaw ? 'payload' : 'rtp');
    }
    const channels = transports.map((transport) =>
      transport?.kind === 'interleaved' ? transport.channels : undefined,
    );
    const delivery = new InterleavedDelivery(connection.output, channels, () => connection.removeDelivery(delivery));
    connection.addDelivery(delivery);
    return delivery;
  }

  /** @param onFlushed called when its sockets and channels are not used any more */
  #closeDelivery(onFlushed: () => void): void {
    const delivery = this.#delivery;
    this.#delivery = undefined;
    if (delivery === undefined) onFlushed();
    else delivery.close(onFlushed);
  }

  #receiveRtp(track: number, bytes: Uint8Array): void {
    this.touch();
    this.#recording?.receiveRtp(track, bytes);
  }

  #receiveRtcp(track: number, bytes: Uint8Array): void {
    this.touch();
    this.#playback?.receiveRtcp(track, bytes);
    this.#recording?.receiveRtcp(track, bytes);
  }

  /** The tracks a request is about, or the status code of its refusal. */
  #trackSet(track: number | undefined): ReadonlySet<number> | number {
    if (track === undefined) return new Set(this.#tracks.keys());
    if (track >= this.mediaSession.trackCount) return 404;
    if (!this.#tracks.has(track)) return 455;
    if (this.#tracks.size > 1 && (this.isRecording || this.mediaSession.isAggregateOnly === true)) return 460;
    return new Set([track]);
  }

  #playHeaders(wish: PlayWish, outcome: PlayOutcome): (readonly [string, string])[] {
    const headers: (readonly [string, string])[] = [['Session', this.id]];
    if (outcome.range !== undefined) headers.push(['Range', outcome.range]);
    if (wish.scale !== undefined || outcome.scale !== 1) headers.push(['Scale', writeScale(outcome.scale)]);
    if (wish.speed !== undefined || outcome.speed !== 1) headers.push(['Speed', writeScale(outcome.speed)]);
    const infos = outcome.tracks.flatMap(({ track, sequenceNumber, timestamp }) => {
      const played = this.#playing.has(track) ? this.#tracks.get(track) : undefined;
      if (played === undefined || isWithoutRtp(played.transport)) return [];
      return [{ url: played.url, sequenceNumber, rtpTime: timestamp }];
    });
    if (infos.length > 0) headers.push(['RTP-Info', writeRtpInfo(infos)]);
    return headers;
  }

  #refused(statusCode: number): HandledAnswer {
    return statusCode === 455 ? this.#wrongState() : answer(statusCode);
  }

  #wrongState(): HandledAnswer {
    const begin: RtspMethod = this.isRecording ? 'RECORD' : 'PLAY';
    const byState: Readonly<Record<ClientSessionState, readonly RtspMethod[]>> = {
      init: ['SETUP'],
      ready: ['SETUP', begin],
      playing: ['PLAY', 'PAUSE'],
      recording: ['RECORD', 'PAUSE'],
      ended: [],
    };
    return wrongState([...byState[this.#state], 'TEARDOWN', 'OPTIONS', 'GET_PARAMETER', 'SET_PARAMETER']);
  }

  #unbind(): void {
    this.#connection?.unbind(this);
    this.#connection = undefined;
  }
}
