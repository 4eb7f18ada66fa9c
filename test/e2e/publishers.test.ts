import assert from 'node:assert/strict';
import { describe, expect, it, type TestContext } from 'vitest';
import type { Frame } from '../../src/codec/frame.ts';
import { ffmpegPublish, ffmpegRecord } from '../peers/ffmpeg.ts';
import type { PeerProcess } from '../peers/peer-process.ts';
import { BBB_CLIP, makeBFrameClip } from './support/clips.ts';
import { exactRecording, type Recording } from './support/coded-unit.ts';
import { expectRun } from './support/expect-run.ts';
import { type FlvContent, readFlvFile } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { RtmpClient } from './support/rtmp-client.ts';
import { Stage, type TestServer } from './support/stage.ts';

/** Long after anything here is over. */
const PUBLISHER_TIMEOUT_MS = 60_000;

/** A stage of its own for a test, as they run beside one another. */
async function openStage({ onTestFinished }: TestContext): Promise<Stage> {
  const stage = await Stage.open();
  onTestFinished(() => stage.close());
  return stage;
}

/** Big Buck Bunny for as long as it is let. */
function publishBunny(stage: Stage, server: TestServer): PeerProcess {
  return stage.run(
    ffmpegPublish({ input: BBB_CLIP, url: server.rtmp('live/x'), loop: true, timeoutMs: PUBLISHER_TIMEOUT_MS }),
  );
}

interface Viewers {
  readonly names: readonly string[];
  readonly http: FlvViewer;
  readonly ws: FlvViewer;
  readonly rtmp: RtmpClient;
  readonly ffmpegRtmp: PeerProcess;
  readonly ffmpegFlv: PeerProcess;
  readonly ffmpegTs: PeerProcess;
}

/** One viewer for each output, all of them receiving. */
async function openViewers(stage: Stage, server: TestServer): Promise<Viewers> {
  const http = await FlvViewer.open(server.http('live/x.flv'));
  const ws = await FlvViewer.open(server.ws('live/x.flv'));
  const rtmp = new RtmpClient(server.rtmp('live/x'), 'play');
  stage.own(() => {
    http.close();
    ws.close();
    rtmp.close();
  });
  const ffmpegRtmp = stage.run(ffmpegRecord(server.rtmp('live/x'), stage.path('rtmp.flv')));
  const ffmpegFlv = stage.run(ffmpegRecord(server.http('live/x.flv'), stage.path('http.flv')));
  const ffmpegTs = stage.run(ffmpegRecord(server.http('live/x.ts'), stage.path('ts.flv')));
  await rtmp.started;
  await Promise.all([ffmpegRtmp, ffmpegFlv, ffmpegTs].map((peer) => peer.whenOutput(/^frame=[1-9]/m)));
  await http.moreVideo(25);
  return { names: ['rtmp.flv', 'http.flv'], http, ws, rtmp, ffmpegRtmp, ffmpegFlv, ffmpegTs };
}

/** Everybody's stream has ended cleanly: EOF, close code 1000, UnpublishNotify, exit code 0. */
async function expectCleanEnd(viewers: Viewers): Promise<void> {
  const { http, ws, rtmp, ffmpegRtmp, ffmpegFlv, ffmpegTs } = viewers;
  await Promise.all([http.ended, ws.ended, rtmp.ended]);
  await Promise.all([ffmpegRtmp, ffmpegFlv, ffmpegTs].map((peer) => peer.succeeded()));
}

/** What came with the configuration of `clip`, and what came with another. */
function splitByConfig(content: FlvContent, clip: FlvContent): { readonly own: Recording; readonly other: Recording } {
  const { videoTrack, audioTrack } = clip;
  const config = { video: Buffer.from(videoTrack!.config), audio: Buffer.from(audioTrack!.config) };
  const isOwn = ({ track }: Frame): boolean => config[track.kind as 'video' | 'audio'].equals(track.config);
  const pick = (own: boolean): Recording =>
    exactRecording({
      video: content.video.filter((frame) => isOwn(frame) === own),
      audio: content.audio.filter((frame) => isOwn(frame) === own),
    });
  return { own: pick(true), other: pick(false) };
}

/** All of `second` behind some of Big Buck Bunny, on one clock that never goes back. */
async function expectBothPublishers(content: FlvContent, second: FlvContent): Promise<void> {
  const { own, other } = splitByConfig(content, second);
  const bunny = exactRecording(await readFlvFile(BBB_CLIP));
  const twice = (units: Recording['video']): Recording['video'] => [...units, ...units];
  expectRun(other.video, twice(bunny.video), { times: 'none' });
  expectRun(other.audio, twice(bunny.audio), { times: 'none' });
  const source = exactRecording(second);
  for (const kind of ['video', 'audio'] as const) {
    const { first } = expectRun(own[kind], source[kind], { toEnd: true });
    assert.equal(first, 0, `the first ${first} ${kind} frames of the second publisher are missing`);
    const times = content[kind].map(({ dtsUs }) => dtsUs);
    for (const [i, time] of times.entries()) assert.ok(i === 0 || time >= times[i - 1]!, `${kind} goes back at ${i}`);
  }
  assert.ok(own.video[0]!.isKeyFrame);
  // Ten milliseconds behind the last frame of the one before, whatever the second one's clock says.
  const resumeMs = Math.min(own.video[0]!.dtsMs, own.audio[0]!.dtsMs);
  const lastMs = Math.max(other.video.at(-1)!.dtsMs, other.audio.at(-1)!.dtsMs);
  assert.ok(resumeMs >= lastMs && resumeMs - lastMs < 200, `the stream goes on ${resumeMs - lastMs} ms later`);
}

// They wait for real time more than for anything else, so they wait together.
describe.concurrent('a publisher that is killed', () => {
  it('may come back within the grace window: every viewer goes on, on the same clock', async (context) => {
    const stage = await openStage(context);
    const server = await stage.server({ publish: { grace: 20 } });
    await makeBFrameClip(stage.path('second.flv'), 3);
    const first = publishBunny(stage, server);
    const stream = await server.whenLive('live/x');
    const viewers = await openViewers(stage, server);
    await first.stop();
    const second = stage.run(ffmpegPublish({ input: stage.path('second.flv'), url: server.rtmp('live/x') }));
    await second.succeeded();
    await expectCleanEnd(viewers);
    expect(stream.state).toBe('idle');
    const clip = await readFlvFile(stage.path('second.flv'));
    await expectBothPublishers(viewers.http.content, clip);
    await expectBothPublishers(viewers.ws.content, clip);
    await expectBothPublishers(viewers.rtmp.content, clip);
    // ffmpeg writes times of its own after the change; the frames are what counts.
    for (const name of viewers.names) {
      const { own } = splitByConfig(await readFlvFile(stage.path(name)), clip);
      expect(own.video.map(({ digest }) => digest)).toEqual(exactRecording(clip).video.map(({ digest }) => digest));
    }
  });

  it('ends the stream for every viewer when it stays away', async (context) => {
    const stage = await openStage(context);
    const server = await stage.server({ publish: { grace: 1 } });
    const publisher = publishBunny(stage, server);
    const stream = await server.whenLive('live/x');
    const viewers = await openViewers(stage, server);
    const frames = viewers.http.content.video.length;
    await publisher.stop();
    await expectCleanEnd(viewers);
    expect(stream.state).toBe('idle');
    expect(viewers.http.content.video.length).toBeGreaterThanOrEqual(frames);
  });
});

describe.concurrent('a second publisher', () => {
  it('is refused by default, and the first one goes on without a gap', async (context) => {
    const stage = await openStage(context);
    const server = await stage.server();
    publishBunny(stage, server);
    const stream = await server.whenLive('live/x');
    const viewer = await FlvViewer.open(server.http('live/x.flv'));
    stage.own(() => viewer.close());
    await viewer.moreVideo(10);
    const owner = stream.publisher?.id;
    const second = stage.run(ffmpegPublish({ input: BBB_CLIP, url: server.rtmp('live/x'), timeoutMs: 15_000 }));
    const { stderr } = await second.failed();
    expect(stderr).toContain('is being published already');
    expect(stream.publisher?.id).toBe(owner);
    await viewer.moreVideo(25);
    const { video, audio } = exactRecording(viewer.content);
    const bunny = exactRecording(await readFlvFile(BBB_CLIP));
    expectRun(video, bunny.video);
    expectRun(audio, bunny.audio);
  });

  it('takes over at once where it may, and every viewer goes on', async (context) => {
    const stage = await openStage(context);
    const server = await stage.server({ publish: { takeover: 'takeover' } });
    await makeBFrameClip(stage.path('second.flv'), 3);
    const first = publishBunny(stage, server);
    await server.whenLive('live/x');
    const viewers = await openViewers(stage, server);
    const second = stage.run(ffmpegPublish({ input: stage.path('second.flv'), url: server.rtmp('live/x') }));
    await first.failed();
    expect(second.isOver).toBe(false);
    await second.succeeded();
    await expectCleanEnd(viewers);
    await expectBothPublishers(viewers.http.content, await readFlvFile(stage.path('second.flv')));
    await expectBothPublishers(viewers.rtmp.content, await readFlvFile(stage.path('second.flv')));
  });
});
