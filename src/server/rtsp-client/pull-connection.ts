import type { ClientSocket } from '../../io/lent-socket.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import type { Publication, PublicationEnd } from '../../media/publication.ts';
import { RtpIngest } from '../../media/rtp-ingest.ts';
import type { RtspClientTrack } from '../../protocol/rtsp/client-events.ts';
import type { SessionDescription } from '../../protocol/sdp/session-description.ts';
import { toHexadecimal } from '../../wire/hexadecimal.ts';
import type { BackChannel } from './back-channel.ts';
import {
  ClientConnection,
  type ClientConnectionOptions,
  type ClientOutcome,
  type ClientRole,
  connectToServer,
  type TrackTerms,
} from './client-connection.ts';
import { pullError } from './pull-error.ts';
import { PullSrtp } from './pull-srtp.ts';
import { type PullTrack, pullTracksOf } from './pull-tracks.ts';

/** How long the first packet may take before UDP is taken for blocked, when TCP may be tried, milliseconds. */
export const UDP_SILENCE_MS = 4_000;
/** How long it may take otherwise, milliseconds. */
export const FIRST_PACKET_MS = 15_000;
/** While more than this waits in the connection, sound for the camera is left out, bytes: it would come too late. */
const MAX_UNSENT_BYTES = 65_536;
/** An RTP header without payload: opens the way through address translators for what comes back. */
const HOLE_PUNCH: Uint8Array = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

export interface PullConnectionOptions extends ClientConnectionOptions {
  /**
   * Called with the first packet.
   * @throws ResourceError when the stream has a publisher already
   */
  readonly publish: (remote: string, onEnded: (end: PublicationEnd) => void) => Publication;
  /** What is said to the camera. */
  readonly backChannel?: BackChannel | undefined;
}

/**
 * Plays one stream of another server by one connection and publishes it here, until either side ends it. Never rejects.
 */
export async function pullOnce(options: PullConnectionOptions): Promise<ClientOutcome> {
  let socket: ClientSocket;
  try {
    socket = await connectToServer(options);
  } catch (error) {
    return options.signal.aborted ? { type: 'closed' } : { type: 'failed', error: error as Error, hadMedia: false };
  }
  return new PullConnection(socket, options).outcome;
}

class PullConnection implements ClientRole {
  readonly #options: PullConnectionOptions;
  readonly #connection: ClientConnection;
  /** Those that can be carried, in the order of the ingest. */
  #tracks: readonly PullTrack[] = [];
  #srtp = new PullSrtp([]);
  /** Set up behind those. */
  #backTrack: RtspClientTrack | undefined;
  #ingest: RtpIngest | undefined;
  /** The newest RTCP of each track before the first packet of any: how the tracks lie to each other. */
  readonly #earlyRtcp = new Map<number, { readonly bytes: Uint8Array; readonly arrivalMs: number }>();
  #publication: Publication | undefined;
  #silentAtMs: number | undefined;

  constructor(socket: ClientSocket, options: PullConnectionOptions) {
    this.#options = options;
    this.#connection = new ClientConnection(
      socket,
      { ...options, wantsBackChannel: options.backChannel !== undefined },
      this,
    );
    this.#connection.start();
  }

  get outcome(): Promise<ClientOutcome> {
    return this.#connection.outcome;
  }

  get hadMedia(): boolean {
    return this.#ingest !== undefined;
  }

  choose(tracks: readonly RtspClientTrack[], description: SessionDescription): readonly RtspClientTrack[] {
    this.#tracks = pullTracksOf(tracks, description);
    this.#srtp = new PullSrtp(this.#tracks.map(({ srtp }) => srtp));
    if (this.#tracks.length === 0) return [];
    this.#backTrack = this.#options.backChannel?.choose(tracks);
    const chosen = this.#tracks.map(({ track }) => track);
    return this.#backTrack === undefined ? chosen : [...chosen, this.#backTrack];
  }

  termsOf(number: number): TrackTerms {
    const pulled = this.#tracks[number];
    if (pulled === undefined) return { profile: 'RTP/AVP', headers: [] };
    const { track, srtp } = pulled;
    const profile = srtp === undefined ? 'RTP/AVP' : profileOf(track);
    return { profile, headers: this.#srtp.headersOf(number, track.url) };
  }

  begin(nowMs: number): void {
    this.#silentAtMs = nowMs + (this.#fallsBackToTcp() ? UDP_SILENCE_MS : FIRST_PACKET_MS);
    this.#connection.perform(this.#connection.session.play({}, nowMs));
  }

  started(): void {
    if (this.#backTrack !== undefined) this.#startBackChannel();
    for (const [track, { ports }] of this.#connection.ready) {
      if (ports !== undefined && track < this.#tracks.length) this.#connection.send(track, HOLE_PUNCH, false);
    }
  }

  receive(track: number, received: Uint8Array, isRtcp: boolean): void {
    // Reports on what the camera hears: nothing is made of them.
    if (track === this.#tracks.length) return;
    const bytes = this.#srtp.unprotect(track, received, isRtcp);
    if (bytes === undefined) return;
    const nowMs = nodeClock.nowMs();
    if (isRtcp && this.#ingest === undefined) {
      this.#earlyRtcp.set(track, { bytes: bytes.slice(), arrivalMs: nowMs });
      return;
    }
    const ingest = this.#ingest ?? this.#publish();
    if (ingest === undefined || this.#connection.isOver) return;
    if (isRtcp) ingest.receiveRtcp(track, bytes, nowMs);
    else ingest.receiveRtp(track, bytes, nowMs);
  }

  tick(nowMs: number): void {
    if (this.#ingest === undefined) {
      if (this.#silentAtMs !== undefined && nowMs >= this.#silentAtMs) this.#noteSilence();
      return;
    }
    for (const { track, bytes } of this.#ingest.handleTimeout(nowMs)) {
      this.#connection.send(track, this.#srtp.protectRtcp(track, bytes), true);
    }
    if (this.#ingest.isFinished) this.#connection.fail(pullError('pull/ended', 'the server ended the stream'));
  }

  stop(): void {
    this.#connection.finish({ type: 'closed' });
  }

  ended(outcome: ClientOutcome): void {
    this.#options.backChannel?.stop();
    this.#ingest?.end();
    this.#publication?.end(outcome.type === 'closed' ? 'unpublished' : 'lost');
  }

  failure(kind: 'no-tracks' | 'ended', message: string): Error {
    return pullError(`pull/${kind}`, message);
  }

  /** The first packet is here: the stream is live. */
  #publish(): RtpIngest | undefined {
    try {
      this.#publication = this.#options.publish(this.#connection.socket.remoteAddress ?? '', (end) =>
        this.#connection.fail(pullError('pull/revoked', `the publication ended here: ${end}`)),
      );
    } catch (error) {
      this.#connection.fail(error as Error);
      return undefined;
    }
    this.#ingest = new RtpIngest({
      publication: this.#publication,
      tracks: this.#tracks.map(({ ingest }) => ingest),
      ssrc: this.#srtp.ssrc,
      cname: `millrace-${toHexadecimal(nodeHandshakeCrypto.randomBytes(4))}`,
      announce: 'with-first-packet',
      ...(this.#options.lowerTransport === 'tcp' ? { maxWaitMs: 0 } : {}),
    });
    for (const [track, { bytes, arrivalMs }] of this.#earlyRtcp) this.#ingest.receiveRtcp(track, bytes, arrivalMs);
    this.#earlyRtcp.clear();
    return this.#ingest;
  }

  #startBackChannel(): void {
    const { backChannel } = this.#options;
    const connection = this.#connection;
    const number = this.#tracks.length;
    if (!connection.ready.has(number)) backChannel?.refused();
    else {
      backChannel?.start((packet, isRtcp) => {
        if (connection.socket.writableLength <= MAX_UNSENT_BYTES) connection.send(number, packet, isRtcp);
      });
    }
  }

  #noteSilence(): void {
    if (this.#fallsBackToTcp()) this.#connection.finish({ type: 'use-tcp' });
    else if (this.#srtp.unauthentic > 0) {
      this.#connection.fail(pullError('pull/silent', 'the packets of the server do not have the key it told'));
    } else this.#connection.fail(pullError('pull/silent', 'the server sends no packets'));
  }

  #fallsBackToTcp(): boolean {
    return this.#options.lowerTransport === 'udp' && this.#options.mayUseTcp;
  }
}

/** `RTP/SAVP` or `RTP/SAVPF`, as the description has it. */
function profileOf({ media }: RtspClientTrack): string {
  return media.protocol.toUpperCase().split('/', 2).join('/');
}
