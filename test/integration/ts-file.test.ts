import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTsFile, openTsProgramFile } from '../../src/format/mpegts/ts-file.ts';
import { parseTsIndex, type TsIndex, writeTsIndex } from '../../src/format/mpegts/ts-index.ts';
import { md5, memoryFile, readFrames } from '../vod-test-kit.ts';
import { framesByFfmpeg, makeWithFfmpeg, ScratchFolder } from './ffmpeg-files.ts';
import { readTs } from './format-media.ts';

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=10'];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=10'];

const scratch = new ScratchFolder();
afterAll(() => scratch.remove());

describe.each([
  ['H.264 and AAC', [...PICTURE, ...TONE, '-c:v', 'libx264', '-g', '50', '-bf', '2', '-c:a', 'aac']],
  [
    'H.265',
    [...PICTURE, '-c:v', 'libx265', '-x265-params', 'keyint=50:min-keyint=50:scenecut=0:open-gop=0:log-level=error'],
  ],
  ['MPEG-2 video', [...PICTURE, '-c:v', 'mpeg2video', '-g', '50', '-sc_threshold', '1000000000']],
])('.ts of %s', (_name, args) => {
  let path: string;
  let bytes: Uint8Array;
  beforeAll(() => {
    path = scratch.file('clip.ts');
    bytes = makeWithFfmpeg(path, [...args, '-pix_fmt', 'yuv420p', '-f', 'mpegts']);
  });

  it('is played as it is, byte for byte, over its own duration', async () => {
    const file = await openTsFile(memoryFile(bytes));
    const frames = await readFrames(file);
    expect(md5(Buffer.concat(frames.map((frame) => frame.payload)))).toBe(md5(bytes));
    expect(file.durationUs / 1e6).toBeGreaterThan(9.5);
    expect(file.durationUs / 1e6).toBeLessThan(10.5);
    const times = frames.map((frame) => frame.dtsUs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)! / 1e6).toBeGreaterThan(9.5);
  });

  it('finds every key frame, two seconds apart', async () => {
    const { seekPointsUs } = await openTsFile(memoryFile(bytes));
    expect(seekPointsUs).toHaveLength(5);
    for (const [i, timeUs] of seekPointsUs!.entries()) expect(Math.abs(timeUs / 1e6 - 2 * i)).toBeLessThan(0.25);
  });

  it('is sought to a key frame with the tables in front, from which all that follows can be read', async () => {
    const file = await openTsFile(memoryFile(bytes));
    const landedUs = await file.seek(5_000_000);
    expect(landedUs).toBe(file.seekPointsUs![2]);
    const frames = await readFrames(file);
    expect(frames[0]).toMatchObject({ dtsUs: landedUs, isKeyFrame: true });
    const rest = Buffer.concat(frames.map((frame) => frame.payload));
    const packets = (await readFrames(await openTsFile(memoryFile(bytes)))).length;
    expect(frames.length).toBeLessThan(packets * 0.7);
    const video = readTs(rest).frames.filter((frame) => frame.track.kind === 'video');
    if (readTs(bytes).frames.some((frame) => frame.track.kind === 'video')) {
      expect(video).toHaveLength(150);
      expect(video[0]!.isKeyFrame).toBe(true);
    }
  });

  it('keeps its index in bytes', async () => {
    const { index } = await openTsFile(memoryFile(bytes));
    const again = parseTsIndex(writeTsIndex(index)) as TsIndex;
    expect(again).toEqual(index);
    expect(parseTsIndex(writeTsIndex(index).subarray(1))).toBeUndefined();
    expect(parseTsIndex(writeTsIndex(index).slice(0, -1))).toBeUndefined();
  });
});

describe('the program in a .ts', () => {
  let path: string;
  let bytes: Uint8Array;
  beforeAll(() => {
    path = scratch.file('program.ts');
    const codecs = ['-c:v', 'libx264', '-g', '50', '-bf', '2', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
    bytes = makeWithFfmpeg(path, [...PICTURE, ...TONE, ...codecs, '-f', 'mpegts']);
  });

  it('has the tracks and frames the demuxer finds, on a line that begins near 0', async () => {
    const file = await openTsProgramFile(memoryFile(bytes));
    expect(file.tracks.map((track) => track.codec).sort()).toEqual(['aac', 'h264']);
    const frames = await readFrames(file);
    expect(frames).toHaveLength(framesByFfmpeg(path).packets.length);
    expect(frames[0]!.dtsUs).toBe(0);
    expect(frames.at(-1)!.dtsUs / 1e6).toBeGreaterThan(9.5);
  });

  it('is sought to key frames, at the position it says', async () => {
    const file = await openTsProgramFile(memoryFile(bytes));
    const landedUs = await file.seek(7_900_000);
    expect(landedUs).toBe(file.seekPointsUs![3]);
    const frames = await readFrames(file, 20);
    const video = frames.find((frame) => frame.track.kind === 'video')!;
    expect(video.isKeyFrame).toBe(true);
    expect(Math.abs(video.dtsUs - landedUs)).toBeLessThan(200_000);
  });
});

describe('a file that is no transport stream', () => {
  it.each([
    ['ts-file/not-ts', new Uint8Array(10_000).fill(1)],
    ['ts-file/no-clock', Uint8Array.from({ length: 188 * 20 }, (_, i) => (i % 188 === 0 ? 0x47 : 0xff))],
  ])('is refused: %s', async (code, bytes) => {
    await expect(openTsFile(memoryFile(bytes))).rejects.toMatchObject({ code });
  });
});
