import type { Frame } from '../codec/frame.ts';
import { type Track, trackSlot } from '../codec/track.ts';
import type { TsDemuxEvent } from '../format/mpegts/ts-demux-event.ts';
import { TsDemuxer } from '../format/mpegts/ts-demuxer.ts';
import type { DepacketizedUnit } from '../protocol/rtp/payload/depacketizer.ts';
import type { Publication } from './publication.ts';
import type { UnitSink } from './rtp-ingest-track.ts';

/** Track ids from which on a transport stream numbers its tracks. */
export interface FirstTrackIds {
  readonly video: number;
  readonly audio: number;
}

/**
 * Makes tracks and frames of a transport stream in RTP (RFC 2250 §2). Its own time stamps count: those of RTP are a
 * clock of the transport.
 */
export class RtpIngestTransportStream implements UnitSink {
  readonly #publication: Publication;
  readonly #firstTrackIds: FirstTrackIds;
  /** Tracks as the demuxer tells them and as they are published. */
  readonly #published = new Map<number, { readonly told: Track; readonly track: Track }>();
  #demuxer: TsDemuxer = new TsDemuxer();
  #dropped = 0;
  #malformed = 0;

  /** @param firstTrackIds ids of its first tracks: where those of the tracks beside it end */
  constructor(publication: Publication, firstTrackIds: FirstTrackIds) {
    this.#publication = publication;
    this.#firstTrackIds = firstTrackIds;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get malformed(): number {
    return this.#malformed;
  }

  announce(): void {
    // What is in it, only its packets tell.
  }

  accept(unit: DepacketizedUnit): void {
    this.#pass(this.#demuxer.receive(unit.payload));
  }

  restart(): void {
    this.end();
    this.#demuxer = new TsDemuxer();
  }

  end(): void {
    this.#pass(this.#demuxer.flush());
  }

  #pass(events: readonly TsDemuxEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'frame':
          this.#publication.frame(this.#frameOf(event.frame));
          break;
        case 'track':
          this.#publication.track(this.#trackOf(event.track));
          break;
        case 'repeated-config':
          this.#publication.repeatedConfig(this.#trackOf(event.track));
          break;
        case 'ignored':
          this.#dropped++;
          break;
        case 'malformed':
          this.#malformed++;
          break;
        case 'clock':
        case 'end-of-sequence':
          // Neither tells a live viewer anything.
          break;
      }
    }
  }

  #frameOf(frame: Frame): Frame {
    const track = this.#trackOf(frame.track);
    return track === frame.track ? frame : { ...frame, track };
  }

  #trackOf(told: Track): Track {
    const firstId = told.kind === 'data' ? 0 : this.#firstTrackIds[told.kind];
    if (firstId === 0) return told;
    const slot = trackSlot(told);
    const known = this.#published.get(slot);
    if (known?.told === told) return known.track;
    const track = { ...told, trackId: told.trackId + firstId };
    this.#published.set(slot, { told, track });
    return track;
  }
}
