import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlvReader, type FlvTag } from '../../src/format/flv/flv-reader.ts';
import { writeFlvHeader, writeFlvTag } from '../../src/format/flv/flv-tag.ts';

/** Ten seconds of H.264 and AAC; key frames at 80, 2360, 5360 and 8280 ms. */
export const CLIP: string = join(import.meta.dirname, '../fixtures/bbb.flv');
/** What a short clip takes of it, milliseconds: a GOP and a bit. */
const SHORT_MS = 3_000;

/**
 * Writes the beginning of the clip to a file of its own, for tests that take the time a file takes.
 *
 * @param durationMs what it takes of the clip, milliseconds
 */
export async function writeShortClip(path: string, durationMs: number = SHORT_MS): Promise<void> {
  const tags = tagsOf(await readFile(CLIP)).filter((tag) => tag.timestamp < durationMs);
  const parts = tags.map((tag) => writeFlvTag(tag.typeId, tag.timestamp, [tag.body]));
  await writeFile(path, Buffer.concat([writeFlvHeader({ hasAudio: true, hasVideo: true }), ...parts]));
}

/** The tags of an FLV file. */
export function tagsOf(file: Uint8Array): FlvTag[] {
  return new FlvReader().receive(file).filter((event) => event.type === 'tag');
}
