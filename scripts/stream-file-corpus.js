/**
 * `node scripts/stream-file-corpus.js`: makes the inputs of the fuzz target stream-file with ffmpeg: the beginnings of small
 * files behind a byte that names the reader, whole and damaged.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './lib/shell.js';

const FFMPEG = 'ffmpeg';
const MAX_BYTES = 3900;
const TONE = ['-f', 'lavfi', '-i', 'sine=duration=1:sample_rate=8000'];
const PICTURE = ['-f', 'lavfi', '-i', 'color=size=32x32:rate=10:duration=2'];

/** @type {readonly [string, number, readonly string[]][]} name, number of the reader, arguments */
const kinds = [
  ['aac', 0, [...TONE, '-c:a', 'aac', '-b:a', '8k', '-f', 'adts']],
  ['mp3', 1, [...TONE, '-c:a', 'libmp3lame', '-b:a', '8k', '-f', 'mp3']],
  ['ac3', 2, [...TONE, '-ar', '32000', '-c:a', 'ac3', '-b:a', '32k', '-f', 'ac3']],
  ['wav', 3, [...TONE, '-t', '0.2', '-f', 'wav']],
  ['wav-mulaw', 3, [...TONE, '-t', '0.2', '-c:a', 'pcm_mulaw', '-f', 'wav']],
  ['wav-24', 3, [...TONE, '-t', '0.1', '-c:a', 'pcm_s24le', '-f', 'wav']],
  ['rf64', 3, [...TONE, '-t', '0.2', '-rf64', 'always', '-f', 'wav']],
  ['264', 6, [...PICTURE, '-c:v', 'libx264', '-bf', '2', '-g', '5', '-f', 'h264']],
  ['265', 7, [...PICTURE, '-c:v', 'libx265', '-x265-params', 'keyint=5:log-level=error', '-f', 'hevc']],
  ['m4v', 8, [...PICTURE, '-c:v', 'mpeg4', '-bf', '1', '-f', 'm4v']],
  ['mpg', 9, [...PICTURE, '-r', '25', '-c:v', 'mpeg1video', '-f', 'mpeg']],
  [
    'vob',
    9,
    [...PICTURE, ...TONE, '-r', '25', '-c:v', 'mpeg2video', '-bf', '2', '-c:a', 'ac3', '-ar', '48000', '-f', 'vob'],
  ],
  ['ts', 10, [...PICTURE, '-c:v', 'libx264', '-g', '5', '-f', 'mpegts']],
  ['program-ts', 11, [...PICTURE, '-c:v', 'libx264', '-g', '5', '-f', 'mpegts']],
  [
    'ts-265-mp2',
    10,
    [
      ...PICTURE,
      ...TONE,
      '-c:v',
      'libx265',
      '-x265-params',
      'keyint=5:log-level=error',
      '-c:a',
      'mp2',
      '-ar',
      '48000',
      '-b:a',
      '32k',
      '-f',
      'mpegts',
    ],
  ],
  ['m2ts', 11, [...PICTURE, '-c:v', 'libx264', '-g', '5', '-mpegts_m2ts_mode', '1', '-f', 'mpegts']],
  ['oga', 12, [...TONE, '-c:a', 'flac', '-t', '0.1', '-f', 'oga']],
  ['ogv', 12, [...PICTURE, '-c:v', 'libtheora', '-g', '5', '-f', 'ogv']],
  ['ogg', 12, [...TONE, '-c:a', 'libopus', '-ar', '48000', '-b:a', '8k', '-f', 'ogg']],
];

const folder = join(root, 'test', 'corpus', 'stream-file');
const scratch = mkdtempSync(join(tmpdir(), 'stream-file-'));
mkdirSync(folder, { recursive: true });
for (const [name, reader, args] of kinds) {
  const path = join(scratch, name);
  execFileSync(FFMPEG, ['-v', 'error', '-y', ...args, path]);
  const bytes = readFileSync(path).subarray(0, MAX_BYTES);
  writeFileSync(join(folder, `${name}.bin`), Buffer.concat([Buffer.of(reader), bytes]));
  // Every 97th byte is another one: headers that lie.
  const damaged = Buffer.from(bytes.map((byte, i) => (i > 40 && i % 97 === 0 ? byte ^ 0x55 : byte)));
  writeFileSync(join(folder, `${name}-damaged.bin`), Buffer.concat([Buffer.of(reader), damaged]));
}
const amr = Buffer.concat([Buffer.from('\x04#!AMR\n', 'latin1'), Buffer.alloc(32 * 20, 0x3c)]);
writeFileSync(join(folder, 'amr.bin'), amr);
writeFileSync(join(folder, 'empty.bin'), Buffer.of(9));
rmSync(scratch, { recursive: true, force: true });
