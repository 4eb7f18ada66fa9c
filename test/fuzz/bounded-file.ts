import type { RandomAccess } from '../../src/format/media-file.ts';

/**
 * A file in memory that can be read only so often: a reader of a damaged file that would go on for ever fails instead of
 * hanging. Places and sizes that make no sense fail too.
 */
export class BoundedFile implements RandomAccess {
  readonly #bytes: Uint8Array;
  #readsLeft: number;

  constructor(bytes: Uint8Array, maxReads = 200_000) {
    this.#bytes = bytes;
    this.#readsLeft = maxReads;
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  read(offset: number, sizeBytes: number): Promise<Uint8Array> {
    if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
      return Promise.reject(new RangeError(`a read of ${sizeBytes} bytes at ${offset}`));
    }
    if (this.#readsLeft-- === 0) return Promise.reject(new RangeError('endless reading'));
    return Promise.resolve(this.#bytes.slice(offset, offset + sizeBytes));
  }
}
