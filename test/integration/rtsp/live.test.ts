import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_SESSIONS_PER_CONNECTION } from '../../../src/server/rtsp/client-sessions.ts';
import { LocalServer, type TestConfiguration } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { h264Track, LiveStream, PCMA_TRACK, PCMU_TRACK } from './live-stream.ts';
import { expectConsecutive, sequenceNumbers } from './rtp-order.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';
import { rtcpTypes } from './udp-peer.ts';

const SR = 200;
const SDES = 202;
const BYE = 203;

let server: LocalServer;
let base: string;
const closers: (() => unknown)[] = [];

async function start(configuration: TestConfiguration = {}): Promise<void> {
  server = await LocalServer.start({ latency: 'realtime', ...configuration });
  base = `rtsp://127.0.0.1:${server.rtspPort}`;
  closers.push(() => server.close());
}

async function connect(): Promise<RtspPeer> {
  const peer = await RtspPeer.connect(server.rtspPort);
  closers.push(() => peer.close());
  return peer;
}

function publish(path = 'live/x', tracks?: ConstructorParameters<typeof LiveStream>[2]): LiveStream {
  const stream = new LiveStream(server, path, tracks);
  closers.push(() => stream.end());
  return stream;
}

/** Sets tracks 1 and 2 up on channels 0–3 and plays them. */
async function play(peer: RtspPeer, tracks = [1, 2]): Promise<{ readonly Session: string }> {
  let session: { readonly Session: string } | undefined;
  for (const track of tracks) {
    const transport = { Transport: `RTP/AVP/TCP;unicast;interleaved=${track * 2 - 2}-${track * 2 - 1}` };
    const response = await peer.request('SETUP', `${base}/live/x/track${track}`, { ...transport, ...session });
    expect(response.statusCode).toBe(200);
    session ??= { Session: sessionOf(response) };
  }
  expect((await peer.request('PLAY', `${base}/live/x`, session)).statusCode).toBe(200);
  return session!;
}

function counters() {
  return server.millrace.counters.rtsp!;
}

beforeEach(() => {
  closers.length = 0;
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe('a live stream over TCP', () => {
  it('begins with the newest key frame and goes on without a gap', async () => {
    await start();
    const stream = publish();
    stream.push(40);
    const peer = await connect();
    await play(peer);
    await peer.until(() => peer.on(0).length === 15, 'the GOP came');
    stream.push(10);
    await peer.until(() => peer.on(0).length === 25, 'what followed came');
    const [first] = peer.on(0);
    // A single NAL unit that begins with a key frame's header.
    expect(first![12]).toBe(0x65);
    expectConsecutive(peer.on(0));
    expectConsecutive(peer.on(2));
    expect(peer.on(2).length).toBe(25);
  });

  it('gives every viewer the same packets', async () => {
    await start();
    const stream = publish();
    stream.push(30);
    const [first, second] = [await connect(), await connect()];
    await play(first);
    await play(second, [1]);
    stream.push(5);
    await first.until(() => first.on(0).length === 10, 'it came');
    await second.until(() => second.on(0).length === 10, 'it came');
    expect(second.on(0)).toEqual(first.on(0));
    expect(second.on(2)).toEqual([]);
  });

  it('pauses, and goes on at a new key frame with the numbering of RTP-Info', async () => {
    await start();
    const stream = publish();
    stream.push(30);
    const peer = await connect();
    const session = await play(peer);
    await peer.until(() => peer.on(0).length === 5, 'the GOP came');
    expect((await peer.request('PAUSE', `${base}/live/x`, session)).statusCode).toBe(200);
    stream.push(30);
    const again = await peer.request('PLAY', `${base}/live/x`, session);
    await peer.until(() => peer.on(0).length === 15, 'the next GOP came');
    const next = peer.on(0)[5]!;
    expect(next[12]).toBe(0x65);
    expect(again.headers.get('RTP-Info')).toContain(`seq=${sequenceNumbers([next])[0]};`);
    // What was sent while it paused is missing.
    expect(sequenceNumbers([next])[0]).toBe((sequenceNumbers(peer.on(0))[0]! + 25) & 0xffff);
  });

  it('plays and pauses single tracks', async () => {
    await start();
    const stream = publish();
    stream.push(30);
    const peer = await connect();
    const session = await play(peer);
    await peer.until(() => peer.on(2).length === 5, 'both came');
    expect((await peer.request('PAUSE', `${base}/live/x/track2`, session)).statusCode).toBe(200);
    await peer.until(() => peer.on(0).length >= 10, 'the picture began anew');
    stream.push(25);
    await peer.until(() => peer.on(0).length >= 30, 'the picture went on');
    const sounds = peer.on(2).length;
    expect(sounds).toBe(5);
    expect((await peer.request('TEARDOWN', `${base}/live/x/track1`, session)).statusCode).toBe(200);
    const pictures = peer.on(0).length;
    expect((await peer.request('PLAY', `${base}/live/x`, session)).statusCode).toBe(200);
    stream.push(5);
    await peer.until(() => peer.on(2).length > sounds, 'the sound came back');
    expect(peer.on(0).length).toBe(pictures);
    expect(counters().sessions).toBe(1);
    expect((await peer.request('TEARDOWN', `${base}/live/x/track2`, session)).statusCode).toBe(200);
    expect(counters().sessions).toBe(0);
  });

  it('is sent on the channels a client chose', async () => {
    await start();
    const stream = publish();
    stream.push(30);
    const peer = await connect();
    const setUp = await peer.request('SETUP', `${base}/live/x/track2`, {
      Transport: 'RTP/AVP/TCP;unicast;interleaved=40-41',
    });
    const session = { Session: sessionOf(setUp) };
    await peer.request('SETUP', `${base}/live/x/track1`, { Transport: 'RTP/AVP/TCP;interleaved=10-11', ...session });
    await peer.request('PLAY', `${base}/live/x`, session);
    await peer.until(() => peer.on(10).length === 5 && peer.on(40).length === 5, 'it came');
    expect(new Set(peer.frames.map(({ channel }) => channel))).toEqual(new Set([10, 11, 40, 41]));
    expect([...peer.on(11), ...peer.on(41)].map(rtcpTypes)).toEqual([
      [SR, SDES],
      [SR, SDES],
    ]);
  });

  it('ends with BYE; the connection stays, and what players say goodbye with is answered', async () => {
    await start();
    const stream = publish();
    stream.push(30);
    const peer = await connect();
    const session = await play(peer);
    stream.push(3);
    stream.end();
    await peer.until(
      () => [...peer.on(1), ...peer.on(3)].filter((bytes) => rtcpTypes(bytes).includes(BYE)).length === 2,
      'both tracks said goodbye',
    );
    expect(peer.on(0).length).toBe(8);
    expect(peer.order.at(-1)).toMatch(/^\$[13]$/);
    expect((await peer.request('PLAY', `${base}/live/x`, session)).statusCode).toBe(454);
    expect((await peer.request('PAUSE', `${base}/live/x`, session)).statusCode).toBe(200);
    expect((await peer.request('TEARDOWN', `${base}/live/x`, session)).statusCode).toBe(200);
    expect((await peer.request('DESCRIBE', `${base}/live/x`)).statusCode).toBe(404);
    expect(counters().sessions).toBe(0);
  });

  it.each(['RTP/AVP/TCP;unicast;interleaved=0-1', 'RTP/AVP;multicast'])(
    'is gone for who plays it by %s after it ended',
    async (transport) => {
      await start({ rtsp: { multicast: true, multicast_ttl: 1 } });
      const stream = publish();
      stream.push(2);
      const peers = [await connect(), await connect()];
      const sessions: { readonly Session: string }[] = [];
      for (const peer of peers) {
        const response = await peer.request('SETUP', `${base}/live/x/track1`, { Transport: transport });
        sessions.push({ Session: sessionOf(response) });
      }
      stream.end();
      for (const [i, peer] of peers.entries()) {
        expect((await peer.request('PLAY', `${base}/live/x`, sessions[i])).statusCode).toBe(404);
      }
    },
  );

  it('goes on when the publisher comes back in time', async () => {
    await start();
    const lost = publish();
    lost.push(30);
    const peer = await connect();
    await play(peer);
    lost.end('lost');
    const again = publish();
    again.push(10);
    await peer.until(() => peer.on(0).length === 15 && peer.on(2).length === 15, 'it went on');
    expectConsecutive(peer.on(0));
    expectConsecutive(peer.on(2));
  });

  it('goes on with other parameter sets, which come with the key frame', async () => {
    await start();
    publish().end('lost');
    const stream = publish();
    stream.push(30);
    const peer = await connect();
    await play(peer);
    stream.end('lost');
    const other = publish('live/x', { video: h264Track(0x1f), audio: PCMU_TRACK });
    other.push(2);
    await peer.until(() => peer.on(0).length === 7, 'it went on');
    expectConsecutive(peer.on(0));
    // STAP-A with SPS and PPS in front.
    expect(peer.on(0)[5]![12]! & 0x1f).toBe(24);
  });

  it('ends when its codecs change, and is another one when it is described again', async () => {
    await start();
    const stream = publish();
    stream.push(30);
    const peer = await connect();
    await play(peer);
    stream.track(PCMA_TRACK);
    stream.frame(PCMA_TRACK);
    await peer.until(() => peer.on(3).some((bytes) => rtcpTypes(bytes).includes(BYE)), 'it ended');
    const described = await peer.request('DESCRIBE', `${base}/live/x`);
    expect(new TextDecoder().decode(described.body)).toContain('PCMA/8000');
    const other = await connect();
    await play(other);
    await other.until(() => other.on(0).length > 0, 'it plays');
  });

  it('stays what it was for its viewers when a track is added, and has it for those who come later', async () => {
    await start();
    const stream = publish('live/x', { video: h264Track() });
    stream.push(30);
    await new Promise((resolve) => setTimeout(resolve, 1600));
    const peer = await connect();
    await play(peer, [1]);
    stream.track(PCMU_TRACK);
    stream.frame(PCMU_TRACK);
    stream.push(3);
    await peer.until(() => peer.on(0).length === 8, 'it went on');
    const described = await peer.request('DESCRIBE', `${base}/live/x`);
    expect(new TextDecoder().decode(described.body)).toContain('a=control:track2');
    const other = await connect();
    await play(other);
    stream.push(3);
    await peer.until(() => peer.on(0).length === 11, 'it went on still');
  });

  it('ends with its connection, whatever state it is in', async () => {
    await start();
    publish().push(30);
    const peers = [await connect(), await connect(), await connect()];
    await play(peers[0]!);
    const session = await play(peers[1]!);
    await peers[1]!.request('PAUSE', `${base}/live/x`, session);
    await peers[2]!.request('SETUP', `${base}/live/x/track1`, { Transport: 'RTP/AVP/TCP' });
    expect(counters().sessions).toBe(3);
    for (const peer of peers) peer.close();
    await until('the sessions have ended', () => counters().sessions === 0);
  });

  it('throws everybody off when told to, and may be watched again', async () => {
    await start();
    publish().push(30);
    const peer = await connect();
    await play(peer);
    server.millrace.closeRtspSessions('live/x');
    await peer.until(() => peer.on(1).some((bytes) => rtcpTypes(bytes).includes(BYE)), 'it was told');
    await play(await connect());
  });

  it('leaves no viewer behind', async () => {
    await start({ publish: { grace: 0 } });
    const stream = publish();
    stream.push(30);
    const peer = await connect();
    await play(peer);
    expect(server.millrace.hub.list()[0]!.viewers).toBe(1);
    peer.close();
    await until('the stream has no viewer', () => server.millrace.hub.list()[0]!.viewers === 0);
  });
});

describe('a viewer that takes nothing', () => {
  it('is cut when too much waits for it, and nobody else waits for that', async () => {
    await start({ play: { stall_timeout: 60, max_socket_buffer: 500_000 } });
    const stream = publish();
    stream.push(26);
    const [stalled, other] = [await connect(), await connect()];
    await play(other);
    await play(stalled);
    stalled.pause();
    let longestMs = 0;
    for (let i = 0; i < 100 && counters().sessions === 2; i++) {
      const before = other.on(2).length;
      const startMs = performance.now();
      stream.push(1, 600_000);
      await other.until(() => other.on(2).length > before, 'the other one got it');
      longestMs = Math.max(longestMs, performance.now() - startMs);
    }
    expect(counters().sessions).toBe(1);
    expect(server.millrace.counters.viewers).toMatchObject({ overflowed: 1, stalled: 0 });
    await until('the connection was cut', () => counters().connections === 1);
    // Six hundred kilobytes through this process twice; a stalled viewer that others waited for would cost seconds.
    expect(longestMs).toBeLessThan(500);
  });

  it('is cut when its socket takes nothing for too long', async () => {
    await start({ play: { stall_timeout: 0.5 } });
    const stream = publish();
    stream.push(30, 200_000);
    const peer = await connect();
    await play(peer);
    peer.pause();
    for (let i = 0; i < 40 && counters().sessions > 0; i++) {
      stream.push(1, 200_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(counters().sessions).toBe(0);
    expect(server.millrace.counters.viewers.stalled).toBe(1);
    await until('the connection was cut', () => counters().connections === 0);
  });
});

describe('a path of one part', () => {
  it('is that of a stream in the application live, in every form', async () => {
    await start();
    publish('live/cam').push(30);
    const peer = await connect();
    const describe = async (path: string): Promise<string> =>
      Buffer.from((await peer.request('DESCRIBE', `${base}/${path}`)).body).toString();
    expect(await describe('cam')).toContain('a=range:npt=now-');
    expect(await describe('cam.ts')).toContain('MP2T');
    expect(await describe('')).toBe('');
  });
});

describe('a stream that is not there yet', () => {
  it('is waited for as long as the configuration says', async () => {
    await start({ rtsp: { wait: 5 } });
    const peer = await connect();
    const described = peer.request('DESCRIBE', `${base}/live/x`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    publish().push(1);
    expect((await described).statusCode).toBe(200);
    await server.close();
    await start({ rtsp: { wait: 0.2 } });
    expect((await (await connect()).request('DESCRIBE', `${base}/live/x`)).statusCode).toBe(404);
  });

  it('is described when its tracks are known', async () => {
    await start();
    const stream = publish('live/x', {});
    const peer = await connect();
    const described = peer.request('DESCRIBE', `${base}/live/x`);
    stream.track(h264Track());
    await new Promise((resolve) => setTimeout(resolve, 200));
    stream.track(PCMU_TRACK);
    const text = new TextDecoder().decode((await described).body);
    expect([text.includes('track1'), text.includes('track2')]).toEqual([true, true]);
  });

  it('may lose who waits for it', async () => {
    await start({ rtsp: { wait: 5 } });
    const peer = await connect();
    peer.send(peer.text('DESCRIBE', `${base}/live/x`));
    await new Promise((resolve) => setTimeout(resolve, 100));
    peer.close();
    await until('the connection is gone', () => counters().connections === 0);
    await until('nobody waits', () => server.millrace.hub.list().every((stream) => stream.isIdle));
    expect(counters().faults).toBe(0);
  });
});

describe('limits', () => {
  it('more sessions over one connection than it has channels for are refused', async () => {
    await start();
    publish().push(30);
    const [peer, other] = [await connect(), await connect()];
    const udp = { Transport: 'RTP/AVP;unicast;client_port=40000-40001' };
    const ask = (one: RtspPeer) => one.request('SETUP', `${base}/live/x/track1`, udp);
    const first = await ask(peer);
    for (let i = 1; i < MAX_SESSIONS_PER_CONNECTION; i++) expect((await ask(peer)).statusCode).toBe(200);
    expect((await ask(peer)).statusCode).toBe(453);
    expect((await ask(other)).statusCode).toBe(200);
    await peer.request('TEARDOWN', `${base}/live/x`, { Session: sessionOf(first) });
    expect((await ask(peer)).statusCode).toBe(200);
  });

  it('more sessions than there may be are refused', async () => {
    await start({ rtsp: { max_sessions: 1 } });
    publish().push(30);
    const peer = await connect();
    const session = await play(peer);
    const other = await connect();
    const setUp = (): Promise<number> =>
      other
        .request('SETUP', `${base}/live/x/track1`, { Transport: 'RTP/AVP/TCP' })
        .then(({ statusCode }) => statusCode);
    expect(await setUp()).toBe(453);
    await peer.request('TEARDOWN', `${base}/live/x`, session);
    expect(await setUp()).toBe(200);
  });
});
