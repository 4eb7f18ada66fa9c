import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { ResourceError } from '../wire/errors.ts';
import type { FileErrorCode } from './file-chunks.ts';

/** A file being written from its beginning; what was there before is gone. */
export class FileSink {
  readonly #stream: WriteStream;
  /** Settles when the file is closed; rejects with a ResourceError when anything could not be written. */
  readonly #done: Promise<void>;
  #sizeBytes = 0;

  constructor(path: string) {
    this.#stream = createWriteStream(path);
    this.#done = finished(this.#stream).catch((cause: Error) => {
      const code: FileErrorCode = 'file/not-writable';
      throw new ResourceError(code, `can't write ${path}: ${cause.message}`, { cause });
    });
    // `write` and `close` report it; until one of them is called the failure must not count as unhandled.
    this.#done.catch(() => this.#stream.destroy());
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Takes bytes over; resolves when more may come.
   * @throws ResourceError `file/not-writable` when something before could not be written
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.#sizeBytes += bytes.length;
    if (this.#stream.destroyed) await this.#done;
    else if (!this.#stream.write(bytes)) {
      const drained = Promise.withResolvers<void>();
      this.#stream.once('drain', drained.resolve);
      await Promise.race([drained.promise, this.#done]);
    }
  }

  /**
   * Writes the rest and closes the file.
   * @throws ResourceError `file/not-writable` when anything could not be written
   */
  async close(): Promise<void> {
    this.#stream.end();
    await this.#done;
  }
}
