import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Millrace } from '../../../src/app/millrace.ts';
import type { Track } from '../../../src/codec/track.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import type { ConfigurationInput } from '../../../src/server/config/configuration.ts';
import { FilePublisher } from '../../../src/server/file-source/file-publisher.ts';
import { ConfigError } from '../../../src/wire/errors.ts';
import { makeSelfSignedCertificate } from '../../peers/self-signed-certificate.ts';
import { LocalServer, type TestConfiguration, testConfiguration } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { CLIP } from '../short-clip.ts';
import { expectCopy, framesOf } from './copied-frames.ts';
import { h264Track, LiveStream, PCMU_TRACK } from './live-stream.ts';
import { startScriptedRtspServer } from './scripted-rtsp-server.ts';

type PushInput = NonNullable<ConfigurationInput['pushes']>[number];

const ORIGIN = { vhost: DEFAULT_VHOST, app: 'live', stream: 'x' };
const COPY = { vhost: DEFAULT_VHOST, app: 'copy', stream: 'x' };
const USERS = [{ name: 'anna', password: 'secret', rights: ['publish' as const] }];
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

async function startTarget(given: TestConfiguration = {}): Promise<LocalServer> {
  const server = await LocalServer.start({ latency: 'realtime', publish: { grace: 0.5 }, ...given });
  closers.push(() => server.close());
  return server;
}

/** A server that pushes `live/x` as `copy/x`; its log lines come to `lines`. */
async function startOrigin(
  port: number,
  push: Partial<PushInput> = {},
  given: TestConfiguration = {},
): Promise<LocalServer> {
  const pushes = [{ stream: 'live/x', url: `rtsp://127.0.0.1:${port}/copy/x`, ...push }];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  const millrace = await Millrace.start({
    configuration: testConfiguration({ latency: 'realtime', pushes, ...given }),
    log: pino({ level: 'debug' }, { write }),
  });
  closers.push(() => millrace.close());
  return { millrace } as LocalServer;
}

function publish(server: LocalServer, tracks?: { readonly video?: Track; readonly audio?: Track }): LiveStream {
  const stream = new LiveStream(server, 'live/x', tracks);
  stream.run();
  closers.push(() => stream.end());
  return stream;
}

function isLive(server: LocalServer): boolean {
  return server.millrace.hub.get(COPY)?.state === 'live';
}

function isLogged(fields: Record<string, unknown>): boolean {
  return lines.some((line) => Object.entries(fields).every(([name, value]) => line[name] === value));
}

describe('a pushed stream', () => {
  function expectSameFrames(origin: LocalServer, target: LocalServer): Promise<void> {
    return expectCopy(
      () => target.millrace.hub.get(COPY),
      () => origin.millrace.hub.get(ORIGIN),
    );
  }

  function publishClip(server: LocalServer): void {
    const log = pino({ level: 'silent' });
    const publisher = new FilePublisher({ hub: server.millrace.hub, log, name: ORIGIN, path: CLIP });
    closers.push(() => publisher.close());
  }

  it.each(['tcp', 'udp'] as const)('has the frames of its origin, by %s', { timeout: SLOW_MS }, async (transport) => {
    const target = await startTarget();
    const origin = await startOrigin(target.rtspPort, { transport });
    publishClip(origin);
    await expectSameFrames(origin, target);
    expect(isLogged({ msg: 'pushing', transport })).toBe(true);
  });

  it('has them by TLS, whose certificate is only taken unseen when that is asked for', {
    timeout: SLOW_MS,
  }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-push-'));
    closers.push(() => rm(directory, { recursive: true }));
    const certificate = await makeSelfSignedCertificate(directory);
    const target = await startTarget({ rtsps: { listen: '127.0.0.1:0', ...certificate } });
    const url = `rtsps://127.0.0.1:${target.millrace.ports.rtsps[0]}/copy/x`;
    const wary = await startOrigin(0, { url });
    publish(wary);
    await until('refused', () => isLogged({ msg: 'the stream can not be pushed now' }));
    expect(isLive(target)).toBe(false);
    await wary.millrace.close();
    const origin = await startOrigin(0, { url, insecure: true, transport: 'tcp' });
    publishClip(origin);
    await expectSameFrames(origin, target);
  });

  it('goes by TCP where the server has no UDP', async () => {
    const target = await startTarget({ rtsp: { udp: false } });
    publish(await startOrigin(target.rtspPort));
    await until('live', () => isLive(target));
    // The target is live before its answer has been read.
    await until('told', () => isLogged({ msg: 'pushing', transport: 'tcp' }));
  });

  it.each(['tcp', 'udp'] as const)(
    'ends with its publisher, begins with the next, and leaves nothing behind, by %s',
    { timeout: SLOW_MS },
    async (transport) => {
      const target = await startTarget({ publish: { grace: 30 } });
      const origin = await startOrigin(target.rtspPort, { transport });
      for (const round of [1, 2]) {
        const stream = publish(origin);
        await until(`live, round ${round}`, () => isLive(target));
        await until('frames', () => framesOf(target.millrace.hub.get(COPY), 'video').length > 5);
        stream.end();
        // Not `grace`: the end was said.
        await until('ended', () => target.millrace.hub.get(COPY)?.state !== 'live');
        expect(target.millrace.hub.get(COPY)?.state ?? 'idle').toBe('idle');
        await until('left', () => lines.filter(({ msg }) => msg === 'push ended').length === round);
        expect(target.millrace.counters.rtsp?.sessions).toBe(0);
      }
      await until('no viewers', () => (origin.millrace.hub.get(ORIGIN)?.viewers ?? 0) === 0);
      expect(lines.filter(({ level }) => Number(level) > 30)).toEqual([]);
    },
  );

  it('ends when the server that pushes is closed', async () => {
    const target = await startTarget({ publish: { grace: 30 } });
    const origin = await startOrigin(target.rtspPort, { transport: 'tcp' });
    publish(origin);
    await until('live', () => isLive(target));
    await origin.millrace.close();
    await until('ended', () => target.millrace.hub.get(COPY)?.state !== 'live');
    expect(target.millrace.hub.get(COPY)?.state ?? 'idle').toBe('idle');
  });

  it('is announced anew when it has become another one', { timeout: SLOW_MS }, async () => {
    const target = await startTarget();
    const origin = await startOrigin(target.rtspPort, { transport: 'tcp' });
    const stream = publish(origin, { audio: PCMU_TRACK });
    await until('live', () => isLive(target));
    stream.track(h264Track());
    const pcma: Track = { ...PCMU_TRACK, codec: 'g711a' };
    stream.track(pcma);
    stream.frame(pcma);
    const timer = setInterval(() => stream.frame(pcma), 40);
    closers.push(() => clearInterval(timer));
    const codecs = () => target.millrace.hub.get(COPY)?.header.tracks.map(({ codec }) => codec) ?? [];
    await until('the new codec', () => codecs().includes('g711a'), SLOW_MS);
  });

  it('comes back when its server does', { timeout: SLOW_MS }, async () => {
    const target = await startTarget();
    const { rtspPort } = target;
    publish(await startOrigin(rtspPort, { transport: 'tcp' }));
    await until('live', () => isLive(target));
    await target.close();
    await until('noticed', () => isLogged({ msg: 'the stream can not be pushed now' }));
    const again = await Millrace.start({
      configuration: { ...testConfiguration({ latency: 'realtime' }), rtsp: { listen: `127.0.0.1:${rtspPort}` } },
    });
    closers.push(() => again.close());
    await until('live again', () => again.hub.get(COPY)?.state === 'live', SLOW_MS);
  });

  it('goes where its name says, each of many', { timeout: SLOW_MS }, async () => {
    const target = await startTarget();
    const origin = await startOrigin(0, { stream: 'live/*', url: `rtsp://127.0.0.1:${target.rtspPort}/copy/from-*` });
    for (const name of ['live/a', 'live/b', 'other/c']) {
      const stream = new LiveStream(origin, name);
      stream.run();
      closers.push(() => stream.end());
    }
    const keys = () => target.millrace.hub.list().map(({ key }) => key);
    await until('both', () => keys().length === 2);
    expect(keys().toSorted()).toEqual(['copy/from-a', 'copy/from-b']);
  });
});

describe('the password of a push', () => {
  it('is proved by digest', async () => {
    const target = await startTarget({ rtsp: { users: USERS } });
    const url = `rtsp://anna:secret@127.0.0.1:${target.rtspPort}/copy/x`;
    publish(await startOrigin(0, { url }));
    await until('live', () => isLive(target));
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('is sent as it is where the server has nothing better', async () => {
    const target = await startTarget({ rtsp: { users: USERS, auth_methods: ['basic'] } });
    const url = `rtsp://anna:secret@127.0.0.1:${target.rtspPort}/copy/x`;
    publish(await startOrigin(0, { url }));
    await until('live', () => isLive(target));
  });

  it('is named as the reason when it is wrong, and not shown', async () => {
    const target = await startTarget({ rtsp: { users: USERS } });
    const url = `rtsp://anna:wr0ng@127.0.0.1:${target.rtspPort}/copy/x`;
    publish(await startOrigin(0, { url }));
    await until('two attempts', () => lines.filter(({ code }) => code === 'rtsp/unauthorized').length >= 2);
    const refusal = lines.find(({ code }) => code === 'rtsp/unauthorized');
    expect(refusal!['msg']).toBe('the server does not accept the user name and password of the URL it is pushed to');
    expect(isLive(target)).toBe(false);
    expect(JSON.stringify(lines)).not.toContain('wr0ng');
  });
});

describe('a server of another kind', () => {
  async function script(answerTo: Parameters<typeof startScriptedRtspServer>[0]): Promise<number> {
    const server = await startScriptedRtspServer(answerTo);
    closers.push(() => server.close());
    return server.port;
  }

  it('may redirect', async () => {
    const target = await startTarget();
    const location = `rtsp://127.0.0.1:${target.rtspPort}/copy/x`;
    const port = await script((method) => [method === 'ANNOUNCE' ? `302 Found\r\nLocation: ${location}` : '200 OK']);
    publish(await startOrigin(port));
    await until('live', () => isLive(target));
  });

  it('may not want the codecs: it is asked again later', async () => {
    const port = await script((method) => [method === 'ANNOUNCE' ? '415 Unsupported Media Type' : '200 OK']);
    publish(await startOrigin(port));
    await until('asked twice', () => lines.filter(({ code }) => code === 'rtsp/refused').length === 2);
    expect(lines.find(({ code }) => code === 'rtsp/refused')!['reason']).toContain('415');
  });

  it('may refuse one track, and gets the other', async () => {
    let setups = 0;
    const port = await script((method, request) => {
      if (method !== 'SETUP') return ['200 OK'];
      if (++setups === 1) return ['415 Unsupported Media Type'];
      return [`200 OK\r\nSession: 12345678\r\nTransport: ${/^Transport: *(.*)$/im.exec(request)![1]!.trim()}`];
    });
    const origin = await startOrigin(port, { transport: 'tcp' });
    publish(origin);
    await until('pushing', () => isLogged({ msg: 'pushing' }));
    expect(setups).toBe(2);
  });

  it('is asked for TCP when it gives up what came by UDP without a report', { timeout: SLOW_MS }, async () => {
    const transports: string[] = [];
    const server = await startScriptedRtspServer((method, request) => {
      if (method !== 'SETUP') return ['200 OK'];
      const transport = /^Transport: *(.*)$/im.exec(request)![1]!.trim();
      transports.push(transport);
      const ports = transport.includes('client_port') ? ';server_port=9000-9001' : '';
      return [`200 OK\r\nSession: 12345678\r\nTransport: ${transport}${ports}`];
    });
    closers.push(() => server.close());
    publish(await startOrigin(server.port), { audio: PCMU_TRACK });
    await until('pushing', () => isLogged({ msg: 'pushing', transport: 'udp' }));
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    server.sockets.at(-1)!.destroy();
    await until('by TCP', () => isLogged({ msg: 'pushing', transport: 'tcp' }));
    expect(transports[0]).toContain('mode=');
    expect(transports[0]).toContain('client_port=');
    expect(transports.at(-1)).toContain('interleaved=0-1');
  });

  it('that takes nothing any more is left, and tried again', { timeout: SLOW_MS }, async () => {
    const server = await startScriptedRtspServer((method, request) => {
      if (method === 'RECORD') server.sockets.at(-1)!.pause();
      if (method !== 'SETUP') return ['200 OK'];
      return [`200 OK\r\nSession: 12345678\r\nTransport: ${/^Transport: *(.*)$/im.exec(request)![1]!.trim()}`];
    });
    closers.push(() => server.close());
    const origin = await startOrigin(server.port, { transport: 'tcp' }, { play: { stall_timeout: 0.5 } });
    const stream = new LiveStream(origin, 'live/x');
    closers.push(() => stream.end());
    stream.run(60_000);
    await until('left', () => isLogged({ code: 'push/stalled' }), SLOW_MS);
    await until('tried again', () => server.sockets.length === 2, SLOW_MS);
  });

  it('that names no port gets nothing, and is asked for TCP', async () => {
    const port = await script((method) =>
      method === 'SETUP' ? ['200 OK\r\nSession: 12345678\r\nTransport: RTP/AVP;unicast;mode=record'] : ['200 OK'],
    );
    publish(await startOrigin(port));
    await until('TCP', () => isLogged({ msg: 'UDP does not come through: trying TCP' }));
  });
});

it('a stream RTP carries nothing of is not pushed, and said so', { timeout: SLOW_MS }, async () => {
  const target = await startTarget();
  const origin = await startOrigin(target.rtspPort);
  publish(origin, { audio: { ...PCMU_TRACK, codec: 'speex' } });
  await until('told', () => isLogged({ code: 'push/no-tracks' }), SLOW_MS);
});

describe('settings of pushes', () => {
  const push = { stream: 'live/x', url: 'rtsp://u:pw0rd@192.0.2.1/x' };

  it.each([
    ['a URL of another scheme', { ...push, url: 'http://u:pw0rd@192.0.2.1/x' }, /pushes.*url/],
    ['a name without an application', { ...push, stream: 'x' }, /pushes.*stream.*app\/stream/],
    ['a * in the URL that nothing stands for', { ...push, url: 'rtsp://u:pw0rd@192.0.2.1/*' }, /pushes.*url/],
  ])('are refused for %s, and passwords are not shown', async (_, wrong, message) => {
    const error: unknown = await Millrace.start({ configuration: testConfiguration({ pushes: [wrong] }) }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toMatch(message);
    expect((error as ConfigError).message).not.toContain('pw0rd');
  });
});
