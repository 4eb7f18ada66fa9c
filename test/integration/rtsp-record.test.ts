import { afterEach, describe, expect, it } from 'vitest';
import { REPORT_INTERVAL_MS } from '../../src/media/rtp-ingest.ts';
import type { Stream } from '../../src/media/stream.ts';
import { DEFAULT_VHOST } from '../../src/media/stream-name.ts';
import { MAX_TEARDOWN_WAIT_MS } from '../../src/server/rtsp/client-session.ts';
import { RtpPublisher, type SentPacket } from '../rtp-publisher.ts';
import { LocalServer, type TestConfiguration } from './robustness/local-server.ts';
import { until } from './robustness/until.ts';
import { LiveStream, PCMU_TRACK } from './rtsp/live-stream.ts';
import { framesFrom, interleaved, sdpOf, TRACKS } from './rtsp/published-seconds.ts';
import { RtspPeer, sessionOf } from './rtsp/rtsp-peer.ts';
import { rtcpTypes, UdpPeer } from './rtsp/udp-peer.ts';

const RR = 201;
const SDES = 202;

let server: LocalServer;
let url: string;
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(configuration: TestConfiguration = {}): Promise<void> {
  server = await LocalServer.start({ latency: 'realtime', ...configuration });
  url = `rtsp://127.0.0.1:${server.rtspPort}/live/x`;
  closers.push(() => server.close());
}

async function connect(): Promise<RtspPeer> {
  const peer = await RtspPeer.connect(server.rtspPort);
  closers.push(() => peer.close());
  return peer;
}

/** Announces sound and sets it up over UDP; it may be sent to `serverPort` then. */
async function recordOverUdp(): Promise<{
  readonly peer: RtspPeer;
  readonly publisher: RtpPublisher;
  readonly session: { readonly Session: string };
  readonly udp: UdpPeer;
  readonly serverPort: number;
}> {
  const peer = await connect();
  const publisher = new RtpPublisher([PCMU_TRACK]);
  const announced = await peer.request('ANNOUNCE', url, SDP, sdpOf(publisher, ['trackID=7']));
  const session = { Session: sessionOf(announced) };
  const udp = await UdpPeer.open();
  closers.push(() => udp.close());
  const Transport = `${udp.transport.Transport};mode=record`;
  const set = await peer.request('SETUP', `${url}/trackID=7`, { Transport, ...session });
  expect(set.statusCode).toBe(200);
  const serverPort = Number(/server_port=(\d+)/.exec(set.headers.get('Transport') ?? '')?.[1]);
  expect((await peer.request('RECORD', url, session)).statusCode).toBe(200);
  return { peer, publisher, session, udp, serverPort };
}

function stream(): Stream {
  return server.millrace.hub.getOrCreate({ vhost: DEFAULT_VHOST, app: 'live', stream: 'x' });
}

const SDP = { 'Content-Type': 'application/sdp' };
const CONTROLS = ['streamid=0', 'streamid=1'];

function tcp(track: number): { readonly Transport: string } {
  return { Transport: `RTP/AVP/TCP;unicast;mode=record;interleaved=${track * 2}-${track * 2 + 1}` };
}

function sendInterleaved(peer: RtspPeer, packet: SentPacket): void {
  peer.send(interleaved(packet));
}

interface Publishing {
  readonly peer: RtspPeer;
  readonly publisher: RtpPublisher;
  readonly session: { readonly Session: string };
}

/** ANNOUNCE and SETUP of both tracks over TCP. */
async function setUp(controls: readonly string[] = CONTROLS, path = url): Promise<Publishing> {
  const peer = await connect();
  const publisher = new RtpPublisher(TRACKS);
  const announced = await peer.request('ANNOUNCE', path, SDP, sdpOf(publisher, controls));
  expect(announced.statusCode).toBe(200);
  const session = { Session: sessionOf(announced) };
  for (const [track, control] of controls.entries()) {
    const target = control.startsWith('rtsp:') ? control : `${path}/${control}`;
    expect((await peer.request('SETUP', target, { ...tcp(track), ...session })).statusCode).toBe(200);
  }
  return { peer, publisher, session };
}

async function publish(): Promise<Publishing> {
  const publishing = await setUp();
  expect((await publishing.peer.request('RECORD', url, publishing.session)).statusCode).toBe(200);
  return publishing;
}

/** Plays the stream's sound over TCP. */
async function listen(): Promise<RtspPeer> {
  const player = await connect();
  const response = await player.request('SETUP', `${url}/track2`, {
    Transport: 'RTP/AVP/TCP;unicast;interleaved=2-3',
  });
  expect(response.statusCode).toBe(200);
  expect((await player.request('PLAY', url, { Session: sessionOf(response) })).statusCode).toBe(200);
  return player;
}

const payloadOf = (packet: Uint8Array): string => Buffer.from(packet.subarray(12)).toString('hex');

describe('a stream published by RTSP', () => {
  it('over TCP is played, and the publisher gets reports', async () => {
    await start();
    const { peer, publisher } = await publish();
    expect(stream().publisher).toMatchObject({ protocol: 'rtsp' });
    for (const { datagram } of publisher.send(framesFrom(0))) sendInterleaved(peer, datagram);
    const player = await listen();
    const second = framesFrom(1000);
    for (const { datagram } of publisher.send(second)) sendInterleaved(peer, datagram);
    const last = Buffer.from(second.at(-1)!.payload).toString('hex');
    await player.until(() => player.on(2).some((packet) => payloadOf(packet) === last), 'the last sound came');
    const sounds = second.filter(({ track }) => track.kind === 'audio');
    const expected = sounds.map(({ payload }) => Buffer.from(payload).toString('hex'));
    expect(player.on(2).slice(-25).map(payloadOf)).toEqual(expected);
    await peer.until(() => peer.on(1).length > 0 && peer.on(3).length > 0, 'reports on both tracks came');
    expect(rtcpTypes(peer.on(1)[0]!)).toEqual([RR, SDES]);
  });

  it('is whole though its publisher was gone when a report to it came due', async () => {
    await start();
    const { peer, publisher, session } = await publish();
    for (const { datagram } of publisher.send(framesFrom(0))) sendInterleaved(peer, datagram);
    const live = stream();
    await until('it comes', () => live.stats.of(PCMU_TRACK).frames === 25);
    const beganMs = performance.now();
    // The server is held up from before the rest is sent until after its first report is due.
    await new Promise((resolve) => setTimeout(resolve, REPORT_INTERVAL_MS / 2 - 200));
    // What comes next in the event loop are timers, then sockets.
    await new Promise(setImmediate);
    for (const { datagram } of publisher.send(framesFrom(1000))) sendInterleaved(peer, datagram);
    peer.send(peer.text('TEARDOWN', url, session));
    peer.close();
    const dueMs = beganMs + REPORT_INTERVAL_MS / 2;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, dueMs + 100 - performance.now());
    await until('nobody publishes', () => live.publisher === undefined);
    expect([live.state, live.stats.of(PCMU_TRACK).frames]).toEqual(['idle', 50]);
  });

  it('over UDP arrives whole, packets out of order too, and ends with the connection', async () => {
    await start();
    const { peer, publisher, udp, serverPort } = await recordOverUdp();
    const sounds = framesFrom(0).filter(({ track }) => track.kind === 'audio');
    const packets = sounds.flatMap((frame) => publisher.packetsOf(frame));
    [packets[3], packets[4]] = [packets[4]!, packets[3]!];
    for (const { bytes } of packets) udp.sendRtp(serverPort, bytes);
    await until('every frame came', () => stream().stats.of(PCMU_TRACK).frames === sounds.length);
    peer.close();
    await until('nobody publishes', () => stream().publisher === undefined);
  });

  describe('over UDP, when TEARDOWN overtakes its last packets', () => {
    /** More than a socket hands over at a time. */
    const SECONDS = 8;

    /** All of it goes out in one turn, and is read in the order it was sent in. */
    async function tearDownAtOnce(): Promise<{
      readonly peer: RtspPeer;
      readonly udp: UdpPeer;
      readonly live: Stream;
      readonly frames: number;
      readonly serverPort: number;
    }> {
      await start({ publish: { grace: 10 } });
      const { peer, publisher, session, udp, serverPort } = await recordOverUdp();
      const sounds = Array.from({ length: SECONDS }, (_, i) => framesFrom(i * 1000))
        .flat()
        .filter(({ track }) => track.kind === 'audio');
      const packets = sounds.flatMap((frame) => publisher.packetsOf(frame));
      peer.send(peer.text('TEARDOWN', url, session));
      for (const { bytes } of packets) udp.sendRtp(serverPort, bytes);
      return { peer, udp, live: stream(), frames: sounds.length, serverPort };
    }

    it('loses none of them', async () => {
      const { peer, live, frames } = await tearDownAtOnce();
      expect((await peer.response()).statusCode).toBe(200);
      expect(live.stats.of(PCMU_TRACK).frames).toBe(frames);
      expect([live.publisher, live.state]).toEqual([undefined, 'idle']);
    });

    it.each(['close', 'reset'] as const)('loses none of them with a %s of the connection behind it', async (end) => {
      const { peer, live, frames } = await tearDownAtOnce();
      // Not before the request was read: a reset takes along what waits.
      await until('it is heard', () => live.stats.of(PCMU_TRACK).frames > 0);
      peer[end]();
      await until('nobody publishes', () => live.publisher === undefined);
      expect(live.stats.of(PCMU_TRACK).frames).toBe(frames);
      // Nobody is waited for: it was no accident.
      expect(live.state).toBe('idle');
    });

    it('does not wait for a sender that goes on', async () => {
      const { peer, udp, serverPort } = await tearDownAtOnce();
      const beganMs = performance.now();
      const timer = setInterval(() => udp.sendRtp(serverPort, Uint8Array.of(0x80, 0, 0, 1)), 1);
      closers.push(() => clearInterval(timer));
      expect((await peer.response()).statusCode).toBe(200);
      expect(performance.now() - beganMs).toBeLessThan(10 * MAX_TEARDOWN_WAIT_MS);
    });
  });

  it('under a name alone is a stream of the application live', async () => {
    await start();
    const peer = await connect();
    const publisher = new RtpPublisher([PCMU_TRACK]);
    const target = `rtsp://127.0.0.1:${server.rtspPort}/cam`;
    const announced = await peer.request('ANNOUNCE', target, SDP, sdpOf(publisher, ['trackID=7']));
    const session = { Session: sessionOf(announced) };
    const Transport = 'RTP/AVP/TCP;unicast;interleaved=0-1;mode=record';
    expect((await peer.request('SETUP', `${target}/trackID=7`, { Transport, ...session })).statusCode).toBe(200);
    expect((await peer.request('RECORD', target, session)).statusCode).toBe(200);
    expect(server.millrace.hub.get({ vhost: DEFAULT_VHOST, app: 'live', stream: 'cam' })?.publisher).toBeDefined();
  });

  it('ends with TEARDOWN, and its name is free at once', async () => {
    await start();
    const { peer, session } = await publish();
    expect((await peer.request('TEARDOWN', url, session)).statusCode).toBe(200);
    expect(stream().publisher).toBeUndefined();
    await publish();
  });

  it('leaves its connection to whoever plays or publishes next', async () => {
    await start();
    const { peer, session } = await publish();
    await peer.request('TEARDOWN', url, session);
    const play = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' };
    expect((await peer.request('SETUP', `${url}/track1`, play)).statusCode).toBe(404);
    new LiveStream(server, 'live/x').push(30);
    expect((await peer.request('SETUP', `${url}/track1`, play)).statusCode).toBe(200);
  });

  it('ends with its connection', async () => {
    await start();
    const { peer } = await publish();
    peer.close();
    await until('nobody publishes', () => stream().publisher === undefined);
  });

  it('is lost by its publisher when another one takes it over, and the connection with it', async () => {
    await start({ publish: { takeover: 'takeover' } });
    const { peer } = await publish();
    await publish();
    await peer.untilClosed();
    expect(stream().publisher).toBeDefined();
  });

  it('is ended by an operator', async () => {
    await start();
    const { peer } = await publish();
    server.millrace.closeRtspSessions('live/x');
    await peer.untilClosed();
    expect(stream().publisher).toBeUndefined();
    // Nobody is waited for.
    expect(stream().state).toBe('idle');
  });

  it('is ended by another ANNOUNCE on its connection', async () => {
    await start();
    const { peer, publisher } = await publish();
    expect(stream().publisher).toBeDefined();
    const other = `rtsp://127.0.0.1:${server.rtspPort}/live/y`;
    expect((await peer.request('ANNOUNCE', other, SDP, sdpOf(publisher, CONTROLS))).statusCode).toBe(200);
    expect(stream().state).toBe('idle');
  });

  it('goes on after PAUSE', async () => {
    await start();
    const { peer, session } = await publish();
    expect((await peer.request('PAUSE', url, session)).statusCode).toBe(200);
    expect(stream().publisher).toBeDefined();
    expect((await peer.request('SETUP', `${url}/streamid=0`, { ...tcp(0), ...session })).statusCode).toBe(455);
    expect((await peer.request('RECORD', url, session)).statusCode).toBe(200);
  });
});

describe('the tracks of a publisher', () => {
  it.each([
    ['by names of its own', (): string[] => ['a=b', 'c']],
    ['by absolute URLs', (): string[] => [`${url}/one`, `${url}/two`]],
    ['by names like ours', (): string[] => ['track2', 'track1']],
  ])('are set up %s', async (_, controls) => {
    await start();
    const { peer, session } = await setUp(controls());
    expect((await peer.request('RECORD', url, session)).statusCode).toBe(200);
  });

  it.each([
    ['streamid=0', 'streamid=1'],
    ['track2', 'track1'],
  ])('are found again under %s and %s, to be paused together and torn down one by one', async (...controls) => {
    await start();
    const { peer, session } = await setUp(controls);
    const [first, second] = controls.map((control) => `${url}/${control}`) as [string, string];
    expect((await peer.request('RECORD', first, session)).statusCode).toBe(460);
    expect((await peer.request('RECORD', url, session)).statusCode).toBe(200);
    expect((await peer.request('PAUSE', first, session)).statusCode).toBe(460);
    expect((await peer.request('PAUSE', `${url}/another`, session)).statusCode).toBe(404);
    expect((await peer.request('TEARDOWN', first, session)).statusCode).toBe(200);
    expect((await peer.request('TEARDOWN', first, session)).statusCode).toBe(455);
    expect(stream().publisher).toBeDefined();
    expect((await peer.request('PAUSE', second, session)).statusCode).toBe(200);
    expect((await peer.request('TEARDOWN', second, session)).statusCode).toBe(200);
    expect(stream().publisher).toBeUndefined();
  });

  it('hold nobody up by slashes in their names', async () => {
    await start();
    const peer = await connect();
    const publisher = new RtpPublisher(TRACKS);
    const controls = TRACKS.map(() => `a${'/'.repeat(60_000)}b`);
    const announced = await peer.request('ANNOUNCE', url, SDP, sdpOf(publisher, controls));
    const beganMs = performance.now();
    const session = { Session: sessionOf(announced) };
    await peer.request('SETUP', `${url}${'/'.repeat(3_900)}c`, { ...tcp(0), ...session });
    expect(performance.now() - beganMs).toBeLessThan(300);
  });

  it('are set up behind a query too', async () => {
    await start();
    const path = `${url}?token=1`;
    const { peer, session } = await setUp(CONTROLS, path);
    expect((await peer.request('RECORD', path, session)).statusCode).toBe(200);
    expect(stream().publisher).toBeDefined();
  });
});

describe('what is refused', () => {
  const good = (): string => sdpOf(new RtpPublisher(TRACKS), CONTROLS);
  const others = (from: string, to: string) => (): string => good().replaceAll(from, to);

  it.each([
    ['a description that is none', () => 'hello', 400],
    ['a description without tracks', () => 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n', 415],
    ['a description of nothing known', () => good().replace('H264', 'X-1').replace(/PCMU/, 'X-2'), 415],
    ['a description of SRTP without TLS', others('RTP/AVP', 'RTP/SAVP'), 403],
  ])('%s', async (_, body, statusCode) => {
    await start();
    const peer = await connect();
    const sdp = body().replace('RTP/AVP 0', 'RTP/AVP 99').replace('a=rtpmap:0', 'a=rtpmap:99');
    expect((await peer.request('ANNOUNCE', url, SDP, sdp)).statusCode).toBe(statusCode);
    expect((await peer.request('OPTIONS', '*')).statusCode).toBe(200);
  });

  it('a body that is no SDP by its type', async () => {
    await start();
    const peer = await connect();
    expect((await peer.request('ANNOUNCE', url, { 'Content-Type': 'text/plain' }, good())).statusCode).toBe(415);
  });

  it('a name with an empty part', async () => {
    await start();
    const peer = await connect();
    const target = `rtsp://127.0.0.1:${server.rtspPort}/live//x`;
    expect((await peer.request('ANNOUNCE', target, SDP, good())).statusCode).toBe(404);
  });

  it('ANNOUNCE of a stream that is published already', async () => {
    await start();
    const live = new LiveStream(server, 'live/x');
    closers.push(() => live.end());
    const peer = await connect();
    expect((await peer.request('ANNOUNCE', url, SDP, good())).statusCode).toBe(403);
  });

  it('RECORD of a stream that is published since, until it is not', async () => {
    await start();
    const { peer, session } = await setUp();
    const live = new LiveStream(server, 'live/x');
    closers.push(() => live.end());
    expect((await peer.request('RECORD', url, session)).statusCode).toBe(403);
    live.end();
    expect((await peer.request('RECORD', url, session)).statusCode).toBe(200);
  });

  it('RECORD before SETUP, and PLAY of what is recorded', async () => {
    await start();
    const peer = await connect();
    const announced = await peer.request('ANNOUNCE', url, SDP, good());
    const session = { Session: sessionOf(announced) };
    expect((await peer.request('RECORD', url, session)).statusCode).toBe(455);
    expect((await peer.request('PLAY', url, session)).statusCode).toBe(455);
    expect(stream().publisher).toBeUndefined();
  });

  it('who may only play', async () => {
    await start({ rtsp: { users: [{ name: 'anna', password: 'a', rights: ['play'] }], auth_methods: ['basic'] } });
    const peer = await connect();
    expect((await peer.request('ANNOUNCE', url, SDP, good())).statusCode).toBe(401);
    const Authorization = `Basic ${Buffer.from('anna:a').toString('base64')}`;
    expect((await peer.request('ANNOUNCE', url, { ...SDP, Authorization }, good())).statusCode).toBe(403);
  });
});
