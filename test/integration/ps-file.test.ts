import { afterAll, describe, expect, it } from 'vitest';
import { openPsFile } from '../../src/format/mpegps/ps-file.ts';
import { md5, memoryFile, readFrames } from '../vod-test-kit.ts';
import { framesByFfmpeg, makeWithFfmpeg, ScratchFolder } from './ffmpeg-files.ts';

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=20'];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=20'];

const scratch = new ScratchFolder();
afterAll(() => scratch.remove());

/** ffmpeg tells no time by a number far below 0. */
const isTimed = (packet: { readonly ptsUs: number }): boolean => Math.abs(packet.ptsUs) < 1e12;

describe.each([
  ['.mpg of MPEG-1', ['mpeg-video', 'mp2'], ['-c:v', 'mpeg1video', '-bf', '2', '-c:a', 'mp2', '-f', 'mpeg']],
  ['.mpg of MPEG-2', ['mpeg-video', 'mp2'], ['-c:v', 'mpeg2video', '-bf', '2', '-c:a', 'mp2', '-f', 'vob']],
  ['.vob', ['mpeg-video', 'ac3'], ['-c:v', 'mpeg2video', '-c:a', 'ac3', '-f', 'vob']],
])('%s', (name, codecs, args) => {
  const path = scratch.file(`${name.replaceAll(' ', '-')}.mpg`);
  const bytes = makeWithFfmpeg(path, [...PICTURE, ...TONE, '-g', '15', '-b:v', '800k', ...args]);
  const { packets } = framesByFfmpeg(path);

  it('gives the frames ffmpeg reads, bit for bit, with their times', async () => {
    const file = await openPsFile(memoryFile(bytes));
    expect(file.tracks.map((track) => track.codec).sort()).toEqual([...codecs].sort());
    const frames = await readFrames(file);
    for (const [stream, kind] of ['video', 'audio'].entries()) {
      const own = frames.filter((frame) => frame.track.kind === kind);
      const theirs = packets.filter((packet) => packet.stream === stream);
      expect(own.map((frame) => md5(frame.payload))).toEqual(theirs.map((packet) => packet.md5));
      const first = theirs.findIndex(isTimed);
      const shiftUs = own[first]!.ptsUs - theirs[first]!.ptsUs;
      // ffmpeg leaves some pictures without a time, and gives the first AC-3 frames that of their neighbour.
      const offsets = own.flatMap((frame, i) =>
        isTimed(theirs[i]!) ? Math.abs(frame.ptsUs - theirs[i]!.ptsUs - shiftUs) : [],
      );
      expect(Math.max(...offsets)).toBeLessThan(kind === 'video' ? 1000 : 33_000);
      const shown = own.map((frame) => frame.ptsUs).toSorted((x, y) => x - y);
      const stepUs = (shown.at(-1)! - shown[0]!) / (shown.length - 1);
      for (const [i, timeUs] of shown.entries()) expect(Math.abs(timeUs - shown[0]! - i * stepUs)).toBeLessThan(1000);
    }
    expect(Math.abs(file.durationUs! / 1e6 - 20)).toBeLessThan(0.3);
  });

  it.each([3, 7.7, 12, 19])('is sought to the key frame before %d s and says where it is', async (seconds) => {
    const file = await openPsFile(memoryFile(bytes));
    const landedUs = await file.seek(seconds * 1_000_000);
    const frames = await readFrames(file);
    expect(frames[0]).toMatchObject({ isKeyFrame: true, dtsUs: landedUs, track: { kind: 'video' } });
    expect(landedUs / 1e6).toBeLessThanOrEqual(seconds);
    expect(landedUs / 1e6).toBeGreaterThan(seconds - 1.5);
    const last = packets.filter((packet) => packet.stream === 0).at(-1)!;
    expect(md5(frames.findLast((frame) => frame.track.kind === 'video')!.payload)).toBe(last.md5);
  });
});

it('refuses a file of something else', async () => {
  await expect(openPsFile(memoryFile(Buffer.alloc(1000, 7)))).rejects.toMatchObject({ code: 'ps-file/not-ps' });
  const empty = Buffer.from([0, 0, 1, 0xba, ...new Uint8Array(2000)]);
  await expect(openPsFile(memoryFile(empty))).rejects.toMatchObject({ code: 'ps-file/no-streams' });
});
