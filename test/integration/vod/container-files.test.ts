import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/codec/frame.ts';
import { openFlvFile } from '../../../src/format/flv/flv-file.ts';
import { openMatroskaFile } from '../../../src/format/matroska/matroska-file.ts';
import type { MediaFile } from '../../../src/format/media-file.ts';
import { openMp4File } from '../../../src/format/mp4/mp4-file.ts';
import { byTrack, expectedPackets, faultOfSeek, md5, memoryFile, readFrames, vodBytes } from '../../vod-test-kit.ts';

function open(name: string): Promise<MediaFile> {
  const file = memoryFile(vodBytes(name));
  if (/\.(mp4|mov)$/.test(name)) return openMp4File(file);
  return name.endsWith('.flv') ? openFlvFile(file) : openMatroskaFile(file);
}

/** How far a time may be from what ffmpeg tells: Matroska and FLV round to milliseconds what readers make exact again. */
function toleranceUs(name: string): number {
  return /\.(mp4|mov)$/.test(name) ? 1 : 1001;
}

/** Name, codecs, length, and audio frames in front that end before the presentation begins. */
const FILES: readonly (readonly [name: string, codecs: string, durationMs: number, droppedAudio: number])[] = [
  ['h264-aac.mp4', 'h264 aac', 3000, 1],
  ['h264-aac-front.mp4', 'h264 aac', 3000, 1],
  ['h264-aac-negative-cts.mp4', 'h264 aac', 3000, 1],
  ['h264-aac-fragments.mp4', 'h264 aac', 3000, 0],
  ['h264-aac-separate.mp4', 'h264 aac', 3000, 0],
  ['h264-aac-sidx.mp4', 'h264 aac', 3000, 0],
  ['h264-aac-dash.mp4', 'h264 aac', 3000, 0],
  ['h264-aac-hybrid.mp4', 'h264 aac', 3000, 0],
  ['h264-aac-trimmed.mp4', 'h264 aac', 1603, 3],
  ['h264-late-audio.mp4', 'h264 aac', 3499, 0],
  ['h265-ac3.mp4', 'h265 ac3', 3002, 0],
  ['h265-inband.mp4', 'h265', 2920, 0],
  ['av1-flac.mp4', 'av1 flac', 1000, 0],
  ['vp9-opus.mp4', 'vp9 opus', 3000, 0],
  ['mpeg4-mp3.mp4', 'mp4v mp3', 3000, 0],
  ['mpeg2-eac3.mp4', 'mpeg-video eac3', 3002, 0],
  ['two-audio.mp4', 'h264 aac aac', 2000, 1],
  ['mp3-only.mov', 'mp3', 2000, 0],
  ['h264-aac.mkv', 'h264 aac', 3021, 0],
  ['h264-aac-piped.mkv', 'h264 aac', 3021, 0],
  ['h264-opus.mkv', 'h264 opus', 3008, 0],
  ['h265-eac3.mkv', 'h265 eac3', 3008, 0],
  ['mpeg2-mp2.mkv', 'mpeg-video mp2', 3010, 0],
  ['mpeg4-mp3.mkv', 'mp4v mp3', 3023, 0],
  ['theora-flac.mkv', 'theora flac', 1000, 0],
  ['ac3-only.mka', 'ac3', 2016, 0],
  ['av1-vorbis.webm', 'av1 vorbis', 1003, 0],
  ['vp8-vorbis.webm', 'vp8 vorbis', 3003, 0],
  ['vp9-opus.webm', 'vp9 opus', 3008, 0],
  ['vp9-opus-live.webm', 'vp9 opus', 3007, 0],
  ['h264-aac.flv', 'h264 aac', 3080, 0],
  ['h264-aac-index.flv', 'h264 aac', 3080, 0],
  ['mp3-only.flv', 'mp3', 2025, 0],
];

/** Files whose audio is plain samples, which ffmpeg cuts into packets of other sizes. */
const PLAIN_FILES: readonly (readonly [name: string, codecs: string, sampleBytes: readonly number[]])[] = [
  ['mjpeg-alaw.mov', 'jpeg g711a', [1]],
  ['h264-sowt.mov', 'h264 l16', [2]],
  ['h264-in24.mov', 'h264 l24', [3]],
  ['h264-mulaw-twos.mov', 'h264 g711u l16', [1, 2]],
  ['mjpeg-alaw.mkv', 'jpeg g711a', [1]],
  ['h264-pcm.mkv', 'h264 l16', [2]],
  ['h264-pcm24.mkv', 'h264 l24', [3]],
];

function codecsOf(file: MediaFile): string {
  return file.tracks.map((track) => track.codec).join(' ');
}

describe.each(FILES)('%s', (name, codecs, durationMs, droppedAudio) => {
  it('has the tracks, whose configurations are complete', async () => {
    const file = await open(name);
    expect(codecsOf(file)).toBe(codecs);
    expect(Math.round(file.durationUs! / 1000)).toBe(durationMs);
    for (const track of file.tracks) {
      if (track.kind === 'audio') expect(track.audio?.sampleRate).toBeGreaterThan(0);
      else if (!['mp4v', 'mpeg-video', 'theora'].includes(track.codec)) expect(track.video?.width).toBe(128);
    }
  });

  it('gives the frames ffmpeg finds, with their times', async () => {
    const file = await open(name);
    const tracks = byTrack(file, await readFrames(file));
    const expected = expectedPackets(name);
    expect(tracks.length).toBe(expected.length);
    // Pictures before the start of the presentation move it.
    const isVideo = file.tracks[0]!.kind === 'video';
    const originUs = isVideo ? Math.min(0, ...expected[0]!.map(({ ptsUs }) => ptsUs)) : 0;
    tracks.forEach((frames, i) => {
      const packets = expected[i]!.slice(frames[0]!.track.kind === 'audio' ? droppedAudio : 0);
      expect(frames.map(({ payload }) => md5(payload))).toEqual(packets.map((packet) => packet.md5));
      for (const [k, { ptsUs, dtsUs }] of frames.entries()) {
        expect(Math.abs(Math.max(0, packets[k]!.ptsUs - originUs) - ptsUs)).toBeLessThanOrEqual(toleranceUs(name));
        expect(Math.abs(Math.max(0, packets[k]!.dtsUs - originUs) - dtsUs)).toBeLessThanOrEqual(toleranceUs(name));
      }
    });
  });
});

describe.each(PLAIN_FILES)('%s', (name, codecs, sampleBytes) => {
  it('gives all samples, in network order', async () => {
    const file = await open(name);
    expect(codecsOf(file)).toBe(codecs);
    const audio = byTrack(file, await readFrames(file)).slice(1);
    const expected = expectedPackets(name).slice(1);
    audio.forEach((frames, i) => {
      const { sampleRate, channels } = file.tracks[i + 1]!.audio!;
      const total = frames.reduce((sum, { payload }) => sum + payload.length, 0);
      expect(total).toBe(expected[i]!.reduce((sum, packet) => sum + packet.sizeBytes, 0));
      let samples = 0;
      for (const { ptsUs, payload } of frames) {
        expect(Math.abs(ptsUs - (samples * 1_000_000) / sampleRate)).toBeLessThan(toleranceUs(name));
        samples += payload.length / (channels * sampleBytes[i]!);
      }
    });
  });

  it('has the loudness of the tone in every sample, not noise', async () => {
    const file = await open(name);
    for (const frames of byTrack(file, await readFrames(file)).slice(1)) {
      const { codec } = frames[0]!.track;
      if (codec !== 'l16' && codec !== 'l24') continue;
      const step = codec === 'l16' ? 2 : 3;
      const samples = Buffer.concat(frames.map(({ payload }) => payload));
      // A sine at an eighth of full scale: read in the wrong order it would reach full scale.
      for (let at = 0; at + step <= samples.length; at += step) {
        expect(Math.abs(samples.readIntBE(at, step))).toBeLessThan(2 ** (8 * step - 1) * 0.6);
      }
    }
  });
});

describe('seek', () => {
  const names = [...FILES, ...PLAIN_FILES].map(([name]) => name);

  it.each(names)('of %s lands where it says, and goes on from there', async (name) => {
    const all: readonly Frame[] = await readFrames(await open(name));
    const file = await open(name);
    const lastUs = Math.max(...all.map(({ ptsUs }) => ptsUs));
    const keys = all.filter((frame) => frame.isKeyFrame && frame.track.kind === file.tracks[0]!.kind);
    const targets = [0, 1, lastUs / 2, lastUs, lastUs * 10, -5];
    for (const { ptsUs } of keys.slice(0, 40)) targets.push(ptsUs - 1, ptsUs, ptsUs + 1);
    for (const targetUs of targets) {
      // Plain audio is cut from where the seek lands.
      const isPlain = PLAIN_FILES.some(([one]) => one === name);
      if (isPlain) expect(await file.seek(targetUs)).toBe((await file.next())?.ptsUs);
      else expect(await faultOfSeek(file, all, targetUs, toleranceUs(name))).toBeUndefined();
    }
  });

  it('tells its landing places where the file has an index', async () => {
    expect((await open('h264-aac.mp4')).seekPointsUs).toEqual([0, 1_000_000, 2_000_000]);
    expect((await open('mpeg4-mp3.mp4')).seekPointsUs).toEqual([0, 1_080_000, 2_040_000, 2_960_000]);
    expect((await open('mp3-only.mov')).seekPointsUs).toBeUndefined();
    expect((await open('vp9-opus.webm')).seekPointsUs).toEqual([7000, 1_007_000, 2_007_000]);
    expect((await open('vp9-opus-live.webm')).seekPointsUs).toBeUndefined();
  });
});

describe('damaged files', () => {
  /** A fixture with the first occurrence of some bytes replaced; the replacement has the same length. */
  function damaged(name: string, what: string, by: string): Uint8Array {
    const bytes = vodBytes(name);
    const at = Buffer.from(bytes).indexOf(what, 0, 'latin1');
    expect(at).toBeGreaterThan(0);
    bytes.set(Buffer.from(by, 'latin1'), at);
    return bytes;
  }
  const cutEnd = (name: string, sizeBytes: number): Uint8Array => vodBytes(name).slice(0, -sizeBytes);
  const playAll = async (file: MediaFile): Promise<Frame[]> => readFrames(file);

  it.each([
    ['nothing', openMp4File, new Uint8Array(0), 'mp4/not-mp4'],
    ['text', openMp4File, new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'), 'mp4/not-mp4'],
    ['a recording that was not finished', openMp4File, cutEnd('h264-aac.mp4', 5000), 'mp4/no-movie'],
    ['a cut within the movie box', openMp4File, cutEnd('h264-aac.mp4', 500), 'mp4/truncated'],
    ['a movie box that is gone', openMp4File, damaged('h264-aac.mp4', 'moov', 'free'), 'mp4/no-movie'],
    ['a compressed movie box', openMp4File, damaged('h264-aac-front.mp4', 'mvhd', 'cmov'), 'mp4/compressed-movie'],
    ['encrypted tracks', openMp4File, encrypted(), 'mp4/encrypted'],
    ['codecs nobody knows', openMp4File, damaged('mp3-only.mov', '.mp3', 'QDM2'), 'mp4/no-playable-track'],
    ['media that is missing', openMp4File, cutEnd('h264-aac-front.mp4', 1000), 'mp4/truncated'],
    ['bytes between fragments', openMp4File, withRubbish('h264-aac-fragments.mp4'), 'mp4/bad-box'],
    ['nothing', openFlvFile, new Uint8Array(0), 'flv/bad-signature'],
    ['tags that are none', openFlvFile, damaged('h264-aac.flv', '\t\0', '\xff\xff'), 'flv/bad-tag'],
    ['no tags', openFlvFile, vodBytes('h264-aac.flv').slice(0, 13), 'flv/no-playable-track'],
    ['nothing', openMatroskaFile, new Uint8Array(0), 'matroska/not-matroska'],
  ])('are refused: %s', async (_name, openIt, bytes, code) => {
    await expect(openIt(memoryFile(bytes)).then(playAll)).rejects.toMatchObject({ code });
  });

  function encrypted(): Uint8Array {
    const bytes = damaged('h264-aac-front.mp4', 'avc1\0\0', 'encv\0\0');
    bytes.set(Buffer.from('enca'), Buffer.from(bytes).indexOf('mp4a'));
    return bytes;
  }

  /** Zeros behind the first fragment's media. */
  function withRubbish(name: string): Uint8Array {
    const bytes = Buffer.from(vodBytes(name));
    const at = bytes.indexOf('moof', bytes.indexOf('moof') + 4) - 4;
    return new Uint8Array(Buffer.concat([bytes.subarray(0, at), new Uint8Array(64), bytes.subarray(at)]));
  }

  it.each(['h264-aac-fragments.mp4', 'h264-aac-piped.mkv', 'vp9-opus-live.webm', 'h264-aac.flv'])(
    'play to where they are cut: %s',
    async (name) => {
      const all = await readFrames(await open(name));
      const bytes = vodBytes(name);
      const openIt = name.endsWith('.mp4') ? openMp4File : name.endsWith('.flv') ? openFlvFile : openMatroskaFile;
      const played = await readFrames(await openIt(memoryFile(bytes.slice(0, bytes.length * 0.6))));
      expect(played.length).toBeGreaterThan(all.length * 0.3);
      expect(played.length).toBeLessThan(all.length);
      const known = new Set(all.map(({ payload }) => md5(payload)));
      expect(played.every(({ payload }) => known.has(md5(payload)))).toBe(true);
    },
  );
});

describe('an FLV file', () => {
  it('is entered by its own index without going through what lies before', async () => {
    const bytes = vodBytes('h264-aac-index.flv');
    // The second group of pictures can't be gone through any more.
    bytes.set([0xff, 0xff, 0xff], Buffer.from(bytes).indexOf(Uint8Array.of(9, 0, 0), bytes.length / 2));
    const file = await openFlvFile(memoryFile(bytes));
    expect(await file.seek(2_500_000)).toBe(2_080_000);
    await expect(file.seek(1_900_000)).rejects.toMatchObject({ code: 'flv/bad-tag' });
  });

  it('is gone through where its own index is wrong', async () => {
    const bytes = vodBytes('h264-aac-index.flv');
    const at = Buffer.from(bytes).indexOf('filepositions') + 'filepositions'.length + 5;
    for (let entry = 0; entry < 4; entry++) new DataView(bytes.buffer).setFloat64(at + entry * 9 + 1, 2000 + entry);
    const file = await openFlvFile(memoryFile(bytes));
    expect(await file.seek(2_500_000)).toBe(2_080_000);
  });
});
