import type { Clock } from '../../../media/clock.ts';
import type { Publication, PublicationEnd, PublisherInfo } from '../../../media/publication.ts';
import { RtpIngest, type RtpIngestTrackDescription } from '../../../media/rtp-ingest.ts';
import type { Stream } from '../../../media/stream.ts';
import type { MikeySrtp } from '../../../protocol/mikey/mikey-srtp.ts';
import { ResourceError } from '../../../wire/errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { MediaEndReason, Recording, RecordingOptions, RecordRefusal } from '../media-session.ts';
import { droppedOf, ownSsrc, SrtpReception } from '../srtp-reception.ts';

export interface RtpRecordingOptions extends RecordingOptions {
  readonly openStream: () => Stream;
  /** Of every track of the media session; undefined for those that can't be carried. */
  readonly descriptions: readonly (RtpIngestTrackDescription | undefined)[];
  /** Of every track of the media session that is SRTP. */
  readonly keys: readonly (MikeySrtp | undefined)[];
  readonly info: PublisherInfo;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random32: () => number;
  /** The stream is this client's. */
  readonly onPublishing: () => void;
}

const END_REASONS: Readonly<Record<PublicationEnd, MediaEndReason>> = {
  unpublished: 'ended',
  lost: 'ended',
  timeout: 'timeout',
  'taken-over': 'closed',
  closed: 'closed',
};

/** One client publishing a stream: takes the stream with the first RECORD and keeps it, paused or not, until the end. */
export class RtpRecording implements Recording {
  readonly #options: RtpRecordingOptions;
  /** Index of a track of the media session among those taken in. */
  readonly #indices = new Map<number, number>();
  readonly #tracks: number[] = [];
  /** By track of the media session. */
  readonly #protected = new Map<number, SrtpReception>();
  #ingest: RtpIngest | undefined;
  #publication: Publication | undefined;
  #stream: Stream | undefined;
  #isPaused = false;
  #isClosed = false;
  #timerMs: number | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(options: RtpRecordingOptions) {
    this.#options = options;
  }

  record(): RecordRefusal | undefined {
    this.#isPaused = false;
    return this.#publication === undefined ? this.#publish() : undefined;
  }

  pause(): void {
    this.#isPaused = true;
  }

  receiveRtp(track: number, bytes: Uint8Array): void {
    const index = this.#indices.get(track);
    if (index === undefined || this.#isPaused || this.#isClosed) return;
    const reception = this.#protected.get(track);
    const packet = reception === undefined ? bytes : reception.unprotect(bytes);
    if (packet === undefined) return;
    this.#ingest!.receiveRtp(index, packet, this.#options.clock.nowMs());
    this.#arm();
  }

  receiveRtcp(track: number, bytes: Uint8Array): void {
    const index = this.#indices.get(track);
    if (index === undefined || this.#isClosed) return;
    const reception = this.#protected.get(track);
    const packet = reception === undefined ? bytes : reception.unprotectRtcp(bytes);
    if (packet === undefined) return;
    this.#ingest!.receiveRtcp(index, packet, this.#options.clock.nowMs());
    this.#arm();
  }

  /** A timer of its own does it: packets are not waited for as long as that. */
  housekeep(): void {}

  close(end: 'unpublished' | 'lost'): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopTimer?.();
    if (this.#publication === undefined) return;
    this.#ingest?.end();
    this.#publication.end(end);
    this.#logEnd(end);
  }

  #publish(): RecordRefusal | undefined {
    const { openStream, info, log, descriptions, keys, tracks, keepsOrder, random32, onPublishing } = this.#options;
    const stream = openStream();
    let publication: Publication;
    try {
      publication = stream.publish(info, (end) => this.#revoked(end));
    } catch (error) {
      if (!(error instanceof ResourceError)) throw error;
      log.info({ stream: stream.key, reason: error.message }, 'publish refused');
      return { statusCode: 403 };
    }
    this.#publication = publication;
    this.#stream = stream;
    const taken: RtpIngestTrackDescription[] = [];
    for (const [track, description] of descriptions.entries()) {
      if (description === undefined || !tracks.has(track)) continue;
      this.#indices.set(track, taken.length);
      this.#tracks.push(track);
      taken.push(description);
      const offer = keys[track];
      if (offer !== undefined) this.#protected.set(track, new SrtpReception(offer));
    }
    this.#ingest = new RtpIngest({
      publication,
      tracks: taken,
      ssrc: ownSsrc(random32, keys),
      cname: `millrace-${random32().toString(36)}`,
      ...(keepsOrder ? { maxWaitMs: 0 } : {}),
    });
    onPublishing();
    log.info({ stream: stream.key, tracks: taken.map(({ mapping }) => mapping.encodingName) }, 'publishing');
    return undefined;
  }

  #revoked(end: PublicationEnd): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopTimer?.();
    this.#logEnd(end);
    // Whoever took the stream away is in the middle of it.
    this.#options.clock.soon(() => this.#options.onEnded(END_REASONS[end]));
  }

  #logEnd(end: PublicationEnd): void {
    const { lost, malformed, late, dropped } = this.#ingest!.counters();
    const counts = { lost, malformed, late, dropped };
    const srtp = this.#protected.size === 0 ? {} : { srtp: droppedOf(this.#protected.values()) };
    this.#options.log.info({ stream: this.#stream!.key, end, ...counts, ...srtp }, 'publication ended');
  }

  /** Sets the timer for what is due next; one that comes too early does no harm. */
  #arm(): void {
    const dueMs = this.#ingest!.nextTimeoutMs();
    if (dueMs === undefined || this.#isClosed || (this.#timerMs !== undefined && this.#timerMs <= dueMs)) return;
    this.#stopTimer?.();
    this.#timerMs = dueMs;
    const { clock } = this.#options;
    this.#stopTimer = clock.after(Math.max(0, dueMs - clock.nowMs()), () => setImmediate(() => this.#timeout()));
  }

  /**
   * By then what has come meanwhile was read. A publisher that has sent everything and left refuses reports, which ends
   * the connection with all that was not; and what a hole is waited for may have come.
   */
  #timeout(): void {
    this.#timerMs = undefined;
    if (this.#isClosed) return;
    for (const { track, bytes } of this.#ingest!.handleTimeout(this.#options.clock.nowMs())) {
      const place = this.#tracks[track]!;
      const report = this.#protected.get(place)?.protectRtcp(bytes) ?? bytes;
      if (report.length > 0) this.#options.delivery.writeRtcp(place, report);
    }
    this.#arm();
  }
}
