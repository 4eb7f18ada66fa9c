import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { ResourceError } from '../wire/errors.ts';

/** Codes of the `ResourceError`s of a file tree. */
export type FileTreeErrorCode = 'file-tree/not-a-directory';

/** A file as it is now. */
export interface TreeFile {
  /** Absolute, symbolic links resolved. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** Longest path asked for, characters. */
export const MAX_TREE_PATH = 1024;

/** A directory whose files may be given out, and nothing outside of it, whatever links lie in it. */
export class FileTree {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** @throws ResourceError when `root` is no directory that can be read */
  static async open(root: string): Promise<FileTree> {
    try {
      const real = await realpath(root);
      if ((await stat(real)).isDirectory()) return new FileTree(real);
    } catch (cause) {
      throw notADirectory(root, cause);
    }
    throw notADirectory(root);
  }

  /**
   * The regular file at a path of this tree, or undefined when there is none, when the path or a link in it leads out, or when a
   * part of it begins with a dot.
   * @param path with slashes, relative or from the root on
   */
  async find(path: string): Promise<TreeFile | undefined> {
    const parts = path.split('/').filter((part) => part !== '');
    const isPlain = parts.every((part) => !part.startsWith('.') && !part.includes('\0') && !part.includes('\\'));
    if (parts.length === 0 || path.length > MAX_TREE_PATH || !isPlain) return undefined;
    try {
      const real = await realpath(join(this.root, ...parts));
      const inside = this.root.endsWith(sep) ? this.root : this.root + sep;
      if (!real.startsWith(inside)) return undefined;
      const stats = await stat(real);
      return stats.isFile() ? { path: real, sizeBytes: stats.size, modifiedMs: stats.mtimeMs } : undefined;
    } catch (error) {
      // Whatever keeps the file from being read, whoever asks learns only that there is none.
      if (typeof (error as NodeJS.ErrnoException).code === 'string') return undefined;
      throw error;
    }
  }
}

function notADirectory(root: string, cause?: unknown): ResourceError {
  return new ResourceError(
    'file-tree/not-a-directory' satisfies FileTreeErrorCode,
    `${root} is not a directory that can be read`,
    cause === undefined ? undefined : { cause },
  );
}
