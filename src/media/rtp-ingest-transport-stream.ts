import type { TsDemuxEvent } from '../format/mpegts/ts-demux-event.ts';
import { TsDemuxer } from '../format/mpegts/ts-demuxer.ts';
import type { DepacketizedUnit } from '../protocol/rtp/payload/depacketizer.ts';
import type { Publication } from './publication.ts';
import type { UnitSink } from './rtp-ingest-track.ts';

/**
 * Makes tracks and frames of a transport stream in RTP (RFC 2250 §2). Its own time stamps count: those of RTP are a
 * clock of the transport.
 */
export class RtpIngestTransportStream implements UnitSink {
  readonly #publication: Publication;
  #demuxer: TsDemuxer = new TsDemuxer();
  #dropped = 0;
  #malformed = 0;

  constructor(publication: Publication) {
    this.#publication = publication;
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
          this.#publication.frame(event.frame);
          break;
        case 'track':
          this.#publication.track(event.track);
          break;
        case 'repeated-config':
          this.#publication.repeatedConfig(event.track);
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
}
