import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { ResourceError } from '../wire/errors.ts';
import type { FileErrorCode } from './file-chunks.ts';

/** A file being written from its beginning; what was there before is gone. */
export class FileSink {
  readonly #path: string;
  readonly #stream: WriteStream;
  readonly #done: Promise<void>;
  #sizeBytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#stream = createWriteStream(path);
    this.#done = finished(this.#stream);
    // `close` reports it; until then the failure must not count as unhandled.
    this.#done.catch(() => this.#stream.destroy());
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes bytes over; resolves when more may come. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#sizeBytes += bytes.length;
    if (this.#stream.write(bytes) || this.#stream.destroyed) return;
    await Promise.race([new Promise<void>((resolve) => this.#stream.once('drain', resolve)), this.#done]);
  }

  /**
   * Writes the rest and closes the file.
   * @throws ResourceError `file/not-writable` when anything could not be written
   */
  async close(): Promise<void> {
    this.#stream.end();
    try {
      await this.#done;
    } catch (cause) {
      throw new ResourceError(
        'file/not-writable' satisfies FileErrorCode,
        `can't write ${this.#path}: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
}
