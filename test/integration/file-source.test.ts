import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeFlvHeader, writeFlvTag } from '../../src/format/flv/flv-tag.ts';
import { flvFileTags } from '../../src/server/file-source/paced-flv.ts';
import { ScratchFolder } from './ffmpeg-files.ts';

const [AUDIO, VIDEO, SCRIPT] = [8, 9, 18] as const;

let scratch: ScratchFolder;

beforeEach(() => {
  scratch = new ScratchFolder();
});

afterEach(() => scratch.remove());

/** The timestamps a file with tags of these kinds and times is given. */
async function timesOf(tags: readonly (readonly [8 | 9 | 18, number])[]): Promise<number[]> {
  const path = scratch.file('tags.flv');
  const body = [Uint8Array.of(0, 0, 0)];
  const parts = tags.map(([typeId, timestampMs]) => writeFlvTag(typeId, timestampMs, body));
  writeFileSync(path, Buffer.concat([writeFlvHeader({ hasAudio: true, hasVideo: true }), ...parts]));
  const times: number[] = [];
  for await (const tag of flvFileTags({ path, loop: false })) times.push(tag.timestamp);
  return times;
}

it.each<[string, Parameters<typeof timesOf>[0], readonly number[]]>([
  [
    'begins with 0',
    [
      [VIDEO, 7000],
      [AUDIO, 6990],
      [VIDEO, 7040],
    ],
    [0, 0, 40],
  ],
  [
    'goes on where 32 bits end',
    [
      [VIDEO, 2 ** 32 - 40],
      [VIDEO, 0],
      [AUDIO, 2 ** 32 - 1],
      [VIDEO, 40],
    ],
    [0, 40, 39, 80],
  ],
  [
    'goes on where 31 bits end',
    [
      [VIDEO, 2 ** 31 - 40],
      [VIDEO, 2 ** 31],
      [VIDEO, 2 ** 31 + 40],
    ],
    [0, 40, 80],
  ],
  [
    'leaves metadata at 0 with the media',
    [
      [SCRIPT, 0],
      [VIDEO, 3e9],
      [SCRIPT, 0],
      [VIDEO, 3e9 + 40],
      [SCRIPT, 3e9 + 41],
    ],
    [0, 0, 0, 40, 41],
  ],
])('a file %s', async (_, tags, expected) => {
  expect(await timesOf(tags)).toEqual(expected);
});
