import type { Frame } from '../../src/codec/frame.ts';
import type { MediaFile, RandomAccess } from '../../src/format/media-file.ts';

/** A file in memory. */
export function memoryFile(bytes: Uint8Array): RandomAccess {
  return {
    sizeBytes: bytes.length,
    read: (offset, sizeBytes) => Promise.resolve(bytes.slice(offset, offset + sizeBytes)),
  };
}

/** The frames from where the file stands to its end, or the first `count` of them. */
export async function framesOf(file: MediaFile, count: number = Number.POSITIVE_INFINITY): Promise<Frame[]> {
  const frames: Frame[] = [];
  while (frames.length < count) {
    const frame = await file.next();
    if (frame === undefined) break;
    frames.push(frame);
  }
  return frames;
}
