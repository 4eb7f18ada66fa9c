import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { Millrace } from '../../../src/app/millrace.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import type { ConfigurationInput } from '../../../src/server/config/configuration.ts';
import { ConfigError } from '../../../src/wire/errors.ts';
import { LocalServer, type TestConfiguration, testConfiguration } from '../robustness/local-server.ts';
import { RtmpPeer } from '../robustness/rtmp-peer.ts';
import { until } from '../robustness/until.ts';
import { LiveStream } from './live-stream.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';
import { ScriptedBackEnd } from './scripted-back-end.ts';

type RuleInput = NonNullable<ConfigurationInput['proxies']>[number];

const SLOW_MS = 20_000;
/** Far less than viewers wait for a stream that may come. */
const SOON_MS = 2_000;

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function startServer(given: TestConfiguration = {}): Promise<LocalServer> {
  const server = await LocalServer.start({ latency: 'realtime', ...given });
  closers.push(() => server.close());
  return server;
}

/** A server whose `cams/*` are `live/*` of a server on `port`. */
function startProxy(port: number, rule: Partial<RuleInput> = {}, given: TestConfiguration = {}): Promise<LocalServer> {
  const proxies = [{ match: 'cams/*', url: `rtsp://127.0.0.1:${port}/live/*`, transport: 'tcp' as const, ...rule }];
  return startServer({ ...given, proxies });
}

async function startBackEnd(): Promise<ScriptedBackEnd> {
  const backEnd = await ScriptedBackEnd.start();
  closers.push(() => backEnd.close());
  return backEnd;
}

function publish(server: LocalServer, path: string): LiveStream {
  const stream = new LiveStream(server, path);
  stream.run();
  closers.push(() => stream.end());
  return stream;
}

async function describeStream(server: LocalServer, path: string): Promise<number> {
  const peer = await RtspPeer.connect(server.rtspPort);
  closers.push(() => peer.close());
  return (await peer.request('DESCRIBE', `rtsp://127.0.0.1:${server.rtspPort}/${path}`)).statusCode;
}

interface HttpViewer {
  readonly statusCode: number | undefined;
  readonly bytes: () => number;
  readonly isOver: () => boolean;
  readonly leave: () => void;
}

async function watch(server: LocalServer, path: string): Promise<HttpViewer> {
  const request = get(`http://127.0.0.1:${server.httpPort}/${path}`);
  closers.push(() => request.destroy());
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let bytes = 0;
  let isOver = false;
  response.on('error', () => request.destroy());
  response.on('close', () => {
    isOver = true;
  });
  response.on('data', (chunk: Uint8Array) => {
    bytes += chunk.length;
  });
  return {
    statusCode: response.statusCode,
    bytes: () => bytes,
    isOver: () => isOver,
    leave: () => request.destroy(),
  };
}

function watchByRtmp(server: LocalServer, path: string): RtmpPeer {
  const peer = new RtmpPeer({ mode: 'play', port: server.rtmpPort, path });
  closers.push(() => peer.vanish());
  return peer;
}

function stateOf(server: LocalServer, path: string): string | undefined {
  const slash = path.lastIndexOf('/');
  return server.millrace.hub.get({ vhost: DEFAULT_VHOST, app: path.slice(0, slash), stream: path.slice(slash + 1) })
    ?.state;
}

/** RTSP sessions somebody has made at a server. */
function sessionsMade(server: LocalServer): number {
  return server.millrace.counters.rtsp!.sessionsMade;
}

describe('a name that is had from another server', () => {
  it.each(['udp', 'tcp', 'auto'] as const)('plays by RTSP, pulled by %s', { timeout: SLOW_MS }, async (transport) => {
    const origin = await startServer();
    publish(origin, 'live/x');
    const proxy = await startProxy(origin.rtspPort, { transport });
    const peer = await RtspPeer.connect(proxy.rtspPort);
    closers.push(() => peer.close());
    const url = `rtsp://127.0.0.1:${proxy.rtspPort}/cams/x`;
    expect((await peer.request('DESCRIBE', url)).statusCode).toBe(200);
    const setUp = await peer.request('SETUP', `${url}/track1`, { Transport: 'RTP/AVP/TCP;interleaved=0-1' });
    await peer.request('PLAY', url, { Session: sessionOf(setUp) });
    await peer.until(() => peer.on(0).length > 10, 'packets came');
  });

  it('plays by HTTP-FLV and RTMP, from one pull for all, which ends some time after the last', {
    timeout: SLOW_MS,
  }, async () => {
    const origin = await startServer();
    publish(origin, 'live/x');
    const proxy = await startProxy(origin.rtspPort, { linger: 0.5 });
    const byRtmp = watchByRtmp(proxy, 'cams/x');
    const viewers = await Promise.all([
      watch(proxy, 'cams/x.flv'),
      watch(proxy, 'cams/x.flv'),
      watch(proxy, 'cams/x.ts'),
    ]);
    await until('all play', () => viewers.every(({ bytes }) => bytes() > 5000) && byRtmp.messages > 10, SLOW_MS);
    expect(sessionsMade(origin)).toBe(1);
    viewers[0]!.leave();
    viewers[1]!.leave();
    byRtmp.vanish();
    // Longer than it would go on without a viewer.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(stateOf(proxy, 'cams/x')).toBe('live');
    viewers[2]!.leave();
    await until('stopped', () => stateOf(proxy, 'cams/x') !== 'live');
    await until('left', () => origin.millrace.counters.rtsp!.sessions === 0);
    expect(await describeStream(proxy, 'cams/x')).toBe(200);
    expect(sessionsMade(origin)).toBe(2);
  });

  it('is taken from who publishes it here, not from there', async () => {
    const backEnd = await startBackEnd();
    const proxy = await startProxy(backEnd.port);
    publish(proxy, 'cams/x');
    expect(await describeStream(proxy, 'cams/x')).toBe(200);
    expect(backEnd.connections).toBe(0);
  });

  it('comes back with its server while somebody watches', { timeout: SLOW_MS }, async () => {
    const origin = await startServer();
    publish(origin, 'live/x');
    const { rtspPort } = origin;
    const proxy = await startProxy(rtspPort, {}, { publish: { grace: 15 } });
    const viewer = await watch(proxy, 'cams/x.flv');
    await until('media', () => viewer.bytes() > 1000);
    await origin.close();
    await until('lost', () => stateOf(proxy, 'cams/x') === 'grace');
    const again = await Millrace.start({
      configuration: { ...testConfiguration({ latency: 'realtime' }), rtsp: { listen: `127.0.0.1:${rtspPort}` } },
    });
    closers.push(() => again.close());
    publish({ millrace: again } as LocalServer, 'live/x');
    await until('live again', () => stateOf(proxy, 'cams/x') === 'live', SLOW_MS);
    const before = viewer.bytes();
    await until('more media', () => viewer.bytes() > before + 1000);
    expect(viewer.isOver()).toBe(false);
  });

  it('is over when its server does not come back, and may be asked for again', { timeout: SLOW_MS }, async () => {
    const origin = await startServer();
    publish(origin, 'live/x');
    const proxy = await startProxy(origin.rtspPort, {}, { publish: { grace: 0.5 } });
    const viewer = await watch(proxy, 'cams/x.flv');
    await until('media', () => viewer.bytes() > 1000);
    await origin.close();
    await until('over', () => viewer.isOver());
    expect(await describeStream(proxy, 'cams/x')).toBe(404);
  });
});

describe('a name the other server does not have', () => {
  it('is answered 404 by RTSP and HTTP at once, and ends RTMP', async () => {
    const backEnd = await startBackEnd();
    const proxy = await startProxy(backEnd.port);
    const startMs = performance.now();
    const byRtmp = watchByRtmp(proxy, 'cams/x');
    expect(await describeStream(proxy, 'cams/x')).toBe(404);
    expect((await watch(proxy, 'cams/x.flv')).statusCode).toBe(404);
    await until('told', () => byRtmp.has('ended') || byRtmp.closed, SOON_MS);
    expect(performance.now() - startMs).toBeLessThan(SOON_MS);
  });

  it('is not asked for again for a while, whoever asks, and then it is', { timeout: SLOW_MS }, async () => {
    const backEnd = await startBackEnd();
    const proxy = await startProxy(backEnd.port);
    for (let i = 0; i < 5; i++) expect(await describeStream(proxy, 'cams/x')).toBe(404);
    const late = watchByRtmp(proxy, 'cams/x');
    await until('told', () => late.has('ended') || late.closed, SOON_MS);
    expect(backEnd.described).toEqual(['/live/x']);
    await new Promise((resolve) => setTimeout(resolve, 3_100));
    expect(backEnd.described).toEqual(['/live/x']);
    expect(await describeStream(proxy, 'cams/x')).toBe(404);
    expect(backEnd.described).toEqual(['/live/x', '/live/x']);
  });

  it.each(['500 Internal Server Error', '401 Unauthorized', '200 OK', '302 Found'])(
    'nor gets it over %s',
    async (describeWith) => {
      const backEnd = await startBackEnd();
      backEnd.describe = describeWith;
      const proxy = await startProxy(backEnd.port);
      const startMs = performance.now();
      expect(await describeStream(proxy, 'cams/x')).toBe(404);
      expect(performance.now() - startMs).toBeLessThan(SOON_MS);
    },
  );

  it('because it is not there itself, is answered 404 at once', async () => {
    const backEnd = await startBackEnd();
    const { port } = backEnd;
    backEnd.close();
    const proxy = await startProxy(port);
    const startMs = performance.now();
    expect(await describeStream(proxy, 'cams/x')).toBe(404);
    expect(performance.now() - startMs).toBeLessThan(SOON_MS);
  });
});

it('no more streams are pulled at a time than the rule allows', { timeout: SLOW_MS }, async () => {
  const origin = await startServer();
  for (const name of ['x', 'y', 'z']) publish(origin, `live/${name}`);
  const proxy = await startProxy(origin.rtspPort, { max_streams: 2, linger: 0.2 });
  const x = await watch(proxy, 'cams/x.flv');
  const y = await watch(proxy, 'cams/y.flv');
  expect([x.statusCode, y.statusCode]).toEqual([200, 200]);
  expect((await watch(proxy, 'cams/z.flv')).statusCode).toBe(404);
  expect((await watch(proxy, 'cams/x.flv')).statusCode).toBe(200);
  y.leave();
  await until('room', () => stateOf(proxy, 'cams/y') !== 'live');
  expect((await watch(proxy, 'cams/z.flv')).statusCode).toBe(200);
});

describe('names viewers make up', () => {
  it.each([
    ['cams/a%20b', ['/live/a%20b']],
    ['cams/u:p@evil.example', ['/live/u%3Ap%40evil.example']],
    ['cams/a%3Fb%23c', ['/live/a%3Fb%23c']],
    ['cams/%252e%252e', ['/live/%252e%252e']],
    ['cams/a%2Fb', []],
    ['cams/..', []],
    ['cams/%2e%2e', []],
    ['cams/..%2f..%2fadmin', []],
    ['cams/a%0d%0aTEARDOWN%20x', []],
    ['cams/a%00', []],
    ['cams/..%5cadmin', []],
    ['cams/a/b', []],
    ['CAMS/a', []],
    [`cams/${'a'.repeat(300)}`, []],
  ])('%s is asked for as %j', async (path, expected) => {
    const backEnd = await startBackEnd();
    const proxy = await startProxy(backEnd.port);
    expect(await describeStream(proxy, path)).toBe(404);
    expect(backEnd.described).toEqual(expected);
  });
});

it('a server that is its own other server asks itself once', async () => {
  const probe = await startServer();
  const { rtspPort } = probe;
  await probe.close();
  const proxies = [{ match: 'a/**', url: `rtsp://127.0.0.1:${rtspPort}/a/x/**`, max_streams: 5 }];
  const server = await Millrace.start({
    configuration: { ...testConfiguration({ proxies }), rtsp: { listen: `127.0.0.1:${rtspPort}` } },
  });
  closers.push(() => server.close());
  const startMs = performance.now();
  expect(await describeStream({ millrace: server, rtspPort } as LocalServer, 'a/b')).toBe(404);
  expect(performance.now() - startMs).toBeLessThan(SOON_MS);
});

describe('rules', () => {
  it.each([
    ['a name without an application', { match: 'cams', url: 'rtsp://u:pw0rd@192.0.2.1/*' }],
    ['a URL of another scheme', { match: 'cams/*', url: 'http://u:pw0rd@192.0.2.1/*' }],
    ['a host viewers name', { match: 'cams/*', url: 'rtsp://u:pw0rd@*/x' }],
    ['an unknown setting', { match: 'cams/*', url: 'rtsp://u:pw0rd@192.0.2.1/*', on_demand: true }],
  ])('are refused for %s, and passwords are not shown', async (_, rule) => {
    const error: unknown = await Millrace.start({ configuration: testConfiguration({ proxies: [rule] }) }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).not.toContain('pw0rd');
  });
});
