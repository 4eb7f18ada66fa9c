import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../src/codec/frame.ts';
import { openAmrFile } from '../../src/format/amr/amr-file.ts';
import { openDvFile } from '../../src/format/dv/dv-file.ts';
import { openH264File, openH265File } from '../../src/format/elementary/annex-b-file.ts';
import { openAc3File, openAdtsFile, openMpegAudioFile } from '../../src/format/elementary/framed-audio-file.ts';
import type { OpenMediaFile } from '../../src/format/media-file.ts';
import { openWavFile } from '../../src/format/wav/wav-file.ts';
import { md5, memoryFile, readFrames } from '../vod-test-kit.ts';
import { framesByFfmpeg, makeWithFfmpeg, ScratchFolder } from './ffmpeg-files.ts';

const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=5'];
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=4'];

const scratch = new ScratchFolder();
afterAll(() => scratch.remove());

const hashes = (frames: readonly Frame[]): string[] => frames.map((frame) => md5(frame.payload));

/** Frames of audio as ffmpeg reads them out of the same file; ADTS headers taken off as MP4 would. */
function expected(path: string, adts: boolean): { md5s: string[]; ptsUs: number[] } {
  const { packets } = framesByFfmpeg(path, adts ? ['-bsf:a', 'aac_adtstoasc'] : []);
  return { md5s: packets.map((packet) => packet.md5), ptsUs: packets.map((packet) => packet.ptsUs) };
}

describe.each<[string, OpenMediaFile, string, readonly string[], number]>([
  ['.aac', openAdtsFile, 'adts', ['-c:a', 'aac', '-b:a', '96k'], 1024 / 44_100],
  ['.mp3', openMpegAudioFile, 'mp3', ['-c:a', 'libmp3lame', '-b:a', '128k'], 1152 / 44_100],
  ['.mp3 of variable rate', openMpegAudioFile, 'mp3', ['-c:a', 'libmp3lame', '-q:a', '4'], 1152 / 44_100],
  ['.mp2', openMpegAudioFile, 'mp2', ['-c:a', 'mp2'], 1152 / 44_100],
  ['.ac3', openAc3File, 'ac3', ['-c:a', 'ac3'], 1536 / 44_100],
  ['.eac3', openAc3File, 'eac3', ['-c:a', 'eac3'], 1536 / 44_100],
])('%s', (_name, open, muxer, codec, frameSeconds) => {
  let bytes: Uint8Array;
  let path: string;
  beforeAll(() => {
    path = scratch.file(`tone.${muxer}`);
    bytes = makeWithFfmpeg(path, [...TONE, ...codec, '-f', muxer]);
  });

  it('gives every frame ffmpeg reads, with times that follow by their lengths', async () => {
    const file = await open(memoryFile(bytes));
    const frames = await readFrames(file);
    const { md5s } = expected(path, muxer === 'adts');
    expect(hashes(frames)).toEqual(md5s);
    expect(frames.map((frame) => frame.ptsUs)).toEqual(frames.map((_, i) => Math.round(i * frameSeconds * 1_000_000)));
    expect(file.durationUs).toBe(Math.round(frames.length * frameSeconds * 1_000_000));
  });

  it('seeks to the frame it says', async () => {
    const file = await open(memoryFile(bytes));
    const all = await readFrames(file);
    for (const targetUs of [0, 1, 3_141_593, 2_000_000, 999_999_999]) {
      const landedUs = await file.seek(targetUs);
      const [next] = await readFrames(file, 1);
      expect(next?.ptsUs).toBe(landedUs);
      expect(landedUs).toBeLessThanOrEqual(targetUs);
      expect(targetUs - landedUs < frameSeconds * 1_000_000 || next?.ptsUs === all.at(-1)?.ptsUs).toBe(true);
      expect(next?.payload).toEqual(all.find((frame) => frame.ptsUs === landedUs)?.payload);
    }
  });

  it('refuses a file of something else', async () => {
    const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) & 0x7f);
    await expect(open(memoryFile(noise))).rejects.toMatchObject({ code: 'elementary-file/no-frame' });
  });
});

describe.each<[string, OpenMediaFile, string, string, readonly string[]]>([
  ['.264 with B-frames', openH264File, 'h264', 'h264', ['-c:v', 'libx264', '-bf', '3', '-g', '30']],
  ['.264 without', openH264File, 'h264', 'h264', ['-c:v', 'libx264', '-tune', 'zerolatency', '-g', '25']],
  ['.264 of many slices', openH264File, 'h264', 'h264', ['-c:v', 'libx264', '-slices', '4', '-bf', '2']],
  ['.264 of open GOPs', openH264File, 'h264', 'h264', ['-c:v', 'libx264', '-x264-params', 'open-gop=1:keyint=20']],
  ['.265', openH265File, 'hevc', 'hevc', ['-c:v', 'libx265', '-x265-params', 'log-level=error:keyint=30']],
])('%s', (_name, open, muxer, _codec, args) => {
  let bytes: Uint8Array;
  let contained: ReturnType<typeof framesByFfmpeg>['packets'];
  beforeAll(() => {
    const path = scratch.file(`picture-${muxer}.mkv`);
    makeWithFfmpeg(path, [...PICTURE, ...args, '-pix_fmt', 'yuv420p']);
    contained = framesByFfmpeg(path).packets;
    bytes = makeWithFfmpeg(scratch.file(`picture.${muxer}`), ['-i', path, '-c', 'copy', '-f', muxer]);
  });

  it('gives each picture, shown in the order in which the encoder gave it', async () => {
    const file = await open(memoryFile(bytes));
    const frames = await readFrames(file);
    expect(frames).toHaveLength(contained.length);
    const startUs = contained[0]!.ptsUs;
    const ownStartUs = frames[0]!.ptsUs;
    expect(frames.map((frame) => Math.round((frame.ptsUs - ownStartUs) / 1000))).toEqual(
      contained.map((packet) => Math.round((packet.ptsUs - startUs) / 1000)),
    );
    for (const frame of frames) expect(frame.ptsUs).toBeGreaterThanOrEqual(frame.dtsUs);
    expect(file.tracks[0]?.video).toMatchObject({ width: 320, height: 180 });
  });

  it('keeps the bytes of every slice', async () => {
    const frames = await readFrames(await open(memoryFile(bytes)));
    // Matroska leaves out what the configuration holds, as frames here do; the encoder's own SEI stays in both.
    const same = frames.filter((frame, i) => md5(frame.payload) === contained[i]!.md5).length;
    const withParameterSets = frames.length - same;
    expect(withParameterSets).toBeLessThanOrEqual(frames.filter((frame) => frame.isKeyFrame).length);
    expect(same).toBeGreaterThan(frames.length * 0.8);
  });

  it('begins anew after its end', async () => {
    const file = await open(memoryFile(bytes));
    const first = await readFrames(file);
    expect(await file.seek(0)).toBe(0);
    expect(hashes(await readFrames(file))).toEqual(hashes(first));
  });
});

describe('.wav', () => {
  it.each([
    ['pcm_u8', 'l8', 1],
    ['pcm_s16le', 'l16', 2],
    ['pcm_s24le', 'l24', 3],
    ['pcm_alaw', 'g711a', 1],
    ['pcm_mulaw', 'g711u', 1],
  ])('of %s is %s, in network order', async (codec, name, bytesEach) => {
    const path = scratch.file(`tone-${codec}.wav`);
    const bytes = makeWithFfmpeg(path, [...TONE, '-ac', '2', '-c:a', codec]);
    const file = await openWavFile(memoryFile(bytes));
    expect(file.tracks[0]).toMatchObject({ codec: name, audio: { sampleRate: 44_100, channels: 2 } });
    expect(file.durationUs).toBe(5_000_000);
    const raw = bytes.length - 5 * 44_100 * 2 * bytesEach;
    const samples = Buffer.concat((await readFrames(file)).map((frame) => frame.payload));
    const stored = Buffer.from(bytes.slice(raw));
    if (bytesEach === 2) stored.swap16();
    if (bytesEach === 3) for (let i = 0; i < stored.length; i += 3) stored.subarray(i, i + 3).reverse();
    expect(md5(samples)).toBe(md5(stored));
    expect(await file.seek(2_500_000)).toBe(2_500_000);
    expect((await readFrames(file, 1))[0]?.ptsUs).toBe(2_500_000);
  });

  it('of IMA ADPCM becomes DVI4 blocks', async () => {
    const bytes = makeWithFfmpeg(scratch.file('ima.wav'), [...TONE, '-ac', '1', '-c:a', 'adpcm_ima_wav']);
    const file = await openWavFile(memoryFile(bytes));
    expect(file.tracks[0]).toMatchObject({ codec: 'dvi4', audio: { channels: 1 } });
    expect(file.durationUs).toBeGreaterThan(4_900_000);
  });

  it('of floating point is refused', async () => {
    const bytes = makeWithFfmpeg(scratch.file('float.wav'), [...TONE, '-c:a', 'pcm_f32le']);
    await expect(openWavFile(memoryFile(bytes))).rejects.toMatchObject({ code: 'wav/unsupported-format' });
  });
});

describe('.dv', () => {
  it.each([
    ['625 lines', 'pal-dv', 25, 144_000],
    ['525 lines', 'ntsc-dv', 30_000 / 1001, 120_000],
  ])('of %s gives frames of one size', async (_name, target, rate, sizeBytes) => {
    const args = ['-f', 'lavfi', '-i', 'testsrc2=duration=1', '-target', target, '-an'];
    const bytes = makeWithFfmpeg(scratch.file(`${target}.dv`), args);
    const file = await openDvFile(memoryFile(bytes));
    const frames = await readFrames(file);
    expect(frames).toHaveLength(bytes.length / sizeBytes);
    expect(Buffer.concat(frames.map((frame) => frame.payload)).equals(bytes)).toBe(true);
    expect(frames[3]?.ptsUs).toBe(Math.round(3_000_000 / rate));
    expect(await file.seek(frames[5]!.ptsUs)).toBe(frames[5]!.ptsUs);
  });
});

describe('.amr', () => {
  /** Debian's ffmpeg has no AMR encoder, so frames of every type are laid out by RFC 4867 §5.3. */
  function amr(magic: string, sizes: readonly number[], types: readonly number[]): Uint8Array {
    const frames = types.map((type) => [(type << 3) | 4, ...Array.from({ length: sizes[type]! }, () => type)]);
    return Uint8Array.from([...Buffer.from(magic), ...frames.flat()]);
  }

  it.each([
    ['amr', '#!AMR\n', [12, 13, 15, 17, 19, 20, 26, 31, 5], 8000],
    ['amr-wb', '#!AMR-WB\n', [17, 23, 32, 36, 40, 46, 50, 58, 60, 5], 16_000],
  ])('gives frames of every type of %s', async (codec, magic, sizes, sampleRate) => {
    const types = Array.from({ length: 200 }, (_, i) => i % sizes.length);
    const file = await openAmrFile(memoryFile(amr(magic, sizes, types)));
    expect(file.tracks[0]).toMatchObject({ codec, audio: { sampleRate, channels: 1 } });
    expect(file.durationUs).toBe(4_000_000);
    const frames = await readFrames(file);
    expect(frames.map((frame) => frame.payload.length - 1)).toEqual(types.map((type) => sizes[type]));
    expect(await file.seek(2_345_678)).toBe(2_340_000);
    expect((await readFrames(file, 1))[0]?.payload).toEqual(frames[117]?.payload);
  });

  it('with a reserved type is refused', async () => {
    const bytes = Uint8Array.from([...Buffer.from('#!AMR\n'), 13 << 3]);
    await expect(openAmrFile(memoryFile(bytes))).rejects.toMatchObject({ code: 'amr/bad-frame-type' });
  });
});
