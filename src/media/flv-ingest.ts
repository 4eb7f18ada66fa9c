import type { FlvTypeId } from '../format/flv/flv-codecs.tables.ts';
import { FlvDemuxer } from '../format/flv/flv-demuxer.ts';
import type { Publication } from './publication.ts';

/** Messages of a publisher that came to nothing, by reason. */
export interface FlvIngestCounters {
  /** What made sense but is of no use. */
  readonly ignored: Map<string, number>;
  /** What made no sense. */
  readonly malformed: Map<string, number>;
}

/** Feeds RTMP message bodies or FLV tag bodies into a publication. */
export class FlvIngest {
  readonly #demuxer = new FlvDemuxer();
  readonly #publication: Publication;
  readonly counters: FlvIngestCounters = { ignored: new Map(), malformed: new Map() };

  constructor(publication: Publication) {
    this.#publication = publication;
  }

  /**
   * @param timestampMs unsigned 32 bits
   * @param body only read during the call: what the stream keeps it copies
   */
  push(typeId: FlvTypeId, timestampMs: number, body: Uint8Array): void {
    for (const event of this.#demuxer.demux(typeId, timestampMs, body)) {
      switch (event.type) {
        case 'frame':
        case 'data':
          this.#publication.frame(event.frame);
          break;
        case 'track':
          this.#publication.track(event.track);
          break;
        case 'repeated-config':
          this.#publication.repeatedConfig(event.track);
          break;
        case 'metadata':
          if (!this.#publication.metadata(event.values)) count(this.counters.ignored, 'metadata-too-large');
          break;
        case 'ignored':
          count(this.counters.ignored, event.reason);
          break;
        case 'malformed':
          count(this.counters.malformed, event.reason);
          break;
        case 'end-of-sequence':
          // The end of a coded sequence inside a stream that goes on tells a live viewer nothing.
          break;
      }
    }
  }
}

function count(counters: Map<string, number>, reason: string): void {
  counters.set(reason, (counters.get(reason) ?? 0) + 1);
}
