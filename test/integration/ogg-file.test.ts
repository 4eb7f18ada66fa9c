import { afterAll, describe, expect, it } from 'vitest';
import { openOggFile } from '../../src/format/ogg/ogg-file.ts';
import { md5, memoryFile, readFrames } from '../vod-test-kit.ts';
import { framesByFfmpeg, makeWithFfmpeg, ScratchFolder } from './ffmpeg-files.ts';

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=3'];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=3'];

const scratch = new ScratchFolder();
afterAll(() => scratch.remove());

describe.each([
  ['Opus', ['opus'], [...TONE, '-c:a', 'libopus']],
  ['Vorbis', ['vorbis'], [...TONE, '-c:a', 'libvorbis']],
  ['Theora and Vorbis', ['theora', 'vorbis'], [...PICTURE, ...TONE, '-c:v', 'libtheora', '-c:a', 'libvorbis']],
])('.ogg of %s', (name, codecs, args) => {
  const path = scratch.file(`${name}.ogg`);
  const bytes = makeWithFfmpeg(path, args);
  const { packets } = framesByFfmpeg(path);

  it('gives the packets ffmpeg reads, bit for bit', async () => {
    const file = await openOggFile(memoryFile(bytes));
    expect(file.tracks.map((track) => track.codec)).toEqual(codecs);
    const frames = await readFrames(file);
    for (const [stream, track] of file.tracks.entries()) {
      const own = frames.filter((frame) => frame.track === track);
      const theirs = packets.filter((packet) => packet.stream === stream);
      expect(own.map((frame) => md5(frame.payload))).toEqual(theirs.map((packet) => packet.md5));
      // ffmpeg puts samples that are to be skipped before 0.
      const shiftUs = theirs[0]!.ptsUs;
      const furthest = Math.max(...own.map((frame, i) => Math.abs(frame.ptsUs - (theirs[i]!.ptsUs - shiftUs))));
      expect(furthest).toBeLessThan(track.codec === 'vorbis' ? 40_000 : 2_000);
    }
  });

  it('tells its duration, and begins anew', async () => {
    const file = await openOggFile(memoryFile(bytes));
    expect(file.durationUs! / 1e6).toBeGreaterThan(2.9);
    expect(file.durationUs! / 1e6).toBeLessThan(3.2);
    const all = await readFrames(file);
    expect(await file.seek(0)).toBe(0);
    expect(await readFrames(file)).toEqual(all);
  });

  it('is read as far as it goes when it is cut off', async () => {
    const all = await readFrames(await openOggFile(memoryFile(bytes)));
    const cut = await readFrames(await openOggFile(memoryFile(bytes.slice(0, bytes.length - 100))));
    expect(cut.length).toBeLessThan(all.length);
    expect(cut.map((frame) => md5(frame.payload))).toEqual(all.slice(0, cut.length).map((frame) => md5(frame.payload)));
  });
});

describe('a file that can not be played', () => {
  it.each([
    ['ogg/not-ogg', Buffer.from('not at all')],
    ['ogg/not-ogg', Buffer.alloc(100_000)],
  ])('is refused: %s', async (code, bytes) => {
    await expect(openOggFile(memoryFile(bytes))).rejects.toMatchObject({ code });
  });
});
