import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpegPublish } from '../peers/ffmpeg.ts';
import type { PeerProcess } from '../peers/peer-process.ts';
import { BBB_CLIP } from './support/clips.ts';
import { elementaryRecording, type Recording } from './support/coded-unit.ts';
import { expectRecording } from './support/expect-run.ts';
import { readFlvFile } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { ffmpegPlayer, ffprobePlayer, gstreamerPlayer, type RtspPlayer } from './support/rtsp-players.ts';
import { Stage, type TestServer } from './support/stage.ts';

interface Case {
  readonly player: RtspPlayer;
  readonly path: string;
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
];

describe('Big Buck Bunny over RTMP, played over RTSP', () => {
  let stage: Stage;
  let server: TestServer;
  let publisher: PeerProcess;
  const recordings = new Map<Case, Promise<Recording>>();

  beforeAll(async () => {
    stage = await Stage.open();
    server = await stage.server({ rtsp: { multicast: true, multicast_ttl: 1 } });
    publisher = stage.run(
      ffmpegPublish({ input: BBB_CLIP, url: server.rtmp('live/x'), copyTo: stage.path('sent.flv') }),
    );
    await server.whenLive('live/x');
    const viewer = await FlvViewer.open(server.http('live/x.flv'));
    stage.own(() => viewer.close());
    await viewer.until(({ video }) => (video.at(-1)?.dtsUs ?? 0) >= 3_000_000, 'the stream was three seconds old');
    for (const one of cases) {
      const recording = one.player.record(stage, server.rtsp(one.path));
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

  it('nobody is left', () => {
    expect(server.millrace.counters.rtsp).toMatchObject({ faults: 0, overflowed: 0 });
  });
});
