import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeAuthenticationCrypto } from '../../../src/io/authentication-crypto.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import { ClientAuthenticator } from '../../../src/protocol/rtsp/client-authentication.ts';
import type { RtspResponse } from '../../../src/protocol/rtsp/rtsp-message.ts';
import type { ConfigurationInput } from '../../../src/server/config/configuration.ts';
import { LocalServer, type TestConfiguration } from '../robustness/local-server.ts';
import { RtmpPeer } from '../robustness/rtmp-peer.ts';
import { until } from '../robustness/until.ts';
import { LiveStream } from './live-stream.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';
import { ScriptedBackEnd } from './scripted-back-end.ts';

type RegisterInput = NonNullable<NonNullable<ConfigurationInput['rtsp']>['register']>;

const SLOW_MS = 20_000;
const SOON_MS = 2_000;
const REUSE = 'reuse_connection; preferred_delivery_protocol=interleaved; proxy_url_suffix=cam';
const USERS = [
  { name: 'anna', password: 'anna' },
  { name: 'bob', password: 'bob', rights: ['publish'] },
  { name: 'carl', password: 'carl', rights: ['play', 'publish'] },
] as const;

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function startServer(given: TestConfiguration = {}): Promise<LocalServer> {
  const server = await LocalServer.start({ latency: 'realtime', ...given });
  closers.push(() => server.close());
  return server;
}

function startProxy(register: RegisterInput = {}, given: TestConfiguration = {}): Promise<LocalServer> {
  return startServer({ ...given, rtsp: { ...given.rtsp, register: { enabled: true, linger: 0.3, ...register } } });
}

async function startOrigin(): Promise<LocalServer> {
  const origin = await startServer();
  const stream = new LiveStream(origin, 'live/x');
  stream.run();
  closers.push(() => stream.end());
  return origin;
}

async function startBackEnd(): Promise<ScriptedBackEnd> {
  const backEnd = await ScriptedBackEnd.start();
  closers.push(() => backEnd.close());
  return backEnd;
}

async function connectTo(server: LocalServer): Promise<RtspPeer> {
  const peer = await RtspPeer.connect(server.rtspPort);
  closers.push(() => peer.close());
  return peer;
}

/** Sends one request by a connection of its own. */
async function ask(server: LocalServer, method: string, url: string, transport?: string): Promise<RtspResponse> {
  const peer = await connectTo(server);
  return peer.request(method, url, transport === undefined ? {} : { Transport: transport });
}

function suffix(name: string): string {
  return `proxy_url_suffix=${name}`;
}

async function describeStream(server: LocalServer, path: string): Promise<number> {
  return (await ask(server, 'DESCRIBE', `rtsp://127.0.0.1:${server.rtspPort}/${path}`)).statusCode;
}

/** Plays the first track of a stream; resolves when packets came. */
async function play(server: LocalServer, path: string): Promise<RtspPeer> {
  const peer = await connectTo(server);
  const url = `rtsp://127.0.0.1:${server.rtspPort}/${path}`;
  expect((await peer.request('DESCRIBE', url)).statusCode).toBe(200);
  const setUp = await peer.request('SETUP', `${url}/track1`, { Transport: 'RTP/AVP/TCP;interleaved=0-1' });
  expect((await peer.request('PLAY', url, { Session: sessionOf(setUp) })).statusCode).toBe(200);
  await peer.until(() => peer.on(0).length > 10, 'packets came');
  return peer;
}

function stateOf(server: LocalServer, app: string, stream: string): string | undefined {
  return server.millrace.hub.get({ vhost: DEFAULT_VHOST, app, stream })?.state;
}

function originUrl(origin: LocalServer): string {
  return `rtsp://127.0.0.1:${origin.rtspPort}/live/x`;
}

describe('REGISTER', () => {
  it('is not known unless it is switched on', async () => {
    const server = await startServer();
    const answered = await ask(server, 'REGISTER', 'rtsp://127.0.0.1/x', suffix('cam'));
    expect(answered.statusCode).toBe(501);
    expect(answered.headers.get('Allow')).not.toContain('REGISTER');
    expect((await ask(server, 'OPTIONS', '*')).headers.get('Public')).not.toContain('REGISTER');
  });

  it('is told by OPTIONS when it is', async () => {
    const proxy = await startProxy();
    const answered = await ask(proxy, 'OPTIONS', '*');
    expect(answered.headers.get('Public')).toMatch(/RECORD, REGISTER, DEREGISTER$/);
  });

  it.each([
    ['preferred_delivery_protocol=udp; proxy_url_suffix=cam', 'proxy/cam'],
    ['preferred_delivery_protocol=interleaved; proxy_url_suffix=cam', 'proxy/cam'],
    [suffix('cam'), 'cam'],
    [suffix('cam'), 'cam.ts'],
    [suffix('/north/gate/cam'), 'north/gate/cam'],
    [undefined, 'proxy/registeredProxyStream-1'],
    [undefined, 'registeredProxyStream-1'],
  ])('with %j has the stream played as %s', { timeout: SLOW_MS }, async (transport, path) => {
    const origin = await startOrigin();
    const proxy = await startProxy();
    const answered = await ask(proxy, 'REGISTER', originUrl(origin), transport);
    expect(answered.statusCode).toBe(200);
    // Only who watches has it pulled.
    expect(origin.millrace.counters.rtsp!.sessionsMade).toBe(0);
    await play(proxy, path);
    expect(origin.millrace.counters.rtsp!.sessionsMade).toBe(1);
  });

  it('says where the stream is', async () => {
    const proxy = await startProxy({ app: 'cameras' });
    const { headers } = await ask(proxy, 'REGISTER', 'rtsp://127.0.0.1/x', suffix('dóor'));
    expect(headers.get('Location')).toBe(`rtsp://127.0.0.1:${proxy.rtspPort}/cameras/d%C3%B3or`);
    const second = await ask(proxy, 'REGISTER', 'rtsp://127.0.0.1/x');
    expect(second.headers.get('Location')).toBe(`rtsp://127.0.0.1:${proxy.rtspPort}/cameras/registeredProxyStream-1`);
    const third = await ask(proxy, 'REGISTER', 'rtsp://127.0.0.1/x');
    expect(third.headers.get('Location')).toMatch(/registeredProxyStream-2$/);
  });

  it('serves viewers of every protocol from one pull, which ends with the last', { timeout: SLOW_MS }, async () => {
    const origin = await startOrigin();
    const proxy = await startProxy();
    await ask(proxy, 'REGISTER', originUrl(origin), suffix('cam'));
    const byRtmp = new RtmpPeer({ mode: 'play', port: proxy.rtmpPort, path: 'proxy/cam' });
    closers.push(() => byRtmp.vanish());
    const byRtsp = await play(proxy, 'proxy/cam');
    await until('media', () => byRtmp.messages > 10);
    expect(origin.millrace.counters.rtsp!.sessionsMade).toBe(1);
    byRtsp.close();
    byRtmp.vanish();
    await until('given up', () => origin.millrace.counters.rtsp!.sessions === 0);
    await play(proxy, 'proxy/cam');
    expect(origin.millrace.counters.rtsp!.sessionsMade).toBe(2);
  });

  it('serves viewers who were there before it', { timeout: SLOW_MS }, async () => {
    const origin = await startOrigin();
    const proxy = await startProxy();
    const waiting = new RtmpPeer({ mode: 'play', port: proxy.rtmpPort, path: 'proxy/cam' });
    closers.push(() => waiting.vanish());
    await until('waiting', () => stateOf(proxy, 'proxy', 'cam') === 'idle');
    await ask(proxy, 'REGISTER', originUrl(origin), suffix('cam'));
    await until('media', () => waiting.messages > 10);
  });

  it('of a server that is not there is done, and its viewers get 404 at once', async () => {
    const backEnd = await startBackEnd();
    const { port } = backEnd;
    backEnd.close();
    const proxy = await startProxy();
    expect((await ask(proxy, 'REGISTER', `rtsp://127.0.0.1:${port}/x`, suffix('cam'))).statusCode).toBe(200);
    const startMs = performance.now();
    expect(await describeStream(proxy, 'proxy/cam')).toBe(404);
    expect(await describeStream(proxy, 'cam')).toBe(404);
    expect(performance.now() - startMs).toBeLessThan(SOON_MS);
  });

  it.each([
    ['no URL', '*', suffix('cam'), 400],
    ['a URL that is none', 'rtsp://', suffix('cam'), 400],
    ['another scheme', 'http://127.0.0.1/x', suffix('cam'), 400],
    ['RTSP over UDP', 'rtspu://127.0.0.1/x', suffix('cam'), 400],
    ['a name that leads elsewhere', 'rtsp://127.0.0.1/x', suffix('../x'), 451],
    ['a name with a query', 'rtsp://127.0.0.1/x', suffix('x?y'), 451],
    ['a name that is published', 'rtsp://127.0.0.1/x', suffix('live/x'), 451],
    ['a name of a source', 'rtsp://127.0.0.1/x', suffix('source/x'), 451],
    ['a name of a rule', 'rtsp://127.0.0.1/x', suffix('rule/x'), 451],
    ['a name that is registered', 'rtsp://127.0.0.1/x', suffix('taken'), 451],
    ['the same by its whole name', 'rtsp://127.0.0.1/x', suffix('proxy/taken'), 451],
    ['another host', 'rtsp://127.0.0.2/x', suffix('cam'), 403],
    ['a name of a host', 'rtsp://localhost/x', suffix('cam'), 403],
    ['an address in disguise', 'rtsp://2130706433/x', suffix('cam'), 403],
    ['a network beyond', 'rtsp://169.254.169.254/x', suffix('cam'), 403],
    ['its own address within IPv6', 'rtsp://[::ffff:127.0.0.1]/x', suffix('cam'), 200],
  ])('with %s is answered', async (_, url, transport, statusCode) => {
    const proxy = await startProxy(
      {},
      {
        sources: [{ name: 'source/x', url: 'rtsp://127.0.0.1:9/x', on_demand: true }],
        proxies: [{ match: 'rule/*', url: 'rtsp://127.0.0.1:9/*' }],
      },
    );
    const stream = new LiveStream(proxy, 'live/x');
    closers.push(() => stream.end());
    await ask(proxy, 'REGISTER', 'rtsp://127.0.0.1/taken', suffix('taken'));
    expect((await ask(proxy, 'REGISTER', url, transport)).statusCode).toBe(statusCode);
  });

  it.each([
    ['rtsp://192.0.2.9/x', 200],
    ['rtsp://cam.example.com/x', 200],
    ['rtsp://other.example.com/x', 403],
    ['rtsp://127.0.0.1/x', 403],
  ])('of %s, where the configuration lists a network and a host: %i', async (url, statusCode) => {
    const proxy = await startProxy({ allow: ['192.0.2.0/24', 'cam.example.com'] });
    expect((await ask(proxy, 'REGISTER', url, suffix('cam'))).statusCode).toBe(statusCode);
  });

  it('does not lead elsewhere by a redirect', async () => {
    const target = await startBackEnd();
    const backEnd = await startBackEnd();
    backEnd.describe = `302 Found\r\nLocation: rtsp://127.0.0.2:${target.port}/secret`;
    const proxy = await startProxy();
    await ask(proxy, 'REGISTER', `rtsp://127.0.0.1:${backEnd.port}/x`, suffix('cam'));
    expect(await describeStream(proxy, 'proxy/cam')).toBe(404);
    backEnd.describe = `302 Found\r\nLocation: rtsp://localhost:${target.port}/secret`;
    await ask(proxy, 'REGISTER', `rtsp://127.0.0.1:${backEnd.port}/y`, suffix('cam2'));
    expect(await describeStream(proxy, 'proxy/cam2')).toBe(404);
    expect([backEnd.described, target.connections]).toEqual([['/x', '/y'], 0]);
  });

  it('is refused when there are enough', async () => {
    const proxy = await startProxy({ max_streams: 2 });
    const codes: number[] = [];
    for (const name of ['a', 'b', 'c']) {
      codes.push((await ask(proxy, 'REGISTER', 'rtsp://127.0.0.1/x', suffix(name))).statusCode);
    }
    await ask(proxy, 'DEREGISTER', 'rtsp://127.0.0.1/x', suffix('a'));
    codes.push((await ask(proxy, 'REGISTER', 'rtsp://127.0.0.1/x', suffix('c'))).statusCode);
    expect(codes).toEqual([200, 200, 453, 200]);
  });
});

describe('DEREGISTER', () => {
  it.each([
    ['by its suffix', 'rtsp://127.0.0.1/x', suffix('cam'), 200],
    ['by its whole name', 'rtsp://127.0.0.1/x', suffix('proxy/cam'), 200],
    ['by its URL', 'rtsp://127.0.0.1/x', undefined, 200],
    ['by its URL with a password', 'rtsp://u:p@127.0.0.1:554/x', suffix('cam'), 200],
    ['of an unknown name', 'rtsp://127.0.0.1/x', suffix('other'), 451],
    ['of an unknown URL', 'rtsp://127.0.0.1/y', undefined, 451],
    ['of a name that is another URL', 'rtsp://127.0.0.1/y', suffix('cam'), 451],
    ['of nothing', '*', suffix('cam'), 400],
  ])('%s is answered', async (_, url, transport, statusCode) => {
    const proxy = await startProxy();
    await ask(proxy, 'REGISTER', 'rtsp://127.0.0.1/x', suffix('cam'));
    expect((await ask(proxy, 'DEREGISTER', url, transport)).statusCode).toBe(statusCode);
    const isFree = (await ask(proxy, 'REGISTER', 'rtsp://127.0.0.1/z', suffix('cam'))).statusCode === 200;
    expect(isFree).toBe(statusCode === 200);
  });

  it('ends what is watched', { timeout: SLOW_MS }, async () => {
    const origin = await startOrigin();
    const proxy = await startProxy();
    await ask(proxy, 'REGISTER', originUrl(origin), suffix('cam'));
    await play(proxy, 'proxy/cam');
    expect((await ask(proxy, 'DEREGISTER', originUrl(origin), suffix('cam'))).statusCode).toBe(200);
    await until(
      'over',
      () => stateOf(proxy, 'proxy', 'cam') !== 'live' && origin.millrace.counters.rtsp!.sessions === 0,
    );
    expect(await describeStream(proxy, 'proxy/cam')).toBe(404);
    expect(await describeStream(proxy, 'cam')).toBe(404);
  });
});

describe('who may register', () => {
  async function askAs(
    peer: RtspPeer,
    user: string,
    method: string,
    password: string = user,
    url = 'rtsp://127.0.0.1:9/x',
  ): Promise<number[]> {
    const headers = { Transport: suffix('cam') };
    const first = await peer.request(method, url, headers);
    const authenticator = new ClientAuthenticator({
      username: user,
      password,
      crypto: nodeAuthenticationCrypto,
      cnonce: '0011223344556677',
    });
    authenticator.takeChallenges(first.headers.getAll('WWW-Authenticate'));
    const authorization = authenticator.authorize(method, url)!;
    const second = await peer.request(method, url, { ...headers, Authorization: authorization });
    return [first.statusCode, second.statusCode];
  }

  it.each([
    ['anna', 'anna', [401, 403]],
    ['bob', 'bob', [401, 200]],
    ['carl', 'carl', [401, 200]],
    ['bob', 'wrong', [401, 401]],
    ['nobody', 'nobody', [401, 401]],
  ])('%s with the password %s: %j', async (user, password, codes) => {
    const proxy = await startProxy({}, { rtsp: { users: USERS } });
    expect(await askAs(await connectTo(proxy), user, 'REGISTER', password)).toEqual(codes);
  });

  it('is asked before anything else', async () => {
    const proxy = await startProxy({}, { rtsp: { users: USERS } });
    for (const url of ['rtsp://127.0.0.2/x', 'rtsp://', '*']) {
      expect((await ask(proxy, 'REGISTER', url, suffix('cam'))).statusCode).toBe(401);
      expect((await ask(proxy, 'DEREGISTER', url, suffix('cam'))).statusCode).toBe(401);
    }
  });

  it('may not end what others registered', async () => {
    const proxy = await startProxy({}, { rtsp: { users: USERS } });
    const peer = await connectTo(proxy);
    expect(await askAs(peer, 'bob', 'REGISTER')).toEqual([401, 200]);
    expect(await askAs(peer, 'carl', 'DEREGISTER')).toEqual([401, 403]);
    expect((await peer.request('DEREGISTER', 'rtsp://127.0.0.1:9/x')).statusCode).toBe(401);
    expect(await askAs(peer, 'bob', 'DEREGISTER')).toEqual([401, 200]);
  });
});

describe('a connection that is used again', () => {
  /** Registers, and from then on answers by the same connection what a server of ours answers. */
  async function offer(proxy: LocalServer, origin: LocalServer, transport = REUSE): Promise<Socket> {
    const offering = connect({ host: '127.0.0.1', port: proxy.rtspPort });
    const serving = connect({ host: '127.0.0.1', port: origin.rtspPort });
    for (const socket of [offering, serving]) {
      closers.push(() => socket.destroy());
      socket.on('error', () => socket.destroy());
    }
    // Nobody could connect there.
    offering.write(`REGISTER rtsp://10.255.255.1/live/x RTSP/1.0\r\nCSeq: 1\r\nTransport: ${transport}\r\n\r\n`);
    const answered = await new Promise<string>((resolve) => {
      offering.once('data', (bytes) => resolve(bytes.toString('latin1')));
    });
    expect(answered).toMatch(/^RTSP\/1\.0 200 /);
    offering.pipe(serving);
    serving.pipe(offering);
    return offering;
  }

  it.each([
    REUSE,
    'reuse_connection; preferred_delivery_protocol=udp; proxy_url_suffix=cam',
    'proxy_url_suffix=cam; reuse_connection',
  ])('carries everything, again and again: %s', { timeout: SLOW_MS }, async (transport) => {
    const origin = await startOrigin();
    const proxy = await startProxy();
    await offer(proxy, origin, transport);
    for (let round = 1; round <= 3; round++) {
      const player = await play(proxy, 'proxy/cam');
      expect(origin.millrace.counters.rtsp!.sessionsMade).toBe(round);
      player.close();
      await until('left', () => stateOf(proxy, 'proxy', 'cam') !== 'live');
    }
    expect(origin.millrace.counters.rtsp!.connections).toBe(1);
  });

  it('ends the registration with it', { timeout: SLOW_MS }, async () => {
    const origin = await startOrigin();
    const proxy = await startProxy({}, { publish: { grace: 0.5 } });
    const offering = await offer(proxy, origin);
    const player = await play(proxy, 'proxy/cam');
    offering.destroy();
    await until('over', () => stateOf(proxy, 'proxy', 'cam') !== 'live' && stateOf(proxy, 'proxy', 'cam') !== 'grace');
    expect(await describeStream(proxy, 'proxy/cam')).toBe(404);
    player.close();
    await offer(proxy, origin);
    await play(proxy, 'proxy/cam');
  });

  it('breaks before anybody watched: the name is free', async () => {
    const proxy = await startProxy();
    const peer = await connectTo(proxy);
    expect((await peer.request('REGISTER', 'rtsp://10.0.0.1/x', { Transport: REUSE })).statusCode).toBe(200);
    expect((await ask(proxy, 'REGISTER', 'rtsp://127.0.0.1/x', suffix('cam'))).statusCode).toBe(451);
    peer.close();
    await until('free', () => proxy.millrace.counters.rtsp!.connections <= 1);
    expect((await ask(proxy, 'REGISTER', 'rtsp://127.0.0.1/x', suffix('cam'))).statusCode).toBe(200);
  });

  it('is used for one stream only, and for requests of its client all the while', async () => {
    const proxy = await startProxy();
    const peer = await connectTo(proxy);
    const url = 'rtsp://10.0.0.1/x';
    expect((await peer.request('REGISTER', url, { Transport: REUSE })).statusCode).toBe(200);
    const second = 'reuse_connection; proxy_url_suffix=cam2';
    expect((await peer.request('REGISTER', url, { Transport: second })).statusCode).toBe(455);
    expect((await peer.request('OPTIONS', '*')).statusCode).toBe(200);
    expect((await peer.request('DEREGISTER', url, { Transport: suffix('cam') })).statusCode).toBe(200);
    expect((await peer.request('REGISTER', url, { Transport: second })).statusCode).toBe(200);
  });

  it('is only taken from those on the list', async () => {
    const proxy = await startProxy({ allow: ['192.0.2.0/24'] });
    const peer = await connectTo(proxy);
    expect((await peer.request('REGISTER', 'rtsp://192.0.2.1/x', { Transport: REUSE })).statusCode).toBe(403);
  });

  it('survives answers and frames nobody asked for', async () => {
    const proxy = await startProxy();
    const peer = await connectTo(proxy);
    const stray = 'RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n$\x00\x00\x04abcd$\x09\x00\x00';
    peer.send(stray);
    expect((await peer.request('REGISTER', 'rtsp://10.0.0.1/x', { Transport: REUSE })).statusCode).toBe(200);
    peer.send(stray);
    expect((await peer.request('OPTIONS', '*')).statusCode).toBe(200);
  });
});
