import { type FileHandle, open, stat } from 'node:fs/promises';
import { ResourceError } from '../wire/errors.ts';
import type { FileErrorCode } from './file-chunks.ts';

/** Codes of the `ResourceError`s of random access. */
export type RandomAccessErrorCode =
  | Exclude<FileErrorCode, 'file/not-writable'>
  /** Its size or time of modification is no longer what it was when it was opened. */
  | 'file/changed'
  | 'file/closed';

/** Bytes read ahead at once. Larger reads go past the cache. */
export const READ_AHEAD_BYTES = 32_768;

/**
 * Pieces of `READ_AHEAD_BYTES` kept for one file. Tracks of a file lie side by side in it, so a reader is at as many places
 * as there are tracks.
 */
export const READ_AHEAD_PIECES = 4;

interface FileState {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly inode: number;
}

/**
 * A file opened for reading any part of it: the `RandomAccess` of format/media-file.ts, which this layer may not import.
 * Calls may overlap. A change of the file is noticed with the next read from the disk: what was learnt of its structure
 * would be wrong for what is there now.
 */
export class RandomAccessFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #state: FileState;
  /** By number of the piece, least recently used first. */
  readonly #pieces: Map<number, Promise<Uint8Array>> = new Map();
  #closing: Promise<void> | undefined;

  private constructor(path: string, handle: FileHandle, state: FileState) {
    this.path = path;
    this.#handle = handle;
    this.#state = state;
  }

  /** @throws ResourceError `file/not-found`, or `file/not-readable`, for a folder too */
  static async open(path: string): Promise<RandomAccessFile> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, 'r');
      const stats = await handle.stat();
      if (!stats.isFile()) throw fileError('file/not-readable', `${path} is not a file`);
      return new RandomAccessFile(path, handle, stateOf(stats));
    } catch (cause) {
      await handle?.close();
      if (cause instanceof ResourceError) throw cause;
      const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      if (isMissing) throw fileError('file/not-found', `there is no file ${path}`, cause);
      throw fileError('file/not-readable', `can't read ${path}: ${(cause as Error).message}`, cause);
    }
  }

  /** As it was when the file was opened. */
  get sizeBytes(): number {
    return this.#state.sizeBytes;
  }

  /** Last modification when the file was opened, milliseconds since 1970. */
  get modifiedMs(): number {
    return this.#state.modifiedMs;
  }

  /**
   * Bytes from `offset` on, in a buffer of their own: as many as asked for, fewer only at the end of the file.
   * @throws ResourceError `file/not-readable`, `file/changed`, `file/closed`
   */
  async read(offset: number, sizeBytes: number): Promise<Uint8Array> {
    if (this.#closing !== undefined) throw fileError('file/closed', `${this.path} is closed`);
    const end = Math.min(offset + sizeBytes, this.sizeBytes);
    if (offset < 0 || end <= offset) return new Uint8Array(0);
    if (end - offset >= READ_AHEAD_BYTES) return this.#readDisk(offset, end - offset);
    const first = Math.floor(offset / READ_AHEAD_BYTES);
    const last = Math.floor((end - 1) / READ_AHEAD_BYTES);
    const start = first * READ_AHEAD_BYTES;
    if (first === last) return (await this.#piece(first)).slice(offset - start, end - start);
    const [one, two] = await Promise.all([this.#piece(first), this.#piece(last)]);
    const bytes = new Uint8Array(end - offset);
    bytes.set(one.subarray(offset - start));
    bytes.set(two.subarray(0, end - start - READ_AHEAD_BYTES), start + READ_AHEAD_BYTES - offset);
    return bytes;
  }

  /**
   * Whether what stands at the path is no longer the file that was opened: another file, changed, or none.
   * @throws ResourceError `file/not-readable` when that can't be told
   */
  async isChanged(): Promise<boolean> {
    try {
      const now = stateOf(await stat(this.path));
      return now.inode !== this.#state.inode || !isSame(now, this.#state);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return true;
      throw fileError('file/not-readable', `can't look at ${this.path}: ${(cause as Error).message}`, cause);
    }
  }

  /** Ends reading; reads under way end well. May be called again. */
  close(): Promise<void> {
    this.#pieces.clear();
    this.#closing ??= this.#handle.close();
    return this.#closing;
  }

  #piece(index: number): Promise<Uint8Array> {
    const known = this.#pieces.get(index);
    if (known !== undefined) {
      this.#pieces.delete(index);
      this.#pieces.set(index, known);
      return known;
    }
    const start = index * READ_AHEAD_BYTES;
    const piece = this.#readDisk(start, Math.min(READ_AHEAD_BYTES, this.sizeBytes - start));
    this.#pieces.set(index, piece);
    if (this.#pieces.size > READ_AHEAD_PIECES) this.#pieces.delete(this.#pieces.keys().next().value as number);
    // What failed is tried anew by the next reader; this one gets the failure through `piece` itself.
    piece.catch(() => {
      if (this.#pieces.get(index) === piece) this.#pieces.delete(index);
    });
    return piece;
  }

  async #readDisk(offset: number, sizeBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(sizeBytes);
    let length = 0;
    let now: FileState;
    try {
      while (length < sizeBytes) {
        const { bytesRead } = await this.#handle.read(bytes, length, sizeBytes - length, offset + length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      now = stateOf(await this.#handle.stat());
    } catch (cause) {
      throw fileError('file/not-readable', `can't read ${this.path}: ${(cause as Error).message}`, cause);
    }
    if (length < sizeBytes || !isSame(now, this.#state)) throw fileError('file/changed', `${this.path} has changed`);
    return bytes;
  }
}

function stateOf(stats: { readonly size: number; readonly mtimeMs: number; readonly ino: number }): FileState {
  return { sizeBytes: stats.size, modifiedMs: stats.mtimeMs, inode: stats.ino };
}

function isSame(a: FileState, b: FileState): boolean {
  return a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs;
}

function fileError(code: RandomAccessErrorCode, message: string, cause?: unknown): ResourceError {
  return new ResourceError(code, message, cause === undefined ? undefined : { cause });
}
