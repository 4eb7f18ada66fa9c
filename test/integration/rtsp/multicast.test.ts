import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeWithFfmpeg, ScratchFolder } from '../ffmpeg-files.ts';
import { LocalServer } from '../robustness/local-server.ts';
import { LiveStream } from './live-stream.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';

const MULTICAST = { Transport: 'RTP/AVP;multicast' };

const closers: (() => unknown)[] = [];
let base: string;
let peer: RtspPeer;

beforeEach(async () => {
  const scratch = new ScratchFolder();
  closers.push(() => scratch.remove());
  makeWithFfmpeg(scratch.file('tone.wav'), ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=8000', '-t', '1']);
  const server = await LocalServer.start({
    rtsp: { files: scratch.path, multicast: true, multicast_addresses: '239.255.42.7-239.255.42.7' },
  });
  closers.push(() => server.close());
  new LiveStream(server, 'live/x').push(30);
  new LiveStream(server, 'live/y').push(30);
  base = `rtsp://127.0.0.1:${server.rtspPort}`;
  peer = await RtspPeer.connect(server.rtspPort);
  closers.push(() => peer.close());
});

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describe('multicast', () => {
  it('is not for files, which each viewer plays from a position of his own', async () => {
    expect((await peer.request('SETUP', `${base}/tone.wav/track1`, MULTICAST)).statusCode).toBe(461);
    const described = await peer.request('DESCRIBE', `${base}/tone.wav?multicast`);
    expect(new TextDecoder().decode(described.body)).not.toContain('239.');
  });

  it('has 503 for whom no group is left, also where it is only described', async () => {
    const first = await peer.request('SETUP', `${base}/live/x/track1`, MULTICAST);
    expect(first.headers.get('Transport')).toContain('destination=239.255.42.7;');
    expect((await peer.request('SETUP', `${base}/live/y/track1`, MULTICAST)).statusCode).toBe(503);
    expect((await peer.request('DESCRIBE', `${base}/live/y?multicast`)).statusCode).toBe(503);
    await peer.request('TEARDOWN', `${base}/live/x`, { Session: sessionOf(first) });
    expect((await peer.request('DESCRIBE', `${base}/live/y?multicast`)).statusCode).toBe(200);
  });
});
