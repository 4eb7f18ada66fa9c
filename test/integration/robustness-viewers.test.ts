import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLOSE_LINGER_MS } from '../../src/io/end-soon.ts';
import { LocalServer, type TestConfiguration } from './robustness/local-server.ts';
import { RtmpPeer } from './robustness/rtmp-peer.ts';
import { ServerSockets } from './robustness/server-sockets.ts';
import { StampedPublisher } from './robustness/stamped-publisher.ts';
import { until } from './robustness/until.ts';
import { Watcher, type WatchProtocol } from './robustness/watcher.ts';

const PROTOCOLS: readonly WatchProtocol[] = ['http', 'ws', 'rtmp'];
const PATH = 'live/robust';
/** 32 Mb/s: fills what the kernel buffers for a viewer within seconds. */
const STREAM = { path: PATH, frameRate: 50, gopFrames: 25, frameBytes: 80_000 };
const BYTES_PER_SECOND = STREAM.frameRate * STREAM.frameBytes;
/** Largest buffer written to a viewer at once: what is joined, and the framing around it. */
const JOINED_BYTES = 256 * 1024 + STREAM.frameBytes;
/** Of 0 bytes, as a chunk of RTMP. */
const ACKNOWLEDGEMENT = Uint8Array.of(2, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0);

let server: LocalServer;
let sockets: ServerSockets;
const watchers: Watcher[] = [];
let publisher: StampedPublisher;

async function begin(configuration: TestConfiguration): Promise<void> {
  server = await LocalServer.start(configuration);
  publisher = new StampedPublisher({ ...STREAM, port: server.rtmpPort });
  await until('the publish is accepted', () => publisher.has('publishing'));
  publisher.begin();
  publisher.run();
}

async function watch(protocol: WatchProtocol): Promise<Watcher> {
  const port = protocol === 'rtmp' ? server.rtmpPort : server.httpPort;
  const watcher = new Watcher({ protocol, port, path: PATH });
  watchers.push(watcher);
  await until(`${protocol} viewer sees frames`, () => watcher.frames > 5);
  return watcher;
}

beforeEach(() => {
  sockets = new ServerSockets();
});

afterEach(async () => {
  for (const watcher of watchers.splice(0)) watcher.leave();
  publisher.vanish();
  await server.close();
  sockets.close();
});

/** One viewer of each protocol that behaves, and one of each that will not. */
async function watchAll(): Promise<{ readonly healthy: readonly Watcher[]; readonly bad: readonly Watcher[] }> {
  return { healthy: await Promise.all(PROTOCOLS.map(watch)), bad: await Promise.all(PROTOCOLS.map(watch)) };
}

function isGone(watcher: Watcher): boolean {
  return sockets.waitingFor(watcher.socket.localPort) === undefined;
}

describe('viewers over HTTP, WebSocket and RTMP that stop reading', () => {
  it('hold no more than the limit, are closed after the stall timeout, are counted, and disturb nobody', async () => {
    const maxSocketBuffer = 1_000_000;
    await begin({ latency: 'low', play: { stall_timeout: 1, max_socket_buffer: maxSocketBuffer } });
    const { healthy, bad } = await watchAll();
    const records = bad.map((watcher) => ({ watcher, maxWaiting: 0, sinceMs: 0, untilMs: 0 }));
    for (const watcher of bad) watcher.stall();
    await until(
      'the server has let go of every stalled viewer',
      () => {
        for (const record of records) {
          const waiting = sockets.waitingFor(record.watcher.socket.localPort);
          if (waiting !== undefined && waiting > 0 && record.sinceMs === 0) record.sinceMs = performance.now();
          if (waiting === undefined && record.untilMs === 0) record.untilMs = performance.now();
          record.maxWaiting = Math.max(record.maxWaiting, waiting ?? 0);
        }
        return records.every((record) => record.untilMs > 0);
      },
      20_000,
    );

    for (const { maxWaiting, sinceMs, untilMs } of records) {
      expect(maxWaiting).toBeGreaterThan(0);
      expect(maxWaiting).toBeLessThanOrEqual(Math.min(maxSocketBuffer, JOINED_BYTES));
      expect(untilMs - sinceMs).toBeGreaterThan(900);
      expect(untilMs - sinceMs).toBeLessThan(4000);
    }
    expect(server.millrace.counters.viewers).toMatchObject({ stalled: 3, overflowed: 0 });
    const sent = publisher.next;
    await until('the healthy viewers are up to date', () => healthy.every((watcher) => watcher.lastFrame >= sent));
    expect(healthy.map((watcher) => watcher.gaps)).toEqual([0, 0, 0]);
    expect(server.millrace.hub.list().map((stream) => stream.viewers)).toEqual([healthy.length]);
  });

  it('are closed too when their stream ends while bytes for them wait', async () => {
    await begin({ latency: 'low', play: { stall_timeout: 300 }, publish: { grace: 0 } });
    const { bad } = await watchAll();
    for (const watcher of bad) watcher.stall();
    const waits = (watcher: Watcher): boolean => (sockets.waitingFor(watcher.socket.localPort) ?? 0) > 0;
    await until('bytes wait for all', () => bad.every(waits), 20_000);
    publisher.leave();
    await until('all are gone', () => bad.every(isGone), 15_000);
  });
});

describe('viewers over HTTP, WebSocket and RTMP that read more slowly than the stream runs', () => {
  it('jump to key frames, are counted, are not closed, and disturb nobody', async () => {
    await begin({ latency: 'low', play: { queue_length: 1 } });
    const { healthy, bad } = await watchAll();
    for (const watcher of bad) watcher.slowDown(BYTES_PER_SECOND / 4);
    await until('every slow viewer skipped twice', () => bad.every((watcher) => watcher.gaps >= 2), 25_000);

    for (const { brokenGaps, closed } of bad) expect({ brokenGaps, closed }).toEqual({ brokenGaps: 0, closed: false });
    const { viewers } = server.millrace.counters;
    expect(viewers.lagJumps).toBeGreaterThanOrEqual(bad.reduce((sum, watcher) => sum + watcher.gaps, 0));
    expect(viewers).toMatchObject({ stalled: 0, overflowed: 0 });
    expect(healthy.map((watcher) => watcher.gaps)).toEqual([0, 0, 0]);
  });
});

describe('a player over RTMP whose stream is over', () => {
  it('is not reset for what it still says, as rtmpdump does', async () => {
    await begin({ latency: 'low', publish: { grace: 0 } });
    const player = new RtmpPeer({ mode: 'play', port: server.rtmpPort, path: PATH });
    const errors: string[] = [];
    player.socket.on('error', ({ message }) => errors.push(message));
    player.socket.allowHalfOpen = true;
    await until('it plays', () => player.messages > 5);
    publisher.leave();
    await until('it is told that the stream is over', () => player.endCode !== undefined);
    await until('that was all', () => player.socket.readableEnded);
    // The first write to a connection that is gone brings its reset, the second finds it.
    for (let i = 0; i < 2; i++) {
      player.socket.write(ACKNOWLEDGEMENT);
      await sleep(50);
    }
    player.socket.end();
    await until('it is closed', () => player.closed);
    expect(errors).toEqual([]);
  });

  it('gets all of it though it reads the last of it late', async () => {
    await begin({ latency: 'low', publish: { grace: 0 } });
    const player = new RtmpPeer({ mode: 'play', port: server.rtmpPort, path: PATH });
    await until('it plays', () => player.messages > 5);
    player.socket.pause();
    await sleep(250);
    publisher.leave();
    await sleep(2 * CLOSE_LINGER_MS);
    const before = player.messages;
    // As players that count what they have got do; to a connection that is gone it would be the end of what is to come.
    player.socket.write(ACKNOWLEDGEMENT);
    await sleep(50);
    player.socket.resume();
    await until('it is closed', () => player.closed);
    expect(player.endCode).toBe('NetStream.Play.UnpublishNotify');
    expect(player.messages - before).toBeGreaterThan(STREAM.frameRate / 5);
  });
});

describe('a viewer for whom one frame is more than its socket may hold', () => {
  it('is closed and counted, and the others go on', async () => {
    await begin({ latency: 'low', play: { stall_timeout: 30, max_socket_buffer: STREAM.frameBytes / 2 } });
    const healthy = await watch('http');
    const stalled = await watch('http');
    stalled.stall();
    await until('it is closed', () => isGone(stalled), 20_000);
    expect(server.millrace.counters.viewers).toMatchObject({ stalled: 0, overflowed: 1 });
    expect(healthy.closed).toBe(false);
    expect(healthy.gaps).toBe(0);
  });
});
