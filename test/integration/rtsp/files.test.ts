import { copyFileSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RtspResponse } from '../../../src/protocol/rtsp/rtsp-message.ts';
import { makeWithFfmpeg, ScratchFolder } from '../ffmpeg-files.ts';
import { LocalServer } from '../robustness/local-server.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';
import { rtcpTypes } from './udp-peer.ts';

// Those that measure time wait together, all of them.
vi.setConfig({ maxConcurrency: 10 });

const BYE = 203;
/** The clip is 20 s with a key frame every second. */
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=20'];
const LONG_SECONDS = 50;
/** A third of the time in which a rate is measured. */
const PART_MS = 3000;
const SAMPLE_MS = 20;
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=20'];
const H264 = [
  '-c:v',
  'libx264',
  '-g',
  '25',
  '-keyint_min',
  '25',
  '-bf',
  '2',
  '-sc_threshold',
  '0',
  '-pix_fmt',
  'yuv420p',
];

const scratch = new ScratchFolder();
const directory = scratch.file('media');
let server: LocalServer;
let base: string;
const peers: RtspPeer[] = [];

beforeAll(async () => {
  mkdirSync(join(directory, 'folder'), { recursive: true });
  const make = (name: string, args: readonly string[]): unknown => makeWithFfmpeg(join(directory, name), args);
  make('clip.mp4', [...PICTURE, ...TONE, ...H264, '-c:a', 'aac']);
  const copy = (name: string, args: readonly string[]): unknown =>
    make(name, ['-i', join(directory, 'clip.mp4'), ...args]);
  copy('clip.mkv', ['-c', 'copy']);
  copy('clip.mov', ['-c', 'copy']);
  copy('clip.flv', ['-c', 'copy']);
  copy('clip.ts', ['-c', 'copy', '-f', 'mpegts']);
  const looped = ['-stream_loop', '2', '-i', join(directory, 'clip.mp4'), '-c', 'copy'];
  make('long.mp4', [...looped, '-t', String(LONG_SECONDS)]);
  copy('clip.264', ['-c', 'copy', '-an', '-f', 'h264']);
  copy('clip.265', ['-an', '-c:v', 'libx265', '-x265-params', 'log-level=error', '-t', '2', '-f', 'hevc']);
  copy('clip.aac', ['-c', 'copy', '-vn', '-f', 'adts']);
  copy('clip.mp3', ['-vn', '-c:a', 'libmp3lame']);
  copy('clip.ac3', ['-vn', '-c:a', 'ac3']);
  copy('clip.wav', ['-vn', '-c:a', 'pcm_s16le']);
  copy('clip.ogg', ['-vn', '-c:a', 'libvorbis']);
  copy('clip.opus', ['-vn', '-c:a', 'libopus']);
  copy('clip.mpg', ['-c:v', 'mpeg2video', '-g', '25', '-sc_threshold', '1000000000', '-c:a', 'mp2', '-f', 'vob']);
  copy('clip.vob', ['-c:v', 'mpeg2video', '-g', '25', '-c:a', 'ac3', '-t', '2', '-f', 'vob']);
  copy('clip.webm', ['-c:v', 'libvpx', '-deadline', 'realtime', '-c:a', 'libopus', '-t', '2']);
  copy('clip.m4e', ['-an', '-c:v', 'mpeg4', '-t', '2', '-f', 'm4v']);
  make('clip.dv', ['-f', 'lavfi', '-i', 'testsrc2=duration=1', '-target', 'pal-dv', '-an', '-f', 'dv']);
  writeFileSync(join(directory, 'clip.amr'), Buffer.from([...Buffer.from('#!AMR\n'), ...amrFrames(50)]));
  copyFileSync(join(directory, 'clip.wav'), join(directory, 'folder', 'näme with space.wav'));
  copyFileSync(join(directory, 'clip.wav'), scratch.file('outside.wav'));
  symlinkSync(scratch.file('outside.wav'), join(directory, 'link-out.wav'));
  symlinkSync(join(directory, 'clip.wav'), join(directory, 'link-in.wav'));
  writeFileSync(join(directory, 'broken.mp4'), 'not a file of any kind');
  writeFileSync(join(directory, '.hidden.wav'), '');
  server = await LocalServer.start({ rtsp: { files: directory, files_index: scratch.file('index') } });
  base = `rtsp://127.0.0.1:${server.rtspPort}`;
}, 120_000);

afterAll(async () => {
  // Not after each test: some run side by side.
  for (const peer of peers) peer.close();
  await server.close();
  scratch.remove();
});

function amrFrames(count: number): number[] {
  return Array.from({ length: count }, () => [0x3c, ...Array.from({ length: 31 }, (_, i) => i)]).flat();
}

async function connect(): Promise<RtspPeer> {
  const peer = await RtspPeer.connect(server.rtspPort);
  peers.push(peer);
  return peer;
}

interface Opened {
  readonly peer: RtspPeer;
  readonly url: string;
  readonly session: { readonly Session: string };
  readonly clockRates: readonly number[];
  readonly sdp: string;
}

/** Describes a file and sets all its tracks up, interleaved. */
async function open(path: string): Promise<Opened> {
  const peer = await connect();
  const url = `${base}/${path}`;
  const described = await peer.request('DESCRIBE', url);
  expect(described.statusCode).toBe(200);
  const sdp = Buffer.from(described.body).toString();
  const controls = [...sdp.matchAll(/^a=control:(track\d+)/gm)].map((match) => match[1]!);
  const clockRates = [...sdp.matchAll(/^a=rtpmap:\d+ [^/]+\/(\d+)/gm)].map((match) => Number(match[1]));
  let session = { Session: '' };
  for (const [i, control] of controls.entries()) {
    const Transport = `RTP/AVP/TCP;unicast;interleaved=${2 * i}-${2 * i + 1}`;
    const headers = i === 0 ? { Transport } : { Transport, ...session };
    const answer = await peer.request('SETUP', `${url}/${control}`, headers);
    expect(answer.statusCode).toBe(200);
    session = { Session: sessionOf(answer) };
  }
  return { peer, url, session, clockRates, sdp };
}

function play(opened: Opened, headers: Readonly<Record<string, string>> = {}): Promise<RtspResponse> {
  return opened.peer.request('PLAY', opened.url, { ...opened.session, ...headers });
}

/** Start and end of an answer's Range, seconds. */
function rangeOf(response: RtspResponse): [number, number] {
  const match = /^npt=([\d.]+)-([\d.]*)$/.exec(response.headers.get('Range') ?? '');
  expect(match, String(response.headers.get('Range'))).not.toBeNull();
  return [Number(match![1]), Number(match![2])];
}

/** RTP time from the timestamp RTP-Info tells to the newest packet of track 1, seconds. */
function playedSeconds(opened: Opened, response: RtspResponse, channel = 0): number {
  const begin = Number(/rtptime=(\d+)/.exec(response.headers.get('RTP-Info') ?? '')?.[1]);
  const timestamps = opened.peer.on(channel).map((packet) => Buffer.from(packet).readUInt32BE(4));
  const ahead = timestamps.map((timestamp) => (timestamp - begin) | 0);
  return Math.max(...ahead) / opened.clockRates[channel / 2]!;
}

function saidBye(opened: Opened): boolean {
  return opened.peer.frames.some(({ channel, payload }) => channel % 2 === 1 && rtcpTypes(payload).includes(BYE));
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('every kind of file', () => {
  it.each([
    ['clip.mp4', ['H264/90000', 'MPEG4-GENERIC/48000/1']],
    ['clip.mov', ['H264/90000', 'MPEG4-GENERIC/48000/1']],
    ['clip.mkv', ['H264/90000', 'MPEG4-GENERIC/48000/1']],
    ['clip.flv', ['H264/90000', 'MPEG4-GENERIC/48000/1']],
    ['clip.webm', ['VP8/90000', 'OPUS/48000/2']],
    ['clip.ts', ['MP2T/90000']],
    ['clip.mpg', ['MPV/90000', 'MPA/90000']],
    ['clip.vob', ['MPV/90000', 'AC3/48000/1']],
    ['clip.264', ['H264/90000']],
    ['clip.265', ['H265/90000']],
    ['clip.aac', ['MPEG4-GENERIC/48000/1']],
    ['clip.mp3', ['MPA/90000']],
    ['clip.ac3', ['AC3/48000/1']],
    ['clip.wav', ['L16/48000/1']],
    ['clip.ogg', ['VORBIS/48000/1']],
    ['clip.opus', ['OPUS/48000/2']],
    ['clip.m4e', ['MP4V-ES/90000']],
    ['clip.amr', ['AMR/8000/1']],
    ['clip.dv', ['DV/90000']],
    ['link-in.wav', ['L16/48000/1']],
    ['folder/n%C3%A4me%20with%20space.wav', ['L16/48000/1']],
  ])('%s is described and played', async (path, formats) => {
    const opened = await open(path);
    const maps = [...opened.sdp.matchAll(/^a=rtpmap:\d+ (.*)$/gm)].map((match) => match[1]!.trim().toUpperCase());
    expect(maps.map((map) => map.replace(/(?<=^[A-Z0-9-]+\/\d+)\/1$/, ''))).toEqual(
      formats.map((format) => format.replace(/(?<=^[A-Z0-9-]+\/\d+)\/1$/, '')),
    );
    const answer = await play(opened);
    expect(answer.statusCode).toBe(200);
    await opened.peer.until(() => formats.every((_, track) => opened.peer.on(track * 2).length > 2), 'packets came');
  });

  it.each(['link-out.wav', 'broken.mp4', 'nothing.mp4', '.hidden.wav', '..%2foutside.wav', 'folder', 'clip.exe'])(
    '%s is not found',
    async (path) => {
      const peer = await connect();
      expect((await peer.request('DESCRIBE', `${base}/${path}`)).statusCode).toBe(404);
    },
  );
});

describe('a file', () => {
  it('is played at its own pace', async () => {
    const opened = await open('clip.mp4');
    const answer = await play(opened);
    await sleep(2_000);
    const seconds = playedSeconds(opened, answer);
    expect(seconds).toBeGreaterThan(1.7);
    expect(seconds).toBeLessThan(2.6);
  });

  it.each([
    ['clip.mp4', 10.5],
    ['clip.mkv', 10.5],
    ['clip.flv', 10.5],
    ['clip.mpg', 10.5],
    ['clip.ts', 10.5],
    ['clip.mp3', 10.5],
    ['clip.wav', 10.5],
  ])('%s is sought, and the answer says where it really is', async (path, target) => {
    const opened = await open(path);
    const answer = await play(opened, { Range: `npt=${target}-` });
    const [start, end] = rangeOf(answer);
    expect(start).toBeLessThanOrEqual(target);
    expect(start).toBeGreaterThan(target - 1.6);
    expect(Math.abs(end - 20)).toBeLessThan(0.5);
    await opened.peer.until(() => opened.peer.on(0).length > 3, 'packets came');
    expect(playedSeconds(opened, answer)).toBeGreaterThanOrEqual(0);
  });

  it('that can not be sought says so by its answer', async () => {
    const opened = await open('clip.264');
    expect(rangeOf(await play(opened, { Range: 'npt=10-' }))[0]).toBe(0);
  });

  it('ends where the range ends, with BYE, and plays again', async () => {
    const opened = await open('clip.mkv');
    const answer = await play(opened, { Range: 'npt=4.2-5.2' });
    const [start, end] = rangeOf(answer);
    expect(end).toBe(5.2);
    expect(Math.abs(start - 4)).toBeLessThan(0.1);
    await opened.peer.until(() => saidBye(opened), 'the sources said BYE');
    expect(playedSeconds(opened, answer)).toBeGreaterThan(1);
    expect(playedSeconds(opened, answer)).toBeLessThan(1.35);
    const packets = opened.peer.frames.length;
    const again = await play(opened, { Range: 'npt=7.2-8' });
    expect(Math.abs(rangeOf(again)[0] - 7)).toBeLessThan(0.1);
    await opened.peer.until(() => opened.peer.frames.length > packets + 10, 'it plays again');
  });

  it('says where it ends when the range ends behind that', async () => {
    expect(rangeOf(await play(await open('clip.mp4'), { Range: 'npt=18-100' }))[1]).toBe(20);
  });

  it('plays again after its end, from its start', async () => {
    const opened = await open('clip.wav');
    await play(opened, { Range: 'npt=19.5-' });
    await opened.peer.until(() => saidBye(opened), 'the source said BYE');
    expect(rangeOf(await play(opened))[0]).toBe(0);
  });

  it('goes on after a pause where it stood', async () => {
    const opened = await open('clip.mp4');
    await play(opened, { Range: 'npt=3-' });
    await sleep(1_000);
    await opened.peer.request('PAUSE', opened.url, opened.session);
    const packets = opened.peer.frames.length;
    await sleep(300);
    expect(opened.peer.frames.length).toBe(packets);
    const [start] = rangeOf(await play(opened));
    expect(Math.abs(start - 4)).toBeLessThan(0.3);
    await opened.peer.until(() => opened.peer.frames.length > packets, 'packets come again');
  });

  it('has another position for each viewer', async () => {
    const [one, other] = [await open('clip.mp4'), await open('clip.mp4')];
    expect(rangeOf(await play(one, { Range: 'npt=2-' }))[0]).toBe(2);
    const fast = await play(other, { Range: 'npt=9-', Scale: '4' });
    expect(rangeOf(fast)[0]).toBe(9);
    expect(fast.headers.get('Scale')).toMatch(/^4/);
    await one.peer.request('PAUSE', one.url, one.session);
    const packets = other.peer.frames.length;
    await other.peer.until(() => other.peer.frames.length > packets, 'the other one plays on');
  });

  it.each([
    ['npt=30-', 457],
    ['npt=5-3', 457],
    ['clock=20260101T000000Z-', 456],
    ['npt=x', 457],
    ['furlongs=3-', 501],
  ])('refuses Range: %s with %d', async (range, statusCode) => {
    const opened = await open('clip.mp4');
    expect((await play(opened, { Range: range })).statusCode).toBe(statusCode);
    expect((await play(opened)).statusCode).toBe(200);
  });

  it('takes SMPTE times', async () => {
    const opened = await open('clip.mp4');
    expect(rangeOf(await play(opened, { Range: 'smpte-25=0:00:07:00-' }))[0]).toBe(7);
  });

  it('that was changed is described anew, and who plays the old one is left alone', async () => {
    copyFileSync(join(directory, 'clip.mp3'), join(directory, 'changing.mp3'));
    const before = await open('changing.mp3');
    makeWithFfmpeg(join(directory, 'changed.mp3'), ['-i', join(directory, 'clip.wav'), '-t', '5']);
    copyFileSync(join(directory, 'changed.mp3'), join(directory, 'changing.mp3'));
    utimesSync(join(directory, 'changing.mp3'), new Date(), new Date(Date.now() + 5_000));
    const after = await open('changing.mp3');
    expect(before.sdp).toMatch(/a=range:npt=0(\.0+)?-20/);
    expect(after.sdp).toMatch(/a=range:npt=0(\.0+)?-5/);
  });
});

describe('scale and speed over 10 s', () => {
  it.concurrent.each([
    ['clip.mp4', { Scale: '2' }, 2, 1],
    ['clip.mkv', { Scale: '-1', Range: 'npt=19-' }, -1, 1],
    ['clip.ts', { Scale: '-1', Range: 'npt=19-' }, -1, 1],
    ['clip.mpg', { Scale: '2' }, 2, 1],
    ['clip.mp3', { Scale: '2' }, 2, 1],
    ['clip.mp4', { Speed: '2' }, 1, 2],
  ])('%s with %j keeps the rate within 5 %', { timeout: 30_000 }, async (path, headers, scale, speed) => {
    const opened = await open(path);
    const answer = await play(opened, headers);
    expect(Number(answer.headers.get('Scale') ?? 1)).toBe(scale);
    expect(Number(answer.headers.get('Speed') ?? 1)).toBe(speed);
    await opened.peer.until(() => opened.peer.on(0).length > 0, 'packets came');
    // RTP time runs with the wall clock times the speed, whatever the scale. Packets may be late where much else goes on,
    // and are never early: how far ahead they are at best in some seconds does not depend on the machine.
    const furthestAheadMs = async (): Promise<number> => {
      let furthest = Number.NEGATIVE_INFINITY;
      for (const endMs = performance.now() + PART_MS; performance.now() < endMs; await sleep(SAMPLE_MS)) {
        const aheadMs = (playedSeconds(opened, answer) * 1000) / speed - performance.now();
        furthest = Math.max(furthest, aheadMs);
      }
      return furthest;
    };
    const early = await furthestAheadMs();
    await sleep(PART_MS);
    const late = await furthestAheadMs();
    // From the middle of the first part to that of the third.
    const rate = 1 + (late - early) / (2 * PART_MS);
    expect(Math.abs(rate - 1)).toBeLessThan(0.05);
  });

  it.concurrent.each([
    ['4', 12],
    ['-4', 12.25],
    ['8', 6],
  ])('at scale %s is at its end in time, within 5 %', { timeout: 30_000 }, async (scale, seconds) => {
    const opened = await open('long.mp4');
    // The last key frame is a second before the end.
    const range = scale.startsWith('-') ? `npt=${LONG_SECONDS - 1}-` : `npt=1-`;
    const answer = await play(opened, { Scale: scale, Range: range });
    const beganMs = performance.now();
    expect(answer.headers.get('Scale')).toBe(scale);
    await opened.peer.until(() => opened.peer.on(0).length > 0, 'packets came');
    const half = (seconds * 1000) / 2;
    const aheadMs = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (; !saidBye(opened); await sleep(SAMPLE_MS)) {
      const nowMs = performance.now() - beganMs;
      const part = nowMs < half ? 0 : 1;
      aheadMs[part] = Math.max(aheadMs[part]!, playedSeconds(opened, answer) * 1000 - nowMs);
    }
    expect((performance.now() - beganMs) / 1000 / seconds).toBeGreaterThan(0.95);
    expect(Math.abs(playedSeconds(opened, answer) / seconds - 1)).toBeLessThan(0.05);
    expect(Math.abs(aheadMs[1]! - aheadMs[0]!) / half).toBeLessThan(0.05);
  });
});
