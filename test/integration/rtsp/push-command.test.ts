import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest';
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
const SOURCE = { vhost: DEFAULT_VHOST, app: 'live', stream: 'x' };
const COPY = { vhost: DEFAULT_VHOST, app: 'copy', stream: 'x' };

let directory: string;
let shortClip: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-push-'));
  shortClip = join(directory, 'short.flv');
  await writeShortClip(shortClip);
});

afterAll(() => rm(directory, { recursive: true }));

/** Frames of each kind, in base64. */
interface Frames {
  readonly video: string[];
  readonly audio: string[];
  readonly data: string[];
}

/** A server of its own for each test, as they run beside one another, and what is used with it. */
class Scene {
  readonly server: LocalServer;
  readonly #onClose: (close: () => unknown) => void;

  private constructor(server: LocalServer, onClose: (close: () => unknown) => void) {
    this.server = server;
    this.#onClose = onClose;
  }

  /** All of it ends with the test. @param waitSeconds who asks for a stream that is not there yet waits so long */
  static async open({ onTestFinished }: TestContext, waitSeconds = 0): Promise<Scene> {
    const server = await LocalServer.start({
      latency: 'realtime',
      rtsp: { users: USERS, wait: waitSeconds },
      play: { log_seconds: 60 },
      publish: { grace: 0 },
    });
    const onClose = (close: () => unknown): void => {
      onTestFinished(async () => {
        await close();
      });
    };
    onClose(() => server.close());
    return new Scene(server, onClose);
  }

  own(close: () => unknown): void {
    this.#onClose(close);
  }

  /** @param path `live/x` */
  rtsp(path: string, password = 'secret'): string {
    return `rtsp://anna:${password}@127.0.0.1:${this.server.rtspPort}/${path}`;
  }

  start(...args: readonly string[]): MillraceProcess {
    const started = new MillraceProcess(args);
    this.own(() => started.kill());
    return started;
  }

  /** Frames that come to `copy/x`, until it ends. */
  collect(): Frames {
    const frames: Frames = { video: [], audio: [], data: [] };
    const stream = this.server.millrace.hub.getOrCreate(COPY);
    const { log } = stream;
    const append = log.append.bind(log);
    // The last ones are gone with the stream, perhaps in the very turn in which they came.
    vi.spyOn(log, 'append').mockImplementation((frame: Frame) => {
      frames[frame.track.kind].push(Buffer.from(frame.payload).toString('base64'));
      return append(frame);
    });
    // Somebody who waits keeps the stream.
    void stream.whenLive(SLOW_MS);
    return frames;
  }

  publishClip(): void {
    const log = pino({ level: 'silent' });
    const publisher = new FilePublisher({ hub: this.server.millrace.hub, log, name: SOURCE, path: CLIP });
    this.own(() => publisher.close());
  }

  /** Whether `copy/x` is. */
  isLive(): boolean {
    return this.server.millrace.hub.get(COPY)?.state === 'live';
  }

  /** Waits until somebody has asked the server for something over RTSP. */
  whenAsked(): Promise<void> {
    return until('asked', () => this.server.millrace.counters.rtsp!.connections > 0);
  }
}

function flvFrames(bytes: Uint8Array): Frames {
  const frames: Frames = { video: [], audio: [], data: [] };
  const demuxer = new FlvDemuxer();
  for (const tag of tagsOf(bytes)) {
    for (const event of demuxer.demux(tag.typeId, tag.timestamp, tag.body)) {
      if (event.type === 'frame')
        frames[event.frame.track.kind].push(Buffer.from(event.frame.payload).toString('base64'));
    }
  }
  return frames;
}

type Failure = readonly [exitCode: number, message: RegExp, args: readonly string[]];

async function expectFailure(command: string, ...[exitCode, message, args]: Failure): Promise<void> {
  const outcome = await runMillrace(command, ...args);
  expect(outcome.exitCode, args.join(' ')).toBe(exitCode);
  expect(outcome.stderr).toMatch(message);
  expect(outcome.stderr).not.toMatch(/wr0ng|secret/);
}

// They wait for real time more than for anything else, so they wait together.
describe.concurrent('millrace push', () => {
  it.for([
    ['tcp', 'in its time'],
    ['udp', 'in its time'],
    ['tcp', 'fast'],
  ] as const)('publishes all of a file, by %s, %s', { timeout: SLOW_MS }, async ([transport, pace], context) => {
    const scene = await Scene.open(context);
    const file = pace === 'fast' ? CLIP : shortClip;
    const frames = scene.collect();
    const startMs = performance.now();
    const outcome = await runMillrace(
      'push',
      file,
      scene.rtsp('copy/x'),
      '--transport',
      transport,
      ...(pace === 'fast' ? ['--fast'] : []),
    );
    expect(outcome).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    if (pace !== 'fast') expect(performance.now() - startMs).toBeGreaterThan(2_800);
    await until('over', () => !scene.isLive());
    const expected = flvFrames(await readFile(file));
    expect(frames.video).toEqual(expected.video);
    // Sound from before the first picture is not sent.
    expect(frames.audio.length).toBeGreaterThan(expected.audio.length - 6);
    expect(frames.audio).toEqual(expected.audio.slice(-frames.audio.length));
  });

  it('passes on what an RTMP, HTTP or RTSP server has', { timeout: SLOW_MS }, async (context) => {
    const scene = await Scene.open(context);
    scene.publishClip();
    const sources = [
      `rtmp://127.0.0.1:${scene.server.rtmpPort}/live/x`,
      `http://127.0.0.1:${scene.server.httpPort}/live/x.flv`,
      scene.rtsp('live/x'),
    ];
    for (const source of sources) {
      const pushing = scene.start('push', source, scene.rtsp('copy/x'));
      await until(`live from ${source}`, () => scene.isLive());
      await until('both tracks', () => scene.server.millrace.hub.get(COPY)?.header.tracks.length === 2);
      pushing.interrupt();
      expect(await pushing.outcome).toMatchObject({ exitCode: 0, stderr: '' });
      await until('over', () => !scene.isLive());
    }
  });

  it('tries again as often as it may, and a file waits for it', { timeout: SLOW_MS }, async (context) => {
    const scene = await Scene.open(context);
    let announces = 0;
    const location = scene.rtsp('copy/x');
    const other = await startScriptedRtspServer((method) => {
      if (method !== 'ANNOUNCE') return ['200 OK'];
      return ++announces === 1 ? ['503 Service Unavailable'] : [`302 Found\r\nLocation: ${location}`];
    });
    scene.own(() => other.close());
    const frames = scene.collect();
    const outcome = await runMillrace('push', shortClip, `rtsp://127.0.0.1:${other.port}/x`, '--retry', '1');
    expect(outcome).toMatchObject({ exitCode: 0, stderr: '' });
    await until('over', () => !scene.isLive());
    expect(frames.video).toEqual(flvFrames(await readFile(shortClip)).video);
  });

  it('says what is wrong, without passwords', { timeout: SLOW_MS }, async (context) => {
    const scene = await Scene.open(context);
    const cases: readonly Failure[] = [
      [1, /\/copy\/x: .*401/, [shortClip, scene.rtsp('copy/x', 'wr0ng')]],
      [1, /nothing listens on/, [shortClip, 'rtsp://anna:wr0ng@127.0.0.1:9/x']],
      [1, /no file/, [join(directory, 'none.flv'), scene.rtsp('copy/x')]],
      [1, /copy\/none.*404/, [scene.rtsp('copy/none'), scene.rtsp('copy/x')]],
      [2, /no URL like rtsp:\/\/host\/path/, [shortClip, 'rtmp://anna:wr0ng@127.0.0.1/live/x']],
      [2, /--loop is for files/, [`rtmp://127.0.0.1/live/x`, scene.rtsp('copy/x'), '--loop']],
      [2, /--transport takes/, [shortClip, scene.rtsp('copy/x'), '--transport', 'sctp']],
      [2, /push takes/, [shortClip]],
    ];
    await Promise.all(cases.map((one) => expectFailure('push', ...one)));
  });
});

describe.concurrent('millrace pull', () => {
  it.for(['tcp', 'udp'])('records a stream, by %s', { timeout: SLOW_MS }, async (transport, context) => {
    const scene = await Scene.open(context);
    scene.publishClip();
    const out = join(directory, `pulled-${transport}.flv`);
    const outcome: Outcome = await runMillrace(
      'pull',
      scene.rtsp('live/x'),
      out,
      '--duration',
      '2',
      '--transport',
      transport,
    );
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

  it('writes to standard output, and says the tracks beside it', { timeout: SLOW_MS }, async (context) => {
    const scene = await Scene.open(context);
    scene.publishClip();
    const outcome = await runMillrace('pull', scene.rtsp('live/x'), '-', '--duration', '1');
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stdout.slice(0, 3)).toBe('FLV');
    expect(outcome.stderr).toMatch(/^video h264/);
  });

  it('publishes to RTMP until it is interrupted', { timeout: SLOW_MS }, async (context) => {
    const scene = await Scene.open(context);
    scene.publishClip();
    const frames = scene.collect();
    const pulling = scene.start('pull', scene.rtsp('live/x'), `rtmp://127.0.0.1:${scene.server.rtmpPort}/copy/x`);
    await until('frames', () => frames.video.length > 20 && frames.audio.length > 20);
    pulling.interrupt();
    expect(await pulling.outcome).toMatchObject({ exitCode: 0, stderr: '' });
    const expected = flvFrames(await readFile(CLIP));
    const from = expected.video.indexOf(frames.video[0]!);
    expect(frames.video).toEqual(expected.video.slice(from, from + frames.video.length));
  });

  it('says what is wrong, without passwords', { timeout: SLOW_MS }, async (context) => {
    const scene = await Scene.open(context);
    const silent = await startScriptedRtspServer(() => ['100 Continue']);
    scene.own(() => silent.close());
    const cases: readonly Failure[] = [
      [1, /\/live\/x: .*404/, [scene.rtsp('live/x'), 'x.flv']],
      [1, /\/live\/x: .*401/, [scene.rtsp('live/x', 'wr0ng'), 'x.flv']],
      [1, /nothing has come for 1 s/, [`rtsp://127.0.0.1:${silent.port}/live/x`, 'x.flv', '--timeout', '1']],
      [2, /no URL like/, ['http://anna:wr0ng@127.0.0.1/x', 'x.flv']],
      [2, /names no stream/, [scene.rtsp('live/x'), 'rtmp://127.0.0.1/']],
      [2, /pull takes/, [scene.rtsp('live/x')]],
    ];
    await Promise.all(cases.map((one) => expectFailure('pull', ...one)));
  });
});

// Not beside the others: who asks for a stream waits 10 s for the answer, and in that time a second program has to start.
describe('a stream from one command to another', () => {
  it('push ends when what it passes on does', { timeout: SLOW_MS }, async (context) => {
    const scene = await Scene.open(context, 10);
    const second = scene.start('push', scene.rtsp('live/x'), scene.rtsp('copy/x'));
    await scene.whenAsked();
    const first = scene.start('push', shortClip, scene.rtsp('live/x'));
    expect((await first.outcome).exitCode).toBe(0);
    expect(await second.outcome).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('pull ends with the stream', { timeout: SLOW_MS }, async (context) => {
    const scene = await Scene.open(context, 10);
    const out = join(directory, 'whole.flv');
    const pulling = scene.start('pull', scene.rtsp('live/x'), out);
    await scene.whenAsked();
    const pushing = scene.start('push', shortClip, scene.rtsp('live/x'));
    expect(await pulling.outcome).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await pushing.outcome).exitCode).toBe(0);
    expect(flvFrames(await readFile(out)).video).toEqual(flvFrames(await readFile(shortClip)).video);
  });
});
