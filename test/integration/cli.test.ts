import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Millrace } from '../../src/app/millrace.ts';
import { VERSION } from '../../src/app/version.ts';
import { FLV_AUDIO, FLV_VIDEO } from '../../src/format/flv/flv-codecs.tables.ts';
import type { FlvTag } from '../../src/format/flv/flv-reader.ts';
import { writeFlvHeader } from '../../src/format/flv/flv-tag.ts';
import { TsMuxer } from '../../src/format/mpegts/ts-muxer.ts';
import type { ProbeReport } from '../../src/server/client/probe-report.ts';
import { freePort } from '../peers/free-ports.ts';
import { makeSelfSignedCertificate } from '../peers/self-signed-certificate.ts';
import { readFlv } from './format-media.ts';
import { LAUNCHER, MillraceProcess, NODE_OPTIONS, runMillrace } from './millrace-process.ts';
import { CLIP, tagsOf, writeShortClip } from './short-clip.ts';

let directory: string;
let shortClip: string;
let server: Millrace;
let rtmp: string;
let http: string;
const processes: MillraceProcess[] = [];

function startServer(rtmpPort = 0): Promise<Millrace> {
  return Millrace.start({
    configuration: {
      rtmp: { listen: `127.0.0.1:${rtmpPort}` },
      http: { listen: '127.0.0.1:0' },
      rtsp: { enabled: false },
      log: { level: 'silent' },
    },
  });
}

/** A process that ends with the last test at the latest. */
function start(...args: readonly string[]): MillraceProcess {
  const started = new MillraceProcess(args);
  processes.push(started);
  return started;
}

function stateOf(stream: string, of = server): string | undefined {
  return of.hub.get({ vhost: '__defaultVhost__', app: 'live', stream })?.state;
}

async function isLive(stream: string, of = server): Promise<void> {
  // Not expect.poll, which has to know whose it is of tests that run side by side.
  await vi.waitFor(() => expect(stateOf(stream, of)).toBe('live'), { timeout: 8_000, interval: 20 });
}

/** The bodies of one kind that hold frames, configurations left out, in hex. */
function framesOf(tags: readonly FlvTag[], typeId: number): string[] {
  return tags
    .filter((tag) => tag.typeId === typeId && tag.body[1] !== 0)
    .map((tag) => Buffer.from(tag.body).toString('hex'));
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-cli-'));
  shortClip = join(directory, 'short.flv');
  await writeShortClip(shortClip);
  server = await startServer();
  rtmp = `rtmp://127.0.0.1:${server.ports.rtmp[0]}/live`;
  http = `http://127.0.0.1:${server.ports.http[0]}/live`;
});

afterAll(async () => {
  for (const one of processes) one.kill();
  await server.close();
  await rm(directory, { recursive: true });
});

describe('millrace', () => {
  it('tells its version', async () => {
    expect(await runMillrace('--version')).toEqual({ exitCode: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  it.each([[['--help']], [['check', '--help']], [['publish', '--help']], [['play', '--help']], [['probe', '--help']]])(
    'tells what %j is',
    async (args) => {
      const { exitCode, stdout, stderr } = await runMillrace(...args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(/^millrace|^Millrace/);
    },
  );

  it.each([
    [['publish']],
    [['publish', 'a.flv']],
    [['publish', 'a.flv', 'http://127.0.0.1/live/x']],
    [['publish', 'a.flv', 'rtmp://127.0.0.1/live']],
    [['publish', 'a.flv', 'rtmp://127.0.0.1/live/x', 'more']],
    [['publish', 'a.flv', 'rtmp://127.0.0.1/live/x', '--retry', 'often']],
    [['publish', 'a.flv', 'rtmp://127.0.0.1/live/x', '--timeout', '0']],
    [['play']],
    [['play', 'a.flv']],
    [['play', 'srt://127.0.0.1:9000']],
    [['play', 'rtmp://127.0.0.1/live/x', '--duration', '-1']],
    [['play', '--no-such-option']],
    [['probe']],
    [['probe', 'a.flv', 'b.flv']],
    [['probe', 'a.flv', '--seconds', 'x']],
    [['check']],
    [['no-such-command', 'x']],
  ])('refuses the command line %j', async (args) => {
    const { exitCode, stdout, stderr } = await runMillrace(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^millrace: [^\n]+\n$/);
  });

  it('says in one line that its port is taken', async () => {
    const path = join(directory, 'taken.yml');
    await writeFile(
      path,
      `rtmp:\n  listen: 127.0.0.1:${server.ports.rtmp[0]}\nhttp:\n  listen: 127.0.0.1:0\nrtsp:\n  listen: 127.0.0.1:0\n`,
    );
    const { exitCode, stdout, stderr } = await runMillrace(path);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^millrace: port 127\.0\.0\.1:\d+ is taken[^\n]*\n$/);
  });
});

describe('millrace check', () => {
  it('accepts a right configuration', async () => {
    const path = join(directory, 'right.yml');
    await writeFile(path, 'latency: low\nrtmp:\n  listen: 1935\n');
    expect(await runMillrace('check', path)).toEqual({ exitCode: 0, stdout: `${path} is right\n`, stderr: '' });
  });

  it('says at which line and column a configuration is wrong', async () => {
    const path = join(directory, 'wrong.yml');
    await writeFile(path, 'latency: low\nrtmp:\n  chunk_size: 3\n');
    const { exitCode, stdout, stderr } = await runMillrace('check', path);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(/^millrace: [^\n]+\n$/);
    expect(stderr).toContain(`${path}:3:`);
    expect(stderr).toContain('chunk_size');
  });

  it('says that there is no such file', async () => {
    const { exitCode, stderr } = await runMillrace('check', join(directory, 'none.yml'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^millrace: [^\n]*none\.yml[^\n]*\n$/);
  });
});

// They wait for real time and for servers that are silent, so they wait together.
describe.concurrent('millrace publish and play', () => {
  it('carry every payload unchanged and in order over RTMP, HTTP-FLV and WebSocket-FLV', async () => {
    const outs = ['rtmp', 'http', 'ws'].map((name) => join(directory, `played-${name}.flv`));
    const players = [`${rtmp}/all`, `${http}/all.flv?wait=15`, `${http.replace('http', 'ws')}/all.flv?wait=15`].map(
      (url, index) => start('play', url, '--out', outs[index]!),
    );
    const viewers = (): number | undefined =>
      server.hub.get({ vhost: '__defaultVhost__', app: 'live', stream: 'all' })?.viewers;
    await vi.waitFor(() => expect(viewers()).toBe(1), { timeout: 8_000 });
    const quiet = { exitCode: 0, stdout: '', stderr: '' };
    expect(await runMillrace('publish', shortClip, `${rtmp}/all`)).toEqual(quiet);
    expect(await Promise.all(players.map((player) => player.outcome))).toEqual([quiet, quiet, quiet]);

    const source = tagsOf(await readFile(shortClip));
    const [sourceVideo, sourceAudio] = [framesOf(source, FLV_VIDEO), framesOf(source, FLV_AUDIO)];
    for (const out of outs) {
      const file = await readFile(out);
      const played = tagsOf(file);
      expect(file.subarray(0, 5)).toEqual(Buffer.from([0x46, 0x4c, 0x56, 1, 5]));
      expect(framesOf(played, FLV_VIDEO)).toEqual(sourceVideo);
      // A viewer begins with the first key frame, before which there is some audio.
      const audio = framesOf(played, FLV_AUDIO);
      expect(audio).toEqual(sourceAudio.slice(-audio.length));
      expect(audio.length).toBeGreaterThan(sourceAudio.length - 8);
      const media = played.filter((tag) => tag.typeId !== 18);
      expect(Math.min(...media.map((tag) => tag.timestamp))).toBe(0);
      const times = readFlv(file).frames.map((frame) => frame.dtsUs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it('follow a redirect, and tell what comes when there is no file to write', async () => {
    const gate = await Millrace.start({
      configuration: {
        rtmp: { listen: '127.0.0.1:0', redirect: { moved: rtmp } },
        http: { enabled: false },
        rtsp: { enabled: false },
        log: { level: 'silent' },
      },
    });
    try {
      const moved = `rtmp://127.0.0.1:${gate.ports.rtmp[0]}/moved/redirected`;
      const publisher = start('publish', CLIP, moved);
      await isLive('redirected');
      const { exitCode, stdout, stderr } = await runMillrace('play', moved, '--duration', '0.5');
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(
        /^video h264 Constrained Baseline 3\.0, 640x360, 25 fps\naudio aac LC, 44100 Hz, 2 channels\n[\d:.]+, \d+ frames, \d+ bytes\n$/,
      );
      publisher.interrupt();
      await publisher.outcome;
    } finally {
      await gate.close();
    }
  });

  it('unpublish on Ctrl-C', async () => {
    const publisher = start('publish', CLIP, `${rtmp}/interrupted`, '--loop');
    await isLive('interrupted');
    publisher.interrupt();
    expect(await publisher.outcome).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    // A lost publisher would be waited for.
    expect(stateOf('interrupted')).not.toBe('grace');
    expect(stateOf('interrupted')).not.toBe('live');
  });

  it('are refused a stream that is taken', async () => {
    const publisher = start('publish', CLIP, `${rtmp}/busy`, '--loop');
    await isLive('busy');
    const { exitCode, stdout, stderr } = await runMillrace('publish', CLIP, `${rtmp}/busy`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^millrace: rtmp:\/\/\S+\/busy is refused: NetStream\.Publish\.BadName[^\n]*\n$/);
    publisher.interrupt();
    await publisher.outcome;
  });

  it('publish again with --retry when the server comes back', async () => {
    const before = await startServer();
    const port = before.ports.rtmp[0]!;
    const publisher = start('publish', CLIP, `rtmp://127.0.0.1:${port}/live/again`, '--loop', '--retry', '10');
    await isLive('again', before);
    await before.close();
    const after = await startServer(port);
    try {
      await isLive('again', after);
      const tracks = (): number | undefined =>
        after.hub.get({ vhost: '__defaultVhost__', app: 'live', stream: 'again' })?.header.tracks.length;
      await vi.waitFor(() => expect(tracks()).toBe(2), { timeout: 8_000 });
      publisher.interrupt();
      expect(await publisher.outcome).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    } finally {
      await after.close();
    }
  });

  it('speak TLS, and take a self-signed certificate only when told to', async () => {
    const files = await makeSelfSignedCertificate(directory);
    const secure = await Millrace.start({
      configuration: {
        rtmp: { listen: '127.0.0.1:0' },
        rtmps: { listen: '127.0.0.1:0', cert: files.cert, key: files.key },
        http: { enabled: false },
        rtsp: { enabled: false },
        log: { level: 'silent' },
      },
    });
    try {
      const url = `rtmps://localhost:${secure.ports.rtmps[0]}/live/x`;
      const refused = await runMillrace('publish', shortClip, url, '--fast');
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toMatch(/^millrace: the certificate of localhost:\d+ is not trusted: [^\n]+\n$/);
      expect(await runMillrace('publish', shortClip, url, '--fast', '--insecure')).toEqual({
        exitCode: 0,
        stdout: '',
        stderr: '',
      });
    } finally {
      await secure.close();
    }
  });

  it('draw one line at a terminal', async () => {
    const command = `stty cols 200; ${process.execPath} ${NODE_OPTIONS.join(' ')} ${LAUNCHER} publish ${shortClip} ${rtmp}/terminal`;
    const { stdout } = await promisify(execFile)('script', ['-qefc', command, '/dev/null'], { timeout: 15_000 });
    expect(stdout).toContain('\r\u001b[Ktime 0:00:0');
    expect(stdout).toMatch(
      /time 0:00:0[12]\.\d {2}bitrate \d+ kb\/s {2}frames \d+ {2}fps \d+\.\d {2}send buffer \d+ kB/,
    );
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe.concurrent('failures are one line and exit code 1', () => {
  /** A port nobody listens on. */
  let closedPort: number;
  /** A server that takes connections and says nothing. */
  let silent: net.Server;
  let silentPort: number;
  let text: string;

  beforeAll(async () => {
    closedPort = await freePort();
    silent = net.createServer((socket) => socket.on('error', () => socket.destroy())).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    silentPort = (silent.address() as net.AddressInfo).port;
    text = join(directory, 'text.flv');
    await writeFile(text, 'This is no video at all, however long one reads on.');
    await writeFile(join(directory, 'empty.flv'), '');
    await writeFile(join(directory, 'bare.flv'), writeFlvHeader({ hasAudio: false, hasVideo: false }));
  });

  afterAll(() => {
    silent.close();
  });

  it.each<[string, () => string[], RegExp]>([
    ['unknown host', () => ['play', 'rtmp://no-such-host.invalid/live/x'], /there is no host no-such-host\.invalid$/],
    ['refused connection', () => ['publish', CLIP, `rtmp://127.0.0.1:${closedPort}/live/x`], /nothing listens on/],
    ['refused HTTP', () => ['play', `http://127.0.0.1:${closedPort}/live/x.flv`], /nothing listens on/],
    ['refused WebSocket', () => ['play', `ws://127.0.0.1:${closedPort}/live/x.flv`], /nothing listens on/],
    [
      'silent RTMP server',
      () => ['play', `rtmp://127.0.0.1:${silentPort}/live/x`, '--timeout', '0.5'],
      /does not answer in time/,
    ],
    [
      'silent TLS server',
      () => ['play', `rtmps://127.0.0.1:${silentPort}/live/x`, '--timeout', '0.5'],
      /does not answer within 0\.5 s$/,
    ],
    [
      'silent HTTP server',
      () => ['probe', `http://127.0.0.1:${silentPort}/live/x.flv`, '--timeout', '0.5'],
      /does not answer within 0\.5 s$/,
    ],
    [
      'silent WebSocket server',
      () => ['play', `ws://127.0.0.1:${silentPort}/live/x.flv`, '--timeout', '0.5'],
      /does not answer within 0\.5 s$/,
    ],
    ['stream not found', () => ['play', `${http}/none.flv`], /answers 404: nothing is published as "live\/none"$/],
    ['WebSocket stream not found', () => ['play', `${http.replace('http', 'ws')}/none.flv`], /answers 404: nothing/],
    [
      'stream without a publisher',
      () => ['play', `${rtmp}/none`, '--timeout', '0.5'],
      /nothing has come for 0\.5 s; perhaps nobody publishes it$/,
    ],
    ['RTMP to an HTTP port', () => ['play', `${http.replace('http', 'rtmp')}/x`], /127\.0\.0\.1:\d+\/live\/x/],
    ['missing file', () => ['publish', join(directory, 'none.flv'), `${rtmp}/x`], /there is no file/],
    ['a folder', () => ['publish', directory, `${rtmp}/x`], /can't read/],
    ['bad file', () => ['publish', text, `${rtmp}/x`], /text\.flv: the stream does not begin with "FLV"$/],
    ['empty file', () => ['probe', join(directory, 'empty.flv')], /is empty$/],
    ['bare file', () => ['publish', join(directory, 'bare.flv'), `${rtmp}/x`], /has no audio or video in it$/],
    ['bad file to probe', () => ['probe', text], /is neither FLV nor MPEG-TS$/],
    ['HTTP that is no FLV', () => ['play', http.replace('/live', '/')], /does not begin with "FLV"|answers 404/],
  ])('%s', async (_name, args, message) => {
    const { exitCode, stdout, stderr } = await runMillrace(...args());
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^millrace: [^\n]+\n$/);
    expect(stderr.trimEnd()).toMatch(message);
  });

  it('an output file that can not be written', async () => {
    const publisher = start('publish', CLIP, `${rtmp}/unwritable`, '--loop');
    await isLive('unwritable');
    const out = join(directory, 'no/such/folder.flv');
    const { exitCode, stderr } = await runMillrace('play', `${rtmp}/unwritable`, '--out', out);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^millrace: can't write [^\n]+\n$/);
    publisher.interrupt();
    await publisher.outcome;
  });
});

describe.concurrent('millrace probe', () => {
  const clip = {
    video: {
      kind: 'video',
      codec: 'h264',
      profile: 'Constrained Baseline',
      level: '3.0',
      codecString: 'avc1.42c01e',
      width: 640,
      height: 360,
      declaredFps: 25,
      bFrames: false,
      backwardSteps: 0,
    },
    audio: { kind: 'audio', codec: 'aac', profile: 'LC', codecString: 'mp4a.40.2', sampleRate: 44_100, channels: 2 },
  };

  async function probe(...args: readonly string[]): Promise<ProbeReport> {
    const { exitCode, stdout, stderr } = await runMillrace('probe', '--json', ...args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    return JSON.parse(stdout) as ProbeReport;
  }

  it('measures a file', async () => {
    const report = await probe(CLIP);
    expect(report).toMatchObject({
      version: 1,
      source: CLIP,
      container: 'flv',
      durationMs: 10_040,
      tracks: [
        { ...clip.video, fps: 25, frames: 250, keyFrames: 4, jitterMs: 0, largestGapMs: 40, gop: { longestMs: 3000 } },
        { ...clip.audio, frames: 432 },
      ],
      audioVideo: { offsetMs: -80 },
      metadata: { framerate: 25, encoder: 'Lavf58.76.100' },
      ignored: {},
      malformed: {},
    });
  });

  it('measures a transport stream', async () => {
    const path = join(directory, 'clip.ts');
    await writeFile(path, Buffer.concat(toTransportStream(await readFile(CLIP))));
    const report = await probe(path);
    expect(report).toMatchObject({
      container: 'mpegts',
      tracks: [
        { ...clip.video, fps: 25, frames: 250, keyFrames: 4 },
        { ...clip.audio, frames: 432 },
      ],
      audioVideo: { offsetMs: -80 },
      malformed: {},
    });
  });

  it('measures a live stream over RTMP, HTTP-FLV, HTTP-TS and WebSocket', async () => {
    const publisher = start('publish', CLIP, `${rtmp}/probed`, '--loop');
    await isLive('probed');
    const ws = http.replace('http', 'ws');
    const urls = [`${rtmp}/probed`, `${http}/probed.flv`, `${http}/probed.ts`, `${ws}/probed.flv?key=secret`];
    const reports = await Promise.all(urls.map((url) => probe(url, '--seconds', '2')));
    expect(reports.map(({ container }) => container)).toEqual(['rtmp', 'flv', 'mpegts', 'flv']);
    for (const report of reports) {
      expect(report.tracks).toMatchObject([clip.video, clip.audio]);
      expect(report.durationMs).toBeGreaterThanOrEqual(1_500);
      expect(report.malformed).toEqual({});
      for (const track of report.tracks) if (track.kind === 'video') expect(track.fps).toBeCloseTo(25, 1);
    }
    expect(reports[3]!.source).toBe(`${ws}/probed.flv`);
    publisher.interrupt();
    await publisher.outcome;
  });

  it('writes for people too', async () => {
    const { exitCode, stdout } = await runMillrace('probe', CLIP);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('h264 Constrained Baseline 3.0 (avc1.42c01e)');
    expect(stdout).toContain('640x360');
    expect(stdout).toContain('GOP');
  });
});

function toTransportStream(flv: Uint8Array): Uint8Array[] {
  const { tracks, frames } = readFlv(flv);
  const muxer = new TsMuxer(tracks);
  return [muxer.writeTables(), ...frames.map((frame) => muxer.mux(frame))];
}
