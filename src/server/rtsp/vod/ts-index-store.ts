import { scanTsFile } from '../../../format/mpegts/ts-file-scan.ts';
import { parseTsIndex, type TsIndex, writeTsIndex } from '../../../format/mpegts/ts-index.ts';
import type { CacheDirectory } from '../../../io/cache-directory.ts';
import type { TreeFile } from '../../../io/file-tree.ts';
import { RandomAccessFile } from '../../../io/random-access-file.ts';

/** Most indices kept in memory. */
export const MAX_INDICES_IN_MEMORY = 32;

/** Indices of transport stream files: made when first asked for, kept in memory and, where there is one, in a directory. */
export class TsIndexStore {
  readonly #directory: CacheDirectory | undefined;
  /** Least recently used first. */
  readonly #known = new Map<string, Promise<TsIndex>>();

  constructor(directory: CacheDirectory | undefined) {
    this.#directory = directory;
  }

  /** @throws ProtocolError when the file is no transport stream, ResourceError when it can't be read */
  indexOf(file: TreeFile): Promise<TsIndex> {
    // Another size or time is another file.
    const key = `${file.path}\n${file.sizeBytes}\n${file.modifiedMs}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#known.delete(key);
      this.#known.set(key, known);
      return known;
    }
    const made = this.#make(key, file);
    this.#known.set(key, made);
    if (this.#known.size > MAX_INDICES_IN_MEMORY) this.#known.delete(this.#known.keys().next().value as string);
    // What failed is tried anew by the next who asks; this one gets the failure through `made` itself.
    made.catch(() => {
      if (this.#known.get(key) === made) this.#known.delete(key);
    });
    return made;
  }

  async #make(key: string, file: TreeFile): Promise<TsIndex> {
    const stored = await this.#directory?.get(key);
    const parsed = stored && parseTsIndex(stored);
    if (parsed !== undefined) return parsed;
    const opened = await RandomAccessFile.open(file.path);
    try {
      const index = await scanTsFile(opened);
      await this.#directory?.put(key, writeTsIndex(index));
      return index;
    } finally {
      await opened.close();
    }
  }
}
