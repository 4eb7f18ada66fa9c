import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A directory of small files that can be made anew at any time: what can't be read or written there is as if it had
 * never been.
 */
export class CacheDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** What was put under this key, or undefined. */
  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      return new Uint8Array(await readFile(this.#fileOf(key)));
    } catch (error) {
      if (typeof (error as NodeJS.ErrnoException).code === 'string') return undefined;
      throw error;
    }
  }

  /** Puts bytes under a key, whole or not at all. @returns whether it could */
  async put(key: string, bytes: Uint8Array): Promise<boolean> {
    const file = this.#fileOf(key);
    const partial = `${file}.${randomBytes(6).toString('hex')}.partial`;
    try {
      await mkdir(this.path, { recursive: true, mode: 0o700 });
      await writeFile(partial, bytes, { mode: 0o600 });
      await rename(partial, file);
      return true;
    } catch (error) {
      await rm(partial, { force: true });
      if (typeof (error as NodeJS.ErrnoException).code === 'string') return false;
      throw error;
    }
  }

  #fileOf(key: string): string {
    return join(this.path, createHash('sha256').update(key).digest('hex'));
  }
}
