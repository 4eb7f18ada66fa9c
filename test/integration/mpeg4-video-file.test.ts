import { afterAll, describe, expect, it } from 'vitest';
import { openMpeg4VideoFile } from '../../src/format/mpeg4-video/mpeg4-video-file.ts';
import { md5, memoryFile, readFrames } from '../vod-test-kit.ts';
import { framesByFfmpeg, makeWithFfmpeg, ScratchFolder } from './ffmpeg-files.ts';

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=4'];

const scratch = new ScratchFolder();
afterAll(() => scratch.remove());

describe.each([
  ['without B-frames', []],
  ['with B-frames', ['-bf', '2']],
])('.m4e %s', (name, args) => {
  const contained = scratch.file(`${name}.ts`);
  makeWithFfmpeg(contained, [...PICTURE, '-c:v', 'mpeg4', '-g', '30', ...args]);
  const { packets } = framesByFfmpeg(contained);
  const bytes = makeWithFfmpeg(scratch.file(`${name}.m4v`), ['-i', contained, '-c', 'copy', '-f', 'm4v']);

  it('gives every VOP with the time it tells', async () => {
    const file = await openMpeg4VideoFile(memoryFile(bytes));
    expect(file.tracks[0]).toMatchObject({ codec: 'mp4v', video: { width: 320, height: 180 } });
    const frames = await readFrames(file);
    expect(frames).toHaveLength(packets.length);
    const shiftUs = frames[0]!.ptsUs - packets[0]!.ptsUs;
    expect(frames.map((frame) => Math.round((frame.ptsUs - shiftUs) / 1000))).toEqual(
      packets.map((packet) => Math.round(packet.ptsUs / 1000)),
    );
    for (const [i, frame] of frames.entries()) {
      expect(frame.dtsUs).toBeLessThanOrEqual(frame.ptsUs);
      expect(frame.dtsUs).toBeGreaterThanOrEqual(frames[i - 1]?.dtsUs ?? 0);
    }
    const same = frames.filter((frame, i) => md5(frame.payload) === packets[i]!.md5).length;
    expect(same).toBeGreaterThan(frames.length * 0.9);
  });

  it('begins anew', async () => {
    const file = await openMpeg4VideoFile(memoryFile(bytes));
    const all = await readFrames(file);
    expect(await file.seek(0)).toBe(0);
    expect(await readFrames(file)).toEqual(all);
  });
});

it('refuses a file of something else', async () => {
  const refused = openMpeg4VideoFile(memoryFile(Buffer.alloc(1000, 3)));
  await expect(refused).rejects.toMatchObject({ code: 'mpeg4-video/no-configuration' });
});
