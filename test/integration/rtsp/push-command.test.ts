import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/codec/frame.ts';
import { FlvDemuxer } from '../../../src/format/flv/flv-demuxer.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import { FilePublisher } from '../../../src/server/file-source/file-publisher.ts';
import { MillraceProcess, type Outcome, runMillrace } from '../millrace-process.ts';
import { LocalServer } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { CLIP, tagsOf, writeShortClip } from '../short-clip.ts';
import { startScriptedRtspServer } from './scripted-rtsp-server.ts';

const SLOW_MS = 25_000;
const USERS = [{ name: 'anna', password: 'secret', rights: ['publish' as const, 'play' as const] }];
const COPY = { vhost: DEFAULT_VHOST, app: 'copy', stream: 'x' };

let directory: string;
let shortClip: string;
let closers: (() => unknown)[];
let server: LocalServer;
let rtsp: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-push-'));
  shortClip = join(directory, 'short.flv');
  await writeShortClip(shortClip);
});

afterAll(() => rm(directory, { recursive: true }));

beforeEach(async () => {
  closers = [];
  server = await LocalServer.start({
    latency: 'realtime',
    rtsp: { users: USERS },
    play: { log_seconds: 60 },
    publish: { grace: 0 },
  });
  closers.push(() => server.close());
  rtsp = `rtsp://anna:secret@127.0.0.1:${server.rtspPort}/copy/x`;
});

afterEach(async () => {
  for (const close of closers.toReversed()) await close();
});

function start(...args: readonly string[]): MillraceProcess {
  const started = new MillraceProcess(args);
  closers.push(() => started.kill());
  return started;
}

/** Frames of each kind that come to `copy/x`, in base64, until it ends. */
function collect(): { readonly video: string[]; readonly audio: string[]; readonly data: string[] } {
  const frames = { video: [] as string[], audio: [] as string[], data: [] as string[] };
  const stream = server.millrace.hub.getOrCreate(COPY);
  let next = stream.log.head;
  const timer = setInterval(() => {
    for (next = Math.max(next, stream.log.first); next < stream.log.head; next++) add(stream.log.at(next)!);
  }, 5);
  const add = (frame: Frame): void => {
    frames[frame.track.kind].push(Buffer.from(frame.payload).toString('base64'));
  };
  closers.push(() => clearInterval(timer));
  // Somebody who waits keeps the stream.
  void stream.whenLive(SLOW_MS);
  return frames;
}

function flvFrames(bytes: Uint8Array): { readonly video: string[]; readonly audio: string[]; readonly data: string[] } {
  const frames = { video: [] as string[], audio: [] as string[], data: [] as string[] };
  const demuxer = new FlvDemuxer();
  for (const tag of tagsOf(bytes)) {
    for (const event of demuxer.demux(tag.typeId, tag.timestamp, tag.body)) {
      if (event.type === 'frame')
        frames[event.frame.track.kind].push(Buffer.from(event.frame.payload).toString('base64'));
    }
  }
  return frames;
}

function publishClip(app = 'live'): void {
  const log = pino({ level: 'silent' });
  const name = { vhost: DEFAULT_VHOST, app, stream: 'x' };
  const publisher = new FilePublisher({ hub: server.millrace.hub, log, name, path: CLIP });
  closers.push(() => publisher.close());
}

function isLive(): boolean {
  return server.millrace.hub.get(COPY)?.state === 'live';
}

type Failure = readonly [exitCode: number, message: RegExp, args: readonly string[]];

async function expectFailure(command: string, ...[exitCode, message, args]: Failure): Promise<void> {
  const outcome = await runMillrace(command, ...args);
  expect(outcome.exitCode, args.join(' ')).toBe(exitCode);
  expect(outcome.stderr).toMatch(message);
  expect(outcome.stderr).not.toMatch(/wr0ng|secret/);
}

describe('millrace push', () => {
  it.each([
    ['tcp', 'in its time'],
    ['udp', 'in its time'],
    ['tcp', 'fast'],
  ])('publishes all of a file, by %s, %s', { timeout: SLOW_MS }, async (transport, pace) => {
    const file = pace === 'fast' ? CLIP : shortClip;
    const frames = collect();
    const startMs = performance.now();
    const outcome = await runMillrace(
      'push',
      file,
      rtsp,
      '--transport',
      transport,
      ...(pace === 'fast' ? ['--fast'] : []),
    );
    expect(outcome).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    if (pace !== 'fast') expect(performance.now() - startMs).toBeGreaterThan(2_800);
    await until('over', () => !isLive());
    const expected = flvFrames(await readFile(file));
    expect(frames.video).toEqual(expected.video);
    // Sound from before the first picture is not sent.
    expect(frames.audio.length).toBeGreaterThan(expected.audio.length - 6);
    expect(frames.audio).toEqual(expected.audio.slice(-frames.audio.length));
  });

  it('passes on what an RTMP, HTTP or RTSP server has', { timeout: SLOW_MS }, async () => {
    publishClip();
    const sources = [
      `rtmp://127.0.0.1:${server.rtmpPort}/live/x`,
      `http://127.0.0.1:${server.httpPort}/live/x.flv`,
      `rtsp://anna:secret@127.0.0.1:${server.rtspPort}/live/x`,
    ];
    for (const source of sources) {
      const pushing = start('push', source, rtsp);
      await until(`live from ${source}`, () => isLive());
      await until('both tracks', () => server.millrace.hub.get(COPY)?.header.tracks.length === 2);
      pushing.interrupt();
      expect(await pushing.outcome).toMatchObject({ exitCode: 0, stderr: '' });
      await until('over', () => !isLive());
    }
  });

  it('ends when what it passes on does', { timeout: SLOW_MS }, async () => {
    const first = start('push', shortClip, `rtsp://anna:secret@127.0.0.1:${server.rtspPort}/live/x`);
    await until('there', () => server.millrace.hub.get({ ...COPY, app: 'live' })?.state === 'live');
    const second = start('push', `rtsp://anna:secret@127.0.0.1:${server.rtspPort}/live/x`, rtsp);
    expect((await first.outcome).exitCode).toBe(0);
    expect(await second.outcome).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('tries again as often as it may, and a file waits for it', { timeout: SLOW_MS }, async () => {
    let announces = 0;
    const location = `rtsp://anna:secret@127.0.0.1:${server.rtspPort}/copy/x`;
    const other = await startScriptedRtspServer((method) => {
      if (method !== 'ANNOUNCE') return ['200 OK'];
      return ++announces === 1 ? ['503 Service Unavailable'] : [`302 Found\r\nLocation: ${location}`];
    });
    closers.push(() => other.close());
    const frames = collect();
    const outcome = await runMillrace('push', shortClip, `rtsp://127.0.0.1:${other.port}/x`, '--retry', '1');
    expect(outcome).toMatchObject({ exitCode: 0, stderr: '' });
    await until('over', () => !isLive());
    expect(frames.video).toEqual(flvFrames(await readFile(shortClip)).video);
  });

  it('says what is wrong, without passwords', { timeout: SLOW_MS }, async () => {
    const port = server.rtspPort;
    const cases: readonly Failure[] = [
      [1, /\/copy\/x: .*401/, [shortClip, `rtsp://anna:wr0ng@127.0.0.1:${port}/copy/x`]],
      [1, /nothing listens on/, [shortClip, 'rtsp://anna:wr0ng@127.0.0.1:9/x']],
      [1, /no file/, [join(directory, 'none.flv'), rtsp]],
      [1, /copy\/none.*404/, [`rtsp://anna:secret@127.0.0.1:${port}/copy/none`, rtsp]],
      [2, /no URL like rtsp:\/\/host\/path/, [shortClip, 'rtmp://anna:wr0ng@127.0.0.1/live/x']],
      [2, /--loop is for files/, [`rtmp://127.0.0.1/live/x`, rtsp, '--loop']],
      [2, /--transport takes/, [shortClip, rtsp, '--transport', 'sctp']],
      [2, /push takes/, [shortClip]],
    ];
    await Promise.all(cases.map((one) => expectFailure('push', ...one)));
  });
});

describe('millrace pull', () => {
  const source = (): string => `rtsp://anna:secret@127.0.0.1:${server.rtspPort}/live/x`;

  it.each(['tcp', 'udp'])('records a stream, by %s', { timeout: SLOW_MS }, async (transport) => {
    publishClip();
    const out = join(directory, `pulled-${transport}.flv`);
    const outcome: Outcome = await runMillrace('pull', source(), out, '--duration', '2', '--transport', transport);
    expect(outcome).toMatchObject({ exitCode: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/^video h264 .*640x360.*\naudio aac .*44100 Hz.*\n$/);
    const frames = flvFrames(await readFile(out));
    const expected = flvFrames(await readFile(CLIP));
    for (const kind of ['video', 'audio'] as const) {
      expect(frames[kind].length).toBeGreaterThan(40);
      const from = expected[kind].indexOf(frames[kind][0]!);
      expect(frames[kind]).toEqual(expected[kind].slice(from, from + frames[kind].length));
    }
  });

  it('writes to standard output, and says the tracks beside it', { timeout: SLOW_MS }, async () => {
    publishClip();
    const outcome = await runMillrace('pull', source(), '-', '--duration', '1');
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stdout.slice(0, 3)).toBe('FLV');
    expect(outcome.stderr).toMatch(/^video h264/);
  });

  it('publishes to RTMP until it is interrupted', { timeout: SLOW_MS }, async () => {
    publishClip();
    const frames = collect();
    const pulling = start('pull', source(), `rtmp://127.0.0.1:${server.rtmpPort}/copy/x`);
    await until('frames', () => frames.video.length > 20 && frames.audio.length > 20);
    pulling.interrupt();
    expect(await pulling.outcome).toMatchObject({ exitCode: 0, stderr: '' });
    const expected = flvFrames(await readFile(CLIP));
    const from = expected.video.indexOf(frames.video[0]!);
    expect(frames.video).toEqual(expected.video.slice(from, from + frames.video.length));
  });

  it('ends with the stream', { timeout: SLOW_MS }, async () => {
    const pushing = start('push', shortClip, source());
    await until('there', () => server.millrace.hub.get({ ...COPY, app: 'live' })?.state === 'live');
    const out = join(directory, 'whole.flv');
    const outcome = await runMillrace('pull', source(), out);
    expect(outcome).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await pushing.outcome).exitCode).toBe(0);
    expect(flvFrames(await readFile(out)).video).toEqual(flvFrames(await readFile(shortClip)).video);
  });

  it('says what is wrong, without passwords', { timeout: SLOW_MS }, async () => {
    const silent = await startScriptedRtspServer(() => ['100 Continue']);
    closers.push(() => silent.close());
    const cases: readonly Failure[] = [
      [1, /\/live\/x: .*404/, [source(), 'x.flv']],
      [1, /\/live\/x: .*401/, [`rtsp://anna:wr0ng@127.0.0.1:${server.rtspPort}/live/x`, 'x.flv']],
      [1, /nothing has come for 1 s/, [`rtsp://127.0.0.1:${silent.port}/live/x`, 'x.flv', '--timeout', '1']],
      [2, /no URL like/, ['http://anna:wr0ng@127.0.0.1/x', 'x.flv']],
      [2, /names no stream/, [source(), 'rtmp://127.0.0.1/']],
      [2, /pull takes/, [source()]],
    ];
    await Promise.all(cases.map((one) => expectFailure('pull', ...one)));
  });
});
