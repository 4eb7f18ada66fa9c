import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeShortClip } from '../integration/short-clip.ts';
import { ffmpegPublish } from '../peers/ffmpeg.ts';
import type { PeerProcess } from '../peers/peer-process.ts';
import { makeBFrameClip } from './support/clips.ts';
import { elementaryRecording, exactRecording, type Recording } from './support/coded-unit.ts';
import { expectRecording, expectRun } from './support/expect-run.ts';
import { type FlvContent, readFlvFile } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { PLAYERS, type Player } from './support/players.ts';
import { Stage, type TestServer } from './support/stage.ts';

interface Clip {
  readonly name: string;
  readonly loop: boolean;
  /** Published so long. */
  readonly seconds: number;
  /** Everybody joins when the stream is this old. */
  readonly joinAtMs: number;
  /** Makes the file. */
  readonly prepare: (file: string) => Promise<void>;
}

const clips: readonly Clip[] = [
  {
    // Past the end of the clip, so that the seam is in what the players see.
    name: 'Big Buck Bunny in a loop',
    loop: true,
    seconds: 9,
    joinAtMs: 4000,
    // A little more than its first two groups of pictures.
    prepare: (file) => writeShortClip(file, 5900),
  },
  {
    name: 'H.264 with B-frames and AAC',
    loop: false,
    seconds: 7,
    joinAtMs: 2100,
    prepare: (file) => makeBFrameClip(file, 7),
  },
];

/** Index of the video key frame a stream of this age begins with for those who join. */
function newestKeyFrameAt(source: Recording, ageMs: number): number {
  const startMs = Math.min(source.video[0]!.dtsMs, source.audio[0]!.dtsMs);
  return source.video.findLastIndex(({ isKeyFrame, dtsMs }) => isKeyFrame && dtsMs - startMs <= ageMs);
}

describe.each(clips)('$name, published by ffmpeg', ({ loop, seconds, joinAtMs, prepare }) => {
  let stage: Stage;
  let server: TestServer;
  let input: string;
  let sentFile: string;
  let publisher: PeerProcess;
  /** All players run at once, beside one another. */
  const recordings = new Map<Player, Promise<Recording>>();

  /** The age of the stream when the quick ones had joined. */
  let joinedAtMs: number;

  function record(player: Player): void {
    const recording = player.record(stage, server, 'live/x');
    // Each is asked for by its own test; until then a failure is nobody's.
    recording.catch(() => undefined);
    recordings.set(player, recording);
  }

  beforeAll(async () => {
    stage = await Stage.open();
    server = await stage.server();
    input = stage.path('clip.flv');
    await prepare(input);
    sentFile = stage.path('sent.flv');
    publisher = stage.run(
      ffmpegPublish({ input, url: server.rtmp('live/x'), loop, copyTo: sentFile, ...(loop ? { seconds } : {}) }),
    );
    await server.whenLive('live/x');
    const viewer = await FlvViewer.open(server.http('live/x.flv'));
    stage.own(() => viewer.close());
    await viewer.until(
      ({ video }) => (video.at(-1)?.dtsUs ?? 0) >= joinAtMs * 1000,
      `the stream was ${joinAtMs} ms old`,
    );
    const quick = PLAYERS.filter(({ isQuick }) => isQuick === true);
    for (const player of quick) record(player);
    // To start the others takes a while.
    await vi.waitUntil(() => server.stream('live/x').viewers === 1 + quick.length, { timeout: 10_000, interval: 5 });
    joinedAtMs = viewer.content.video.at(-1)!.dtsUs / 1000;
    for (const player of PLAYERS) if (player.isQuick !== true) record(player);
  });

  afterAll(async () => {
    await stage.close();
  });

  /** What ffmpeg sent, by its own account: the end of the publisher is awaited. */
  async function sent(): Promise<FlvContent> {
    await publisher.succeeded();
    return readFlvFile(sentFile);
  }

  it.each(PLAYERS)('$name gets every frame from a key frame to the last one and ends by itself', async (player) => {
    const received = await recordings.get(player)!;
    const content = await sent();
    const source = player.compare === 'exact' ? exactRecording(content) : elementaryRecording(content);
    const { video } = expectRecording(received, source, player.options);
    assert.ok(video.first > 0, 'it joined in the middle, but got the stream from its beginning');
    if (player.isQuick !== true) return;
    expect(video.first).toBeGreaterThanOrEqual(newestKeyFrameAt(source, joinAtMs));
    expect(video.first).toBeLessThanOrEqual(newestKeyFrameAt(source, joinedAtMs));
  });

  it('ffmpeg sent the frames of the file', async () => {
    const { video, audio } = exactRecording(await sent());
    const file = exactRecording(await readFlvFile(input));
    const repeated = (units: Recording['video']): Recording['video'] => (loop ? [...units, ...units] : units);
    const digests = (units: Recording['video']): string[] => units.map(({ digest }) => digest);
    expect(digests(video)).toEqual(digests(repeated(file.video)).slice(0, video.length));
    expect(digests(audio)).toEqual(digests(repeated(file.audio)).slice(0, audio.length));
    if (loop) assert.ok(video.length > file.video.length, 'the loop did not come round');
    else expectRun(video, file.video, { toEnd: true });
  });
});
