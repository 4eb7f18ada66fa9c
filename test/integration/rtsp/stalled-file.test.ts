import { afterEach, describe, expect, it } from 'vitest';
import { makeWithFfmpeg, ScratchFolder } from '../ffmpeg-files.ts';
import { LocalServer } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';

let closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  closers = [];
});

describe('a player of a file that takes nothing', () => {
  it('is cut after play.stall_timeout', async () => {
    const scratch = new ScratchFolder();
    closers.push(() => scratch.remove());
    // More than any socket's buffers hold: 23 MB in two seconds at the highest speed.
    makeWithFfmpeg(scratch.file('wide.wav'), [
      '-f',
      'lavfi',
      '-i',
      'anullsrc=r=96000',
      '-t',
      '60',
      '-c:a',
      'pcm_s16le',
    ]);
    const server = await LocalServer.start({ rtsp: { files: scratch.path }, play: { stall_timeout: 0.5 } });
    closers.push(() => server.close());
    const peer = await RtspPeer.connect(server.rtspPort);
    closers.push(() => peer.close());
    const url = `rtsp://127.0.0.1:${server.rtspPort}/wide.wav`;
    const answer = await peer.request('SETUP', url, { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' });
    await peer.request('PLAY', url, { Session: sessionOf(answer), Speed: '32' });
    peer.pause();
    await until('the session ended', () => server.millrace.counters.rtsp?.sessions === 0, 8_000);
    await until('the connection was cut', () => server.millrace.counters.rtsp?.connections === 0);
    expect(peer.frames.length).toBeGreaterThan(0);
  });
});
