import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Millrace } from '../../src/app/millrace.ts';
import { REPORT_INTERVAL_MS } from '../../src/media/rtp-ingest.ts';
import { DEFAULT_VHOST } from '../../src/media/stream-name.ts';
import type { ConfigurationInput } from '../../src/server/config/configuration.ts';
import { FilePublisher } from '../../src/server/file-source/file-publisher.ts';
import { ConfigError } from '../../src/wire/errors.ts';
import { RtpPublisher } from '../rtp-publisher.ts';
import { LocalServer, type TestConfiguration, testConfiguration } from './robustness/local-server.ts';
import { until } from './robustness/until.ts';
import { expectCopy } from './rtsp/copied-frames.ts';
import { LiveStream, PCMU_TRACK } from './rtsp/live-stream.ts';
import { framesFrom, interleaved, sdpOf, TRACKS } from './rtsp/published-seconds.ts';
import { RtspPeer } from './rtsp/rtsp-peer.ts';
import { startScriptedRtspServer } from './rtsp/scripted-rtsp-server.ts';
import { CLIP } from './short-clip.ts';

type SourceInput = NonNullable<ConfigurationInput['sources']>[number];

const ORIGIN = { vhost: DEFAULT_VHOST, app: 'live', stream: 'x' };
const COPY = { vhost: DEFAULT_VHOST, app: 'copy', stream: 'cam' };
const USERS = [{ name: 'anna', password: 'secret' }];
const SLOW_MS = 20_000;

let closers: (() => unknown)[];
let lines: Record<string, unknown>[];

beforeEach(() => {
  closers = [];
  lines = [];
});

afterEach(async () => {
  for (const close of closers.toReversed()) await close();
});

async function startOrigin(given: TestConfiguration = {}): Promise<LocalServer> {
  const server = await LocalServer.start({ latency: 'realtime', ...given });
  closers.push(() => server.close());
  return server;
}

/** A server that pulls `live/x` of the origin as `copy/cam`; its log lines come to `lines`. */
async function startPull(port: number, source: Partial<SourceInput> = {}): Promise<Millrace> {
  const sources = [{ name: 'copy/cam', url: `rtsp://127.0.0.1:${port}/live/x`, ...source }];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  const server = await Millrace.start({
    configuration: testConfiguration({ latency: 'realtime', sources }),
    log: pino({ level: 'debug' }, { write }),
  });
  closers.push(() => server.close());
  return server;
}

function publishClip(server: LocalServer): void {
  const publisher = new FilePublisher({
    hub: server.millrace.hub,
    log: pino({ level: 'silent' }),
    name: ORIGIN,
    path: CLIP,
  });
  closers.push(() => publisher.close());
}

function publish(server: LocalServer): LiveStream {
  const stream = new LiveStream(server, 'live/x');
  stream.run();
  closers.push(() => stream.end());
  return stream;
}

function isLive(server: Millrace): boolean {
  return server.hub.get(COPY)?.state === 'live';
}

describe('a pulled stream', () => {
  it.each(['tcp', 'udp'] as const)('has the frames of its origin, by %s', { timeout: SLOW_MS }, async (transport) => {
    const origin = await startOrigin();
    publishClip(origin);
    const server = await startPull(origin.rtspPort, { transport });
    const copy = () => server.hub.get(COPY);
    await expectCopy(copy, () => origin.millrace.hub.get(ORIGIN));
    expect(copy()!.publisher).toMatchObject({ protocol: 'rtsp' });
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'pulling', transport }));
  });

  it('comes by TCP where the origin has no UDP', async () => {
    const origin = await startOrigin({ rtsp: { udp: false } });
    publish(origin);
    const server = await startPull(origin.rtspPort);
    await until('live', () => isLive(server));
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'pulling', transport: 'tcp' }));
  });

  it('comes back with its origin', { timeout: SLOW_MS }, async () => {
    const origin = await startOrigin();
    publish(origin);
    const server = await startPull(origin.rtspPort, { transport: 'tcp' });
    await until('live', () => isLive(server));
    const { rtspPort } = origin;
    await origin.close();
    await until('lost', () => server.hub.get(COPY)?.state === 'grace');
    const again = await Millrace.start({
      configuration: { ...testConfiguration({}), rtsp: { listen: `127.0.0.1:${rtspPort}` } },
    });
    closers.push(() => again.close());
    const publication = again.hub.getOrCreate(ORIGIN).publish({ id: 't', protocol: 'rtmp', remote: 't' }, () => {});
    const stream = new LiveStream({ millrace: again } as LocalServer, 'live/y');
    closers.push(() => stream.end());
    publication.track(stream.audio!);
    const timer = setInterval(() => {
      const atUs = Math.round(performance.now() * 1000);
      const payload = new Uint8Array(320);
      publication.frame({ track: stream.audio!, dtsUs: atUs, ptsUs: atUs, isKeyFrame: true, payload });
    }, 40);
    closers.push(() => clearInterval(timer));
    await until('live again', () => isLive(server), SLOW_MS);
  });
});

describe('a server of another kind', () => {
  const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:a\r\n';

  async function script(answerTo: Parameters<typeof startScriptedRtspServer>[0]): Promise<number> {
    const server = await startScriptedRtspServer(answerTo);
    closers.push(() => server.close());
    return server.port;
  }

  it('may redirect', async () => {
    const origin = await startOrigin();
    publish(origin);
    const target = `rtsp://127.0.0.1:${origin.rtspPort}/live/x`;
    const port = await script((method) => [method === 'DESCRIBE' ? `302 Found\r\nLocation: ${target}` : '200 OK']);
    const server = await startPull(port);
    await until('live', () => isLive(server));
  });

  it('loses nothing of what it sent before it left, though a report to it came due', async () => {
    const publisher = new RtpPublisher(TRACKS);
    const description = sdpOf(publisher, ['0', '1']);
    let isAsked = false;
    const origin = await startScriptedRtspServer((method, request) => {
      isAsked = method === 'PLAY';
      if (method === 'DESCRIBE') return ['200 OK\r\nContent-Type: application/sdp', description];
      if (method !== 'SETUP') return ['200 OK'];
      return [`200 OK\r\nSession: 1\r\n${/^Transport:.*$/im.exec(request)![0]}`];
    });
    closers.push(() => origin.close());
    const server = await startPull(origin.port, { transport: 'tcp' });
    await until('it is asked', () => isAsked);
    const socket = origin.sockets.at(-1)!;
    const send = (fromMs: number): void => {
      for (const { datagram } of publisher.send(framesFrom(fromMs))) socket.write(interleaved(datagram));
    };
    send(0);
    const copied = (): number | undefined => server.hub.get(COPY)?.stats.of(PCMU_TRACK).frames;
    await until('it comes', () => copied() === 25);
    const beganMs = performance.now();
    // The server is held up from before the rest is sent until after its first report is due.
    await new Promise((resolve) => setTimeout(resolve, REPORT_INTERVAL_MS / 2 - 200));
    // What comes next in the event loop are timers, then sockets.
    await new Promise(setImmediate);
    send(1000);
    socket.destroy();
    const dueMs = beganMs + REPORT_INTERVAL_MS / 2;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, dueMs + 100 - performance.now());
    await until('it is lost', () => server.hub.get(COPY)?.publisher === undefined);
    expect(copied()).toBe(50);
  });

  it('may not redirect for ever', async () => {
    let port = 0;
    port = await script(() => [`302 Found\r\nLocation: rtsp://127.0.0.1:${port}/live/x`]);
    await startPull(port);
    await until('given up', () => lines.some(({ code }) => code === 'connect/too-many-redirects'));
  });

  it('is asked for TCP when it sends nothing by UDP', { timeout: SLOW_MS }, async () => {
    const setups: string[] = [];
    const port = await script((method, request) => {
      if (method === 'DESCRIBE') return ['200 OK\r\nContent-Type: application/sdp', sdp];
      if (method !== 'SETUP') return ['200 OK'];
      const transport = /^Transport: *(.*)$/im.exec(request)![1]!.trim();
      setups.push(transport);
      return [`200 OK\r\nSession: 12345678\r\nTransport: ${transport}`];
    });
    await startPull(port);
    await until('a second attempt', () => setups.length === 2);
    expect(setups[0]).toContain('client_port=');
    expect(setups[1]).toContain('interleaved=0-1');
  });
});

describe('the password of a source', () => {
  it('is proved by digest', async () => {
    const origin = await startOrigin({ rtsp: { users: USERS } });
    publish(origin);
    const server = await startPull(origin.rtspPort, { url: `rtsp://anna:secret@127.0.0.1:${origin.rtspPort}/live/x` });
    await until('live', () => isLive(server));
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('is named as the reason when it is wrong, and not shown', async () => {
    const origin = await startOrigin({ rtsp: { users: USERS } });
    publish(origin);
    const server = await startPull(origin.rtspPort, { url: `rtsp://anna:wr0ng@127.0.0.1:${origin.rtspPort}/live/x` });
    const refusals = () => lines.filter(({ code }) => code === 'rtsp/unauthorized');
    await until('two attempts', () => refusals().length >= 2);
    expect(refusals()[0]!['msg']).toBe('the source does not accept the user name and password of its URL');
    expect(isLive(server)).toBe(false);
    expect(JSON.stringify(lines)).not.toContain('wr0ng');
  });
});

it('a stream the origin does not have is asked for again', { timeout: SLOW_MS }, async () => {
  const origin = await startOrigin();
  const server = await startPull(origin.rtspPort);
  await until('refused', () => lines.some(({ code }) => code === 'rtsp/refused'));
  expect(lines.find(({ code }) => code === 'rtsp/refused')!['reason']).toContain('404');
  publish(origin);
  await until('live', () => isLive(server), SLOW_MS);
});

describe('a source on demand', () => {
  it('starts for a viewer and stops after the last one', { timeout: SLOW_MS }, async () => {
    const origin = await startOrigin();
    publish(origin);
    const server = await startPull(origin.rtspPort, { on_demand: true, linger: 0.5 });
    expect(server.hub.get(COPY)).toBeUndefined();
    const request = get(`http://127.0.0.1:${server.ports.http[0]}/copy/cam.flv`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('error', () => request.destroy());
    response.resume();
    expect(response.statusCode).toBe(200);
    expect(isLive(server)).toBe(true);
    // Longer than it would go on without a viewer.
    await new Promise((resolve) => {
      setTimeout(resolve, 1500);
    });
    expect(isLive(server)).toBe(true);
    request.destroy();
    await until('stopped', () => !isLive(server));
  });

  it('starts for a player that asks for it by RTSP', { timeout: SLOW_MS }, async () => {
    const origin = await startOrigin();
    publish(origin);
    const server = await startPull(origin.rtspPort, { on_demand: true });
    const port = server.ports.rtsp[0]!;
    const peer = await RtspPeer.connect(port);
    closers.push(() => peer.close());
    const response = await peer.request('DESCRIBE', `rtsp://127.0.0.1:${port}/copy/cam`);
    expect(response.statusCode).toBe(200);
    expect(isLive(server)).toBe(true);
  });
});

describe('settings of sources', () => {
  const source = { name: 'live/cam', url: 'rtsp://u:pw0rd@192.0.2.1/x' };

  it.each([
    ['a URL of another scheme', [{ ...source, url: 'http://u:pw0rd@192.0.2.1/x' }]],
    ['a name without an application', [{ ...source, name: 'cam' }]],
    ['a name used twice', [source, source]],
    ['a back channel without an application', [{ ...source, back_channel: 'talk' }]],
  ])('are refused for %s, and passwords are not shown', async (_, sources) => {
    const error: unknown = await Millrace.start({ configuration: testConfiguration({ sources }) }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).not.toContain('pw0rd');
  });
});
