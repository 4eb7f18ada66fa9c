import type { Frame } from '../codec/frame.ts';
import type { Track } from '../codec/track.ts';
import type { Metadata } from './metadata.ts';

/** Who publishes, for logs and the list of streams. */
export interface PublisherInfo {
  /** Context id of the session, as in its log lines. */
  readonly id: string;
  readonly protocol: 'rtmp' | 'rtsp' | 'file';
  /** `address:port`, or a file's name. */
  readonly remote: string;
}

/** Why a publication ended. */
export type PublicationEnd =
  /** The publisher said so. */
  | 'unpublished'
  /** Its connection went away. */
  | 'lost'
  /** No frame came for too long. */
  | 'timeout'
  /** Another publisher took the stream over. */
  | 'taken-over'
  /** The server is shutting down, or an operator ended it. */
  | 'closed';

/** What a publication does to its stream; implemented by `Stream`. */
export interface PublicationTarget {
  acceptTrack(track: Track): void;
  acceptRepeatedConfig(track: Track): void;
  acceptMetadata(values: Metadata): boolean;
  acceptFrame(frame: Frame): void;
  publicationEnded(publication: Publication, end: PublicationEnd): void;
}

/**
 * A publisher's hold on a stream, from publish to its end. Frames carry the publisher's raw times; the stream restamps
 * them. After the end every call does nothing, so that late packets of a closed session need no care.
 */
export class Publication {
  readonly info: PublisherInfo;
  readonly startedMs: number;
  /** Arrival of the newest frame, or undefined before the first. */
  lastFrameMs: number | undefined;
  readonly #target: PublicationTarget;
  readonly #onEnded: (end: PublicationEnd) => void;
  #ended = false;

  /** @param onEnded told once, when the stream ends the publication for a reason other than `end()` */
  constructor(
    target: PublicationTarget,
    info: PublisherInfo,
    startedMs: number,
    onEnded: (end: PublicationEnd) => void,
  ) {
    this.#target = target;
    this.info = info;
    this.startedMs = startedMs;
    this.#onEnded = onEnded;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** A new or changed track; frames of it follow. */
  track(track: Track): void {
    if (!this.#ended) this.#target.acceptTrack(track);
  }

  /** The publisher sent a track's configuration again, unchanged. */
  repeatedConfig(track: Track): void {
    if (!this.#ended) this.#target.acceptRepeatedConfig(track);
  }

  /** Names and values to be merged into onMetaData. False when they were dropped because they are too much. */
  metadata(values: Metadata): boolean {
    return this.#ended || this.#target.acceptMetadata(values);
  }

  /** A media or data frame with raw times. The stream copies `payload`: it need not outlast the call. */
  frame(frame: Frame): void {
    if (!this.#ended) this.#target.acceptFrame(frame);
  }

  /** The publisher's side ends it. */
  end(end: 'unpublished' | 'lost'): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#target.publicationEnded(this, end);
  }

  /** The stream's side ends it: the publisher is told through `onEnded`. */
  revoke(end: PublicationEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#target.publicationEnded(this, end);
    this.#onEnded(end);
  }
}
