import { afterEach, describe, expect, it } from 'vitest';
import { HostilePeer, type HostileScript } from './robustness/hostile-peer.ts';
import {
  afterHandshake,
  c0c1,
  claimedArray,
  claimedString,
  concat,
  connectCommand,
  connectWith,
  messageHeader,
  nestedObjects,
  referenceBomb,
  setChunkSize,
  text,
} from './robustness/hostile-rtmp.ts';
import { LocalServer } from './robustness/local-server.ts';
import { RemoteServer } from './robustness/remote-server.ts';
import { StampedPublisher } from './robustness/stamped-publisher.ts';
import { until } from './robustness/until.ts';
import { Watcher } from './robustness/watcher.ts';

const NOTHING = new Uint8Array(0);
const PATH = 'live/calm';
const STREAM = { path: PATH, frameRate: 25, gopFrames: 25, frameBytes: 6000 };
const HANDSHAKE_SECONDS = 1;
/**
 * For those that are counted by what they sent: on a busy machine it took more than a second from accepting one of a
 * thousand until its first bytes were read, and it counted as silent.
 */
const PATIENT_SECONDS = 5;

/** A peer, how many of it, and which counter it must end in. */
interface Hostility {
  readonly name: string;
  readonly count: number;
  readonly on: 'rtmp' | 'http';
  readonly send: Uint8Array;
  readonly drip?: Uint8Array;
  /** `rtmp/…` code, name of an HTTP counter, or undefined for one that is just closed. */
  readonly counted: string | undefined;
}

/** Three stages one after another at most, and time to notice each. */
const LONGEST_MS = 3 * PATIENT_SECONDS * 1000 + 5000;

const LARGEST_ALLOWED = 8_000_000;

/** Starts of messages that claim 4 GB together. */
function fourGigabytes(): Uint8Array {
  const headers: Uint8Array[] = [];
  for (let claimed = 0, id = 3; claimed < 2 ** 32; claimed += LARGEST_ALLOWED, id++) {
    headers.push(messageHeader(id, LARGEST_ALLOWED), new Uint8Array(128));
  }
  return concat(...headers);
}

/** As many starts as a connection may have: claims, and never finishes, 480 MB. */
function unfinishedMessages(): Uint8Array {
  const headers: Uint8Array[] = [];
  for (let id = 3; id < 63; id++) headers.push(messageHeader(id, LARGEST_ALLOWED), new Uint8Array(128));
  return concat(...headers);
}

/** Really sends 35 MB: most of each of five messages, and the end of none. */
function hoard(): Uint8Array {
  const chunkSize = LARGEST_ALLOWED - 1_000_000;
  const parts = [setChunkSize(chunkSize)];
  for (let id = 3; id < 8; id++) parts.push(messageHeader(id, LARGEST_ALLOWED), new Uint8Array(chunkSize));
  return concat(...parts);
}

const GET = 'GET /live/none.flv HTTP/1.1\r\nHost: a\r\n';

const HOSTILITIES: readonly Hostility[] = [
  { name: 'nothing', count: 100, on: 'rtmp', send: NOTHING, counted: 'rtmp/handshake-timeout' },
  {
    name: 'C0 and part of C1',
    count: 80,
    on: 'rtmp',
    send: c0c1().subarray(0, 700),
    counted: 'rtmp/handshake-timeout',
  },
  { name: 'C0 and C1, no C2', count: 80, on: 'rtmp', send: c0c1(), counted: 'rtmp/handshake-timeout' },
  {
    name: 'a handshake in drops',
    count: 40,
    on: 'rtmp',
    send: NOTHING,
    drip: c0c1(),
    counted: 'rtmp/handshake-timeout',
  },
  { name: 'no connect', count: 80, on: 'rtmp', send: afterHandshake(), counted: 'rtmp/connect-timeout' },
  {
    name: 'a connect in drops',
    count: 40,
    on: 'rtmp',
    send: afterHandshake(),
    drip: connectCommand(),
    counted: 'rtmp/connect-timeout',
  },
  {
    name: 'unfinished messages',
    count: 40,
    on: 'rtmp',
    send: afterHandshake(unfinishedMessages()),
    counted: 'rtmp/connect-timeout',
  },
  {
    name: 'neither publish nor play',
    count: 40,
    on: 'rtmp',
    send: afterHandshake(connectCommand()),
    counted: 'rtmp/setup-timeout',
  },
  {
    name: 'garbage',
    count: 60,
    on: 'rtmp',
    send: new Uint8Array(4000).fill(0xee),
    counted: 'rtmp/unsupported-version',
  },
  {
    name: 'RTMPE',
    count: 40,
    on: 'rtmp',
    send: concat(Uint8Array.of(6), c0c1().subarray(1)),
    counted: 'rtmp/encryption-unsupported',
  },
  { name: 'HTTP on the RTMP port', count: 30, on: 'rtmp', send: text(`${GET}\r\n`), counted: 'rtmp/not-rtmp' },
  {
    name: 'a message of 16 MB',
    count: 40,
    on: 'rtmp',
    send: afterHandshake(messageHeader(3, 0xffffff)),
    counted: 'rtmp/message-too-large',
  },
  {
    name: 'messages of 4 GB together',
    count: 40,
    on: 'rtmp',
    send: afterHandshake(fourGigabytes()),
    counted: 'rtmp/too-many-chunk-streams',
  },
  {
    name: 'a chunk size of nothing',
    count: 10,
    on: 'rtmp',
    send: afterHandshake(setChunkSize(0)),
    counted: 'rtmp/bad-chunk-size',
  },
  {
    name: 'fmt 3 first',
    count: 10,
    on: 'rtmp',
    send: afterHandshake(Uint8Array.of(0xc5, 1, 2, 3)),
    counted: 'rtmp/bad-chunk-header',
  },
  {
    name: 'a header inside a message',
    count: 10,
    on: 'rtmp',
    send: afterHandshake(messageHeader(3, 1000), new Uint8Array(128), messageHeader(3, 1000)),
    counted: 'rtmp/chunk-inside-message',
  },
  { name: 'HTTP: nothing', count: 60, on: 'http', send: NOTHING, counted: 'timedOut' },
  { name: 'HTTP: half a header', count: 60, on: 'http', send: text(GET), counted: 'timedOut' },
  {
    name: 'HTTP: a header in drops',
    count: 40,
    on: 'http',
    send: text(GET),
    drip: text('X-A: b\r\n'),
    counted: 'timedOut',
  },
  {
    name: 'HTTP: garbage',
    count: 40,
    on: 'http',
    send: new Uint8Array(2000).fill(0x16),
    drip: text('more'),
    counted: 'malformed',
  },
  {
    name: 'HTTP: a header of 64 KB',
    count: 30,
    on: 'http',
    send: text(`${GET}X-A: ${'b'.repeat(65_536)}`),
    counted: 'malformed',
  },
  {
    name: 'HTTP: an upgrade to nothing',
    count: 30,
    on: 'http',
    send: text(
      `${GET}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    ),
    counted: undefined,
  },
];

const AMF_BOMBS: readonly (readonly [string, Uint8Array])[] = [
  ['objects nested 100,000 deep', nestedObjects(100_000)],
  ['an array of 4,294,967,295 entries', claimedArray(0xffff_ffff)],
  ['a string of 4 GB', claimedString(0xffff_ffff)],
  ['arrays of arrays by reference', referenceBomb(30)],
];

const peers: HostilePeer[] = [];
let remote: RemoteServer | undefined;
let local: LocalServer | undefined;
let publisher: StampedPublisher | undefined;
let viewers: readonly Watcher[] = [];

function attack(script: HostileScript): HostilePeer {
  const peer = new HostilePeer(script);
  peers.push(peer);
  return peer;
}

function isSlow({ counted }: Hostility): boolean {
  return counted === 'rtmp/handshake-timeout' || counted === 'timedOut';
}

/** A publisher and a viewer of each kind that must not notice anything. */
async function beginCalmStream(ports: { readonly rtmpPort: number; readonly httpPort: number }): Promise<void> {
  const made = new StampedPublisher({ ...STREAM, port: ports.rtmpPort });
  publisher = made;
  await until('the publish is accepted', () => made.has('publishing'));
  made.begin();
  made.run();
  viewers = [
    new Watcher({ protocol: 'http', port: ports.httpPort, path: PATH }),
    new Watcher({ protocol: 'ws', port: ports.httpPort, path: PATH }),
    new Watcher({ protocol: 'rtmp', port: ports.rtmpPort, path: PATH }),
  ];
  await until('the viewers see frames', () => viewers.every((viewer) => viewer.frames > 5));
}

async function expectCalmStream(): Promise<void> {
  const sent = publisher!.next;
  await until('the viewers are up to date', () => viewers.every((viewer) => viewer.lastFrame >= sent));
  expect(viewers.map(({ gaps, closed }) => ({ gaps, closed }))).toEqual(
    viewers.map(() => ({ gaps: 0, closed: false })),
  );
}

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  for (const viewer of viewers) viewer.leave();
  publisher?.vanish();
  await remote?.close();
  await local?.close();
  publisher = undefined;
  remote = undefined;
  local = undefined;
});

describe('1,000 connections that mean no good', () => {
  it('are all closed in time and counted by kind, while memory stays small and a stream goes on', {
    timeout: 60_000,
  }, async () => {
    const server = await RemoteServer.start({
      latency: 'low',
      rtmp: { handshake_timeout: PATIENT_SECONDS },
      http: { header_timeout: PATIENT_SECONDS },
    });
    remote = server;
    await beginCalmStream(server);
    const before = await server.report();
    const calmConnections = before.connections;
    const startMs = performance.now();
    // Who is counted by the time alone comes last: nothing is to be read of it.
    const byHaste = HOSTILITIES.toSorted((a, b) => Number(isSlow(a)) - Number(isSlow(b)));
    for (const { on, send, drip, count } of byHaste) {
      const port = on === 'rtmp' ? server.rtmpPort : server.httpPort;
      for (let i = 0; i < count; i++) attack({ port, send, ...(drip === undefined ? {} : { drip }) });
    }
    expect(peers.length).toBe(1000);
    await until('all were connected', () => peers.every((peer) => peer.connected || peer.closed), 20_000);
    const during = await server.report();
    const after = await server.reportWhen(
      'all are closed',
      ({ connections }) => connections === calmConnections,
      LONGEST_MS,
    );
    const elapsedMs = performance.now() - startMs;

    const expected = new Map<string, number>();
    for (const { counted, count } of HOSTILITIES) {
      if (counted !== undefined) expected.set(counted, (expected.get(counted) ?? 0) + count);
    }
    const counted = { ...after.rtmp.failed, timedOut: after.http.timedOut, malformed: after.http.malformed };
    expect(counted).toEqual(Object.fromEntries(expected));
    expect(elapsedMs).toBeLessThan(LONGEST_MS);
    const grownBytes = during.heapBytes + during.bufferBytes - before.heapBytes - before.bufferBytes;
    expect(grownBytes).toBeLessThan(1000 * 64 * 1024);
    await expectCalmStream();
  });

  it('that really send what they never finish are cut off at a fixed size', { timeout: 90_000 }, async () => {
    // However long 280 MB take: the time is not what cuts them off.
    const server = await RemoteServer.start({ latency: 'low', rtmp: { handshake_timeout: 90 } });
    remote = server;
    await beginCalmStream(server);
    const flood = afterHandshake(hoard());
    for (let i = 0; i < 8; i++) attack({ port: server.rtmpPort, send: flood });
    const report = await server.reportWhen(
      'all are cut off',
      ({ rtmp }) => rtmp.failed['rtmp/too-many-partial-bytes'] === 8,
      60_000,
    );
    expect(report.bufferBytes).toBeLessThan(64 * 1024 * 1024);
    await expectCalmStream();
  });
});

describe('AMF bombs in connect', () => {
  it.each(AMF_BOMBS)('%s costs the connection at most', async (_name, body) => {
    const server = await LocalServer.start({ latency: 'low', rtmp: { handshake_timeout: HANDSHAKE_SECONDS } });
    local = server;
    await beginCalmStream(server);
    const peer = attack({ port: server.rtmpPort, send: afterHandshake(connectWith(body)) });
    await until('it is closed', () => peer.closed || peer.socket.readableEnded);
    expect(server.millrace.counters.rtmp?.failed.get('rtmp/internal')).toBeUndefined();
    await expectCalmStream();
  });
});

describe('more connections than allowed', () => {
  it('are closed at once and counted, on both ports, and there is room again when others leave', async () => {
    const server = await LocalServer.start({ rtmp: { max_connections: 5 }, http: { max_connections: 5 } });
    local = server;
    const { rtmpPort, httpPort } = server;
    for (let i = 0; i < 12; i++) {
      attack({ port: rtmpPort, send: NOTHING });
      attack({ port: httpPort, send: NOTHING });
    }
    await until(
      'the rest is closed',
      () => peers.filter((peer) => peer.socket.readableEnded || peer.closed).length === 14,
    );
    expect(server.millrace.counters.rtmp).toMatchObject({ refused: 7, connections: 5 });
    expect(server.millrace.counters.http).toMatchObject({ refused: 7 });

    for (const peer of peers) peer.close();
    await until('the server noticed', () => server.millrace.counters.rtmp?.connections === 0);
    const late = attack({ port: rtmpPort, send: c0c1() });
    await until('a new one is served', () => late.received > 0);
  });
});

describe('many requests on one connection at once', () => {
  it('make one viewer, who leaves when the connection breaks', async () => {
    const server = await LocalServer.start({ latency: 'low' });
    local = server;
    await beginCalmStream(server);
    const viewersNow = (): number => server.millrace.hub.list()[0]!.viewers;
    const peer = attack({
      port: server.httpPort,
      send: text(`GET /${PATH}.flv HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(500)),
    });
    await until('the first is answered', () => peer.received > 10_000);
    expect(viewersNow()).toBe(viewers.length + 1);
    peer.close();
    await until('only the calm viewers are left', () => viewersNow() === viewers.length);
    await expectCalmStream();
  });
});
