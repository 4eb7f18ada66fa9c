import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeShortClip } from '../integration/short-clip.ts';
import { ffmpegPublish } from '../peers/ffmpeg.ts';
import type { PeerProcess } from '../peers/peer-process.ts';
import { makeSelfSignedCertificate } from '../peers/self-signed-certificate.ts';
import { makeBFrameClip } from './support/clips.ts';
import { elementaryRecording, type Recording } from './support/coded-unit.ts';
import { expectRecording, expectRun } from './support/expect-run.ts';
import { readFlvFile } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { MULTICAST } from './support/multicast.ts';
import { ffmpegPlayer, ffprobePlayer, gstreamerPlayer, type RtspPlayer } from './support/rtsp-players.ts';
import { Stage, type TestServer } from './support/stage.ts';

interface Case {
  readonly player: RtspPlayer;
  /** What the URL is called in the test's name. */
  readonly path: string;
  readonly url?: (server: TestServer) => string;
}

const cases: readonly Case[] = [
  { player: ffprobePlayer('tcp'), path: 'live/x' },
  { player: ffprobePlayer('udp'), path: 'live/x' },
  { player: ffprobePlayer('tcp'), path: 'live/x.ts' },
  { player: ffprobePlayer('udp'), path: 'live/x.ts' },
  { player: ffmpegPlayer('tcp'), path: 'live/x' },
  { player: ffmpegPlayer('udp'), path: 'live/x' },
  { player: gstreamerPlayer('tcp'), path: 'live/x' },
  { player: gstreamerPlayer('udp'), path: 'live/x' },
  { player: ffprobePlayer('udp_multicast'), path: 'live/x' },
  { player: ffprobePlayer('http'), path: 'live/x' },
  {
    player: ffprobePlayer('http'),
    path: 'live/x of the HTTP port',
    url: (server) => server.http('live/x').replace('http:', 'rtsp:'),
  },
  { player: ffprobePlayer('tcp'), path: 'live/x over TLS', url: (server) => server.rtsps('live/x') },
  {
    player: gstreamerPlayer('tcp'),
    path: 'live/x as SRTP',
    url: (server) => `${server.rtsps('live/x')}?srtp`,
  },
  {
    player: gstreamerPlayer('udp'),
    path: 'live/x as SRTP',
    url: (server) => `${server.rtsps('live/x')}?srtp`,
  },
  {
    player: gstreamerPlayer('http'),
    path: 'live/x',
    url: (server) => server.rtsp('live/x').replace('rtsp:', 'rtsph:'),
  },
];

// They wait for real time more than for anything else, so they wait together.
describe.concurrent('Big Buck Bunny over RTMP, played over RTSP', () => {
  let stage: Stage;
  let server: TestServer;
  let publisher: PeerProcess;
  const recordings = new Map<Case, Promise<Recording>>();

  beforeAll(async () => {
    stage = await Stage.open();
    const { cert, key } = await makeSelfSignedCertificate(stage.directory);
    server = await stage.server({
      rtsp: MULTICAST,
      rtsps: { listen: '127.0.0.1:0', cert, key },
    });
    const input = stage.path('clip.flv');
    await writeShortClip(input, 8000);
    publisher = stage.run(ffmpegPublish({ input, url: server.rtmp('live/x'), copyTo: stage.path('sent.flv') }));
    await server.whenLive('live/x');
    const viewer = await FlvViewer.open(server.http('live/x.flv'));
    stage.own(() => viewer.close());
    await viewer.until(({ video }) => (video.at(-1)?.dtsUs ?? 0) >= 3_000_000, 'the stream was three seconds old');
    for (const one of cases) {
      const recording = one.player.record(stage, one.url?.(server) ?? server.rtsp(one.path), server, 'live/x');
      // Each is asked for by its own test; until then a failure is nobody's.
      recording.catch(() => undefined);
      recordings.set(one, recording);
    }
  });

  afterAll(async () => {
    await stage.close();
  });

  it.each(cases)('$player.name gets every frame of $path from a key frame to the last one', async (one) => {
    const received = await recordings.get(one)!;
    await publisher.succeeded();
    const source = elementaryRecording(await readFlvFile(stage.path('sent.flv')));
    const { video } = expectRecording(received, source, one.player.options);
    assert.ok(video.first > 0, 'it joined in the middle, but got the stream from its beginning');
  });

  it('nothing went wrong in the server', () => {
    expect(server.millrace.counters.rtsp).toMatchObject({ faults: 0, overflowed: 0 });
  });
});

describe.concurrent('H.264 with B-frames over RTMP, played over RTSP', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open();
  });

  afterAll(async () => {
    await stage.close();
  });

  it('comes with every picture at its time, over TCP and UDP', async () => {
    const server = await stage.server();
    await makeBFrameClip(stage.path('clip.flv'), 6);
    const publisher = stage.run(ffmpegPublish({ input: stage.path('clip.flv'), url: server.rtmp('live/x') }));
    await server.whenLive('live/x');
    const recordings = await Promise.all(
      [ffprobePlayer('tcp', { hasDecodeTimes: false }), ffprobePlayer('udp', { hasDecodeTimes: false })].map((player) =>
        player.record(stage, server.rtsp('live/x'), server, 'live/x'),
      ),
    );
    await publisher.succeeded();
    const source = elementaryRecording(await readFlvFile(stage.path('clip.flv')));
    for (const { video, audio } of recordings) {
      expectRun(audio, source.audio, { toEnd: true, toleranceMs: 2 });
      const { first } = expectRun(video, source.video, { toEnd: true, times: 'none' });
      // See `withFirstTime` for the one left out.
      const offsetsMs = video.slice(1).map(({ ptsMs }, i) => ptsMs - source.video[first + 1 + i]!.ptsMs);
      expect(Math.max(...offsetsMs) - Math.min(...offsetsMs)).toBeLessThanOrEqual(1);
    }
  });
});
