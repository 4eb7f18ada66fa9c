import { createReadStream } from 'node:fs';
import { ResourceError } from '../wire/errors.ts';

/** Codes of the `ResourceError`s of reading and writing files. */
export type FileErrorCode = 'file/not-found' | 'file/not-readable' | 'file/not-writable';

/**
 * The bytes of a file, piece by piece.
 * @throws ResourceError with a `FileErrorCode`
 */
export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) yield chunk as Uint8Array;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const code: FileErrorCode = missing ? 'file/not-found' : 'file/not-readable';
    throw new ResourceError(
      code,
      missing ? `there is no file ${path}` : `can't read ${path}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}
