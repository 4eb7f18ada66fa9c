import type { FlvTypeId } from '../../format/flv/flv-codecs.tables.ts';
import { FlvIngest } from '../../media/flv-ingest.ts';
import type { Publication, PublisherInfo } from '../../media/publication.ts';
import type { Stream } from '../../media/stream.ts';
import { ResourceError } from '../../wire/errors.ts';
import type { Logger } from '../log/logger.ts';

export interface RtmpPublishOptions {
  readonly stream: Stream;
  readonly info: PublisherInfo;
  readonly log: Logger;
  /** The stream took the publication away: timeout, takeover, shutdown. */
  readonly onRevoked: () => void;
  /** Told at the end, for each reason for which messages made no sense. */
  readonly onMalformed: (reason: string, count: number) => void;
}

/** One stream published by an RTMP connection. */
export class RtmpPublish {
  readonly #ingest: FlvIngest;
  readonly #publication: Publication;
  readonly #stream: Stream;
  readonly #log: Logger;
  readonly #onMalformed: (reason: string, count: number) => void;
  #ended = false;

  private constructor(publication: Publication, options: RtmpPublishOptions) {
    this.#publication = publication;
    this.#ingest = new FlvIngest(publication);
    this.#stream = options.stream;
    this.#log = options.log;
    this.#onMalformed = options.onMalformed;
  }

  /** Takes the stream for this publisher, or gives back why it can't be had. */
  static begin(options: RtmpPublishOptions): RtmpPublish | ResourceError {
    let publish: RtmpPublish | undefined;
    try {
      const publication = options.stream.publish(options.info, (end) => {
        publish?.logEnd(end);
        options.onRevoked();
      });
      publish = new RtmpPublish(publication, options);
      return publish;
    } catch (error) {
      if (error instanceof ResourceError) return error;
      throw error;
    }
  }

  /** Whether the stream has viewers. */
  get isWatched(): boolean {
    return this.#stream.viewers > 0;
  }

  /** @param payload only read during the call */
  push(typeId: FlvTypeId, timestamp: number, payload: Uint8Array): void {
    this.#ingest.push(typeId, timestamp, payload);
  }

  /** Idempotent. */
  end(end: 'unpublished' | 'lost'): void {
    this.logEnd(end);
    this.#publication.end(end);
  }

  /** @internal */
  logEnd(end: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const { ignored, malformed } = this.#ingest.counters;
    for (const [reason, count] of malformed) this.#onMalformed(reason, count);
    this.#log.info(
      {
        stream: this.#stream.key,
        end,
        ...(ignored.size === 0 ? {} : { ignored: Object.fromEntries(ignored) }),
        ...(malformed.size === 0 ? {} : { malformed: Object.fromEntries(malformed) }),
      },
      'publication ended',
    );
  }
}
