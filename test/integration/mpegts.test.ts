import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../src/codec/frame.ts';
import type { Track } from '../../src/codec/track.ts';
import { AdtsMuxer } from '../../src/format/adts/adts-muxer.ts';
import { toMp3 } from '../../src/format/mp3/mp3-stream.ts';
import { TsMuxer } from '../../src/format/mpegts/ts-muxer.ts';
import { decodeWarnings, framesByFfmpeg, makeWithFfmpeg, ScratchFolder } from './ffmpeg-files.ts';
import { type Media, readFlv, readTs } from './format-media.ts';

const scratch = new ScratchFolder();
afterAll(() => scratch.remove());

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=25:duration=2,format=yuv420p'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=2'];
const B_FRAMES = ['-c:v', 'libx264', '-g', '25', '-x264-params', 'bframes=3:log-level=none'];
const HEVC = ['-c:v', 'libx265', '-g', '25', '-x265-params', 'bframes=2:log-level=none'];

function mux({ tracks, frames }: Media): Uint8Array {
  const muxer = new TsMuxer(tracks);
  expect(muxer.unsupported).toEqual([]);
  return new Uint8Array(Buffer.concat(frames.map((frame) => muxer.mux(frame))));
}

function write(name: string, bytes: Uint8Array): string {
  const path = scratch.file(name);
  writeFileSync(path, bytes);
  return path;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function framesOf(media: Media, kind: Track['kind']): Frame[] {
  return media.frames.filter((frame) => frame.track.kind === kind);
}

/** Payloads and times equal; a 90 kHz clock is within 6 µs of a microsecond. */
function expectSameFrames(got: readonly Frame[], sent: readonly Frame[]): void {
  expect(got.map((frame) => hex(frame.payload))).toEqual(sent.map((frame) => hex(frame.payload)));
  for (const [i, frame] of got.entries()) {
    expect(Math.abs(frame.dtsUs - sent[i]!.dtsUs)).toBeLessThanOrEqual(6);
    expect(Math.abs(frame.ptsUs - sent[i]!.ptsUs)).toBeLessThanOrEqual(6);
    expect(frame.isKeyFrame).toBe(sent[i]!.isKeyFrame);
  }
}

const detailsOf = ({ codec, video, audio }: Track): object => ({ codec, video, audio });

const fromFlv = (name: string, args: readonly string[]): Media =>
  readFlv(makeWithFfmpeg(scratch.file(`${name}.flv`), args));
const fromTs = (name: string, args: readonly string[]): Media =>
  readTs(makeWithFfmpeg(scratch.file(`${name}-source.ts`), [...args, '-muxdelay', '0']));

const sources: readonly (readonly [name: string, read: () => Media])[] = [
  ['bbb', () => readFlv(new Uint8Array(readFileSync('test/fixtures/bbb.flv')))],
  ['h264-b-frames-aac', () => fromFlv('h264', [...VIDEO, ...SOUND, ...B_FRAMES, '-c:a', 'aac'])],
  ['h264-mp3', () => fromFlv('mp3', [...VIDEO, ...SOUND, ...B_FRAMES, '-c:a', 'libmp3lame', '-ar', '44100'])],
  ['mp3-22050', () => fromFlv('mp3-22050', [...SOUND, '-c:a', 'libmp3lame', '-ar', '22050'])],
  ['hevc-aac', () => fromTs('hevc', [...VIDEO, ...SOUND, ...HEVC, '-c:a', 'aac'])],
  ['h264-ac3', () => fromTs('ac3', [...VIDEO, ...SOUND, ...B_FRAMES, '-c:a', 'ac3'])],
  ['eac3', () => fromTs('eac3', [...SOUND, '-c:a', 'eac3'])],
  ['opus', () => fromTs('opus', [...VIDEO, ...SOUND, ...B_FRAMES, '-c:a', 'libopus'])],
];

describe.each(sources)('%s as MPEG-TS', (name, read) => {
  const media = read();
  const path = write(`${name}.ts`, mux(media));

  it('is read by ffmpeg without a warning', () => {
    expect(media.complaints).toEqual([]);
    expect(media.frames.length).toBeGreaterThan(50);
    expect(decodeWarnings(path)).toBe('');
  });

  it('has every frame, with the same times, for ffmpeg', () => {
    const report = framesByFfmpeg(path);
    expect(report.warnings).toBe('');
    const kinds = media.frames.some((frame) => frame.track.kind === 'video') ? ['video', 'audio'] : ['audio'];
    for (const [stream, kind] of kinds.entries()) {
      const sent = framesOf(media, kind as Track['kind']);
      const got = report.packets.filter((packet) => packet.stream === stream);
      expect(got).toHaveLength(sent.length);
      // The last bit of each timestamp is a tick of 11 µs.
      for (const [i, packet] of got.entries()) {
        expect(Math.abs(packet.ptsUs - sent[i]!.ptsUs)).toBeLessThanOrEqual(12);
        expect(Math.abs(packet.dtsUs - sent[i]!.dtsUs)).toBeLessThanOrEqual(12);
      }
    }
  });

  it('gives every payload back', () => {
    const again = readTs(new Uint8Array(readFileSync(path)));
    expect(again.complaints).toEqual([]);
    for (const kind of ['video', 'audio'] as const) {
      expectSameFrames(framesOf(again, kind), framesOf(media, kind));
    }
    for (const track of again.tracks) {
      const source = media.tracks.find((one) => one.kind === track.kind);
      expect(detailsOf(track)).toEqual(source && detailsOf(source));
    }
  });
});

describe('payloads as ffmpeg compares them', () => {
  // Both sides in Annex B without delimiters and parameter sets, and without ADTS headers.
  const bare = ['-bsf:v', 'filter_units=remove_types=7-9'];
  const fromLengthPrefixed = ['-bsf:v', 'h264_mp4toannexb,filter_units=remove_types=7-9'];

  it.each(['test/fixtures/bbb.flv', 'b-frames'])('are those of %s', (source) => {
    const path = source === 'b-frames' ? scratch.file('compared.flv') : source;
    if (source === 'b-frames') makeWithFfmpeg(path, [...VIDEO, ...SOUND, ...B_FRAMES, '-c:a', 'aac']);
    const output = write('compared.ts', mux(readFlv(new Uint8Array(readFileSync(path)))));
    const before = framesByFfmpeg(path, fromLengthPrefixed).packets;
    const after = framesByFfmpeg(output, [...bare, '-bsf:a', 'aac_adtstoasc']).packets;
    for (const stream of [0, 1]) {
      const md5s = (packets: typeof before): string[] =>
        packets.flatMap((packet) => (packet.stream === stream ? packet.md5 : []));
      expect(md5s(before).length).toBeGreaterThan(49);
      expect(md5s(after)).toEqual(md5s(before));
    }
  });
});

describe('a viewer who joins late', () => {
  it('gets tables and parameter sets with the next key frame', () => {
    const media = fromFlv('late', [...VIDEO, ...SOUND, ...B_FRAMES, '-c:a', 'aac']);
    const muxer = new TsMuxer(media.tracks);
    const pieces = media.frames.map((frame) => muxer.mux(frame));
    const isVideoKey = (frame: Frame): boolean => frame.isKeyFrame && frame.track.kind === 'video';
    const start = media.frames.findLastIndex(isVideoKey);
    const path = write('late.ts', new Uint8Array(Buffer.concat(pieces.slice(start))));
    expect(framesByFfmpeg(path).warnings).toBe('');
    const video = framesByFfmpeg(path).packets.filter((packet) => packet.stream === 0);
    expect(video).toHaveLength(
      framesOf(media, 'video').filter((frame) => frame.dtsUs >= media.frames[start]!.dtsUs).length,
    );
  });
});

describe('elementary streams', () => {
  it('of AAC are read by ffmpeg frame by frame', () => {
    const media = readFlv(new Uint8Array(readFileSync('test/fixtures/bbb.flv')));
    const muxer = new AdtsMuxer();
    const sent = framesOf(media, 'audio');
    const path = write('bbb.aac', new Uint8Array(Buffer.concat(sent.map((frame) => muxer.mux(frame)))));
    expect(framesByFfmpeg(path).packets.map((packet) => packet.sizeBytes)).toEqual(
      sent.map((frame) => frame.payload.length + 7),
    );
    // ADTS has no place for a duration, and ffmpeg says so of every such file.
    expect(decodeWarnings(path).replace(/^.*Estimating duration from bitrate.*\s*/, '')).toBe('');
  });

  it('of MP3 are read by ffmpeg frame by frame', () => {
    const media = fromFlv('elementary', [...SOUND, '-c:a', 'libmp3lame', '-ar', '44100']);
    const sent = framesOf(media, 'audio');
    const path = write('elementary.mp3', new Uint8Array(Buffer.concat(sent.map(toMp3))));
    expect(framesByFfmpeg(path).packets.map((packet) => packet.sizeBytes)).toEqual(
      sent.map((frame) => frame.payload.length),
    );
  });
});
