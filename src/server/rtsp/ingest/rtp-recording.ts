import type { Clock } from '../../../media/clock.ts';
import type { Publication, PublicationEnd, PublisherInfo } from '../../../media/publication.ts';
import { RtpIngest, type RtpIngestTrackDescription } from '../../../media/rtp-ingest.ts';
import type { Stream } from '../../../media/stream.ts';
import { ResourceError } from '../../../wire/errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { MediaEndReason, Recording, RecordingOptions, RecordRefusal } from '../media-session.ts';

export interface RtpRecordingOptions extends RecordingOptions {
  readonly openStream: () => Stream;
  /** Of every track of the media session; undefined for those that can't be carried. */
  readonly descriptions: readonly (RtpIngestTrackDescription | undefined)[];
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
    this.#ingest!.receiveRtp(index, bytes, this.#options.clock.nowMs());
    this.#arm();
  }

  receiveRtcp(track: number, bytes: Uint8Array): void {
    const index = this.#indices.get(track);
    if (index === undefined || this.#isClosed) return;
    this.#ingest!.receiveRtcp(index, bytes, this.#options.clock.nowMs());
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
    const { openStream, info, log, descriptions, tracks, keepsOrder, random32, onPublishing } = this.#options;
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
    }
    this.#ingest = new RtpIngest({
      publication,
      tracks: taken,
      ssrc: random32(),
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
    this.#options.log.info({ stream: this.#stream!.key, end, lost, malformed, late, dropped }, 'publication ended');
  }

  /** Sets the timer for what is due next; one that comes too early does no harm. */
  #arm(): void {
    const dueMs = this.#ingest!.nextTimeoutMs();
    if (dueMs === undefined || this.#isClosed || (this.#timerMs !== undefined && this.#timerMs <= dueMs)) return;
    this.#stopTimer?.();
    this.#timerMs = dueMs;
    const { clock } = this.#options;
    this.#stopTimer = clock.after(Math.max(0, dueMs - clock.nowMs()), () => this.#timeout());
  }

  #timeout(): void {
    this.#timerMs = undefined;
    for (const { track, bytes } of this.#ingest!.handleTimeout(this.#options.clock.nowMs())) {
      this.#options.delivery.writeRtcp(this.#tracks[track]!, bytes);
    }
    this.#arm();
  }
}
