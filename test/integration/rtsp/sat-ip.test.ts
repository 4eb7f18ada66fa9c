import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalServer } from '../robustness/local-server.ts';
import { LiveStream } from './live-stream.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';
import { UdpPeer } from './udp-peer.ts';

let server: LocalServer;
let stream: LiveStream;
let peer: RtspPeer;
let udp: UdpPeer;
let base: string;

beforeEach(async () => {
  server = await LocalServer.start({ latency: 'realtime' });
  stream = new LiveStream(server, 'live/x');
  stream.run();
  peer = await RtspPeer.connect(server.rtspPort);
  udp = await UdpPeer.open();
  base = `rtsp://127.0.0.1:${server.rtspPort}`;
});

afterEach(async () => {
  stream.end();
  peer.close();
  await udp.close();
  await server.close();
});

/** As VLC's client of SAT>IP does: without DESCRIBE. */
describe('a session set up by the URL of its stream', () => {
  it('is played and torn down as stream 0 when it has one track', async () => {
    const setUp = await peer.request('SETUP', `${base}/live/x.ts`, udp.transport);
    expect(setUp.statusCode).toBe(200);
    const Session = sessionOf(setUp);
    expect((await peer.request('PLAY', `${base}/stream=0`, { Session })).statusCode).toBe(200);
    await expect.poll(() => udp.rtp.length).toBeGreaterThan(3);
    expect((await peer.request('PLAY', `${base}/stream=1`, { Session })).statusCode).toBe(404);
    expect((await peer.request('TEARDOWN', `${base}/stream=0`, { Session })).statusCode).toBe(200);
  });

  it('is not when it has several', async () => {
    expect((await peer.request('SETUP', `${base}/live/x`, udp.transport)).statusCode).toBe(459);
    const setUp = await peer.request('SETUP', `${base}/live/x/track1`, udp.transport);
    expect(setUp.statusCode).toBe(200);
    const Session = sessionOf(setUp);
    expect((await peer.request('PLAY', `${base}/stream=0`, { Session })).statusCode).toBe(404);
  });

  it('is nothing without a session', async () => {
    expect((await peer.request('PLAY', `${base}/stream=0`)).statusCode).toBe(454);
  });
});
