import { afterEach, describe, expect, it } from 'vitest';
import { LocalServer, type TestConfiguration } from './robustness/local-server.ts';
import { RtmpPeer } from './robustness/rtmp-peer.ts';
import { ServerSockets } from './robustness/server-sockets.ts';
import { StampedPublisher } from './robustness/stamped-publisher.ts';
import { until } from './robustness/until.ts';
import { Watcher } from './robustness/watcher.ts';

const PATH = 'live/flaky';
const STREAM = { path: PATH, frameRate: 25, gopFrames: 5, frameBytes: 3000 };

let server: LocalServer;
const peers: { vanish(): void }[] = [];

async function begin(configuration: TestConfiguration): Promise<void> {
  server = await LocalServer.start({ latency: 'realtime', ...configuration });
}

async function publish(): Promise<StampedPublisher> {
  const publisher = new StampedPublisher({ ...STREAM, port: server.rtmpPort });
  peers.push(publisher);
  await until('the publish is accepted', () => publisher.has('publishing'));
  return publisher;
}

async function publishFrames(): Promise<StampedPublisher> {
  const publisher = await publish();
  publisher.begin();
  publisher.run();
  return publisher;
}

function watch(protocol: 'http' | 'rtmp'): Watcher {
  const watcher = new Watcher({ protocol, port: protocol === 'rtmp' ? server.rtmpPort : server.httpPort, path: PATH });
  peers.push({ vanish: () => watcher.leave() });
  return watcher;
}

function state(): string | undefined {
  return server.millrace.hub.list()[0]?.state;
}

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.vanish();
  await server.close();
});

describe('a publisher whose network went dead without a word', () => {
  it('loses the stream after the timeout, and another one may have it', async () => {
    await begin({ publish: { normal_timeout: 700, grace: 0 } });
    const silent = await publishFrames();
    const viewer = watch('http');
    await until('the viewer sees frames', () => viewer.frames > 5);
    silent.pause();
    const silentMs = performance.now();
    expect(state()).toBe('live');
    await until('the stream is free', () => state() !== 'live', 3000);
    const elapsedMs = performance.now() - silentMs;
    expect(elapsedMs).toBeGreaterThan(600);
    expect(elapsedMs).toBeLessThan(2000);
    await until('the viewer is told and the publisher closed', () => viewer.ended && silent.closed);

    const next = await publishFrames();
    await until('the next publisher is heard', () => server.millrace.hub.list()[0]!.log.head > 10 && !next.closed);
  });

  it('keeps its viewers through the grace window when it comes back', async () => {
    await begin({ publish: { normal_timeout: 500, grace: 10 } });
    const silent = await publishFrames();
    const viewers = [watch('http'), watch('rtmp')];
    await until('the viewers see frames', () => viewers.every((viewer) => viewer.frames > 5));
    silent.pause();
    await until('the stream waits for its publisher', () => state() === 'grace', 3000);
    await publishFrames();
    await until('the viewers see the new publisher', () => viewers.every((viewer) => viewer.gaps === 1));
    expect(viewers.map(({ brokenGaps, closed }) => ({ brokenGaps, closed }))).toEqual(
      viewers.map(() => ({ brokenGaps: 0, closed: false })),
    );
  });

  it('loses the stream after the first-packet timeout when it never sent anything', async () => {
    await begin({ publish: { firstpkt_timeout: 600, normal_timeout: 60_000, grace: 0 } });
    const startMs = performance.now();
    const silent = await publish();
    expect(state()).toBe('live');
    await until('it is closed', () => silent.closed, 3000);
    expect(performance.now() - startMs).toBeGreaterThan(500);
    expect(state()).not.toBe('live');
  });

  it('keeps the stream while it sends only audio now and then', async () => {
    await begin({ publish: { firstpkt_timeout: 60_000, normal_timeout: 700, grace: 0 } });
    const quiet = await publish();
    const startMs = performance.now();
    let sent = 0;
    await until('it has sent for twice the timeout', () => {
      const dueMs = performance.now() - startMs;
      if (dueMs > sent * 300) quiet.send(8, sent++ * 300, Uint8Array.of(0x2f, 0xff, 0xfb, 0x90, 0x64));
      return dueMs > 1600;
    });
    expect(state()).toBe('live');
    expect(quiet.closed).toBe(false);
  });
});

describe('a second publisher of the same name', () => {
  it('takes over at once when that is allowed, from a silent one too, and viewers go on at a key frame', async () => {
    await begin({ publish: { takeover: 'takeover', normal_timeout: 60_000 } });
    const first = await publishFrames();
    const viewers = [watch('http'), watch('rtmp')];
    await until('the viewers see frames', () => viewers.every((viewer) => viewer.frames > 5));
    first.pause();
    const startMs = performance.now();
    await publishFrames();
    await until('the first is closed', () => first.closed, 2000);
    await until('the viewers see the second', () => viewers.every((viewer) => viewer.gaps === 1), 2000);
    expect(performance.now() - startMs).toBeLessThan(1500);
    expect(viewers.map((viewer) => viewer.brokenGaps)).toEqual([0, 0]);
    expect(state()).toBe('live');
  });

  it('is refused while the first one sends when takeover is not allowed', async () => {
    await begin({ publish: { takeover: 'refuse' } });
    const first = await publishFrames();
    const second = new RtmpPeer({ mode: 'publish', port: server.rtmpPort, path: PATH });
    peers.push(second);
    await until('it is refused', () => second.endCode !== undefined && second.closed);
    expect(second.endCode).toBe('rtmp/refused');
    expect(first.closed).toBe(false);
  });
});

describe('a player that is gone without a word', () => {
  it('is closed by the ping timeout on a stream that sends nothing, and counted', async () => {
    await begin({ rtmp: { ping: 0.4, ping_timeout: 0.5, handshake_timeout: 60 } });
    const sockets = new ServerSockets();
    const dead = watch('rtmp');
    const alive = watch('rtmp');
    await until('both wait', () => server.millrace.hub.list()[0]?.viewers === 2);
    dead.stall();
    const stalledMs = performance.now();
    await until('the server let go', () => sockets.waitingFor(dead.socket.localPort) === undefined, 5000);
    const elapsedMs = performance.now() - stalledMs;
    expect(elapsedMs).toBeGreaterThan(400);
    expect(elapsedMs).toBeLessThan(2500);
    expect(server.millrace.counters.rtmp?.failed.get('rtmp/ping-timeout')).toBe(1);
    expect(server.millrace.hub.list()[0]?.viewers).toBe(1);
    expect(alive.closed).toBe(false);
    sockets.close();
  });
});
