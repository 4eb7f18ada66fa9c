import { FlvIngest } from '../../media/flv-ingest.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import type { StreamName } from '../../media/stream-name.ts';
import { type Logger, sessionLogger } from '../log/logger.ts';
import { pacedFlvTags } from './paced-flv.ts';

export interface FilePublisherOptions {
  readonly hub: StreamHub;
  readonly log: Logger;
  readonly name: StreamName;
  /** An FLV file. */
  readonly path: string;
}

/** Publishes a file in a loop as a live stream of this server (`--demo`). */
export class FilePublisher {
  readonly #abort = new AbortController();
  /** Settles when the publishing has ended; rejects when the file can't be read or the name is taken. */
  readonly finished: Promise<void>;

  constructor(options: FilePublisherOptions) {
    this.finished = this.#run(options);
  }

  /** Idempotent. */
  close(): void {
    this.#abort.abort();
  }

  async #run(options: FilePublisherOptions): Promise<void> {
    const stream = options.hub.getOrCreate(options.name);
    const log = sessionLogger(options.log, { protocol: 'file', stream: stream.key });
    const publication = stream.publish(
      { id: log.bindings()['cid'] as string, protocol: 'file', remote: options.path },
      (end) => {
        log.info({ end }, 'publication ended');
        this.#abort.abort();
      },
    );
    const ingest = new FlvIngest(publication);
    log.info({ file: options.path }, 'publishing a file in a loop');
    try {
      for await (const tag of pacedFlvTags({ path: options.path, loop: true, signal: this.#abort.signal })) {
        ingest.push(tag.typeId, tag.timestamp, tag.body);
      }
    } finally {
      publication.end('unpublished');
    }
  }
}
