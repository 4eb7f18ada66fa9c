import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpegPublish, ffmpegRecord } from '../peers/ffmpeg.ts';
import { ffprobeCommand, parseProbe } from '../peers/ffprobe.ts';
import { type PeerProcess, words } from '../peers/peer-process.ts';
import { make, makeMp3Clip } from './support/clips.ts';
import { demuxedElementaryRecording, demuxedRecording, exactRecording, type Recording } from './support/coded-unit.ts';
import { expectRun } from './support/expect-run.ts';
import { type FlvContent, readFlvFile } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { type HttpAnswer, requestHttp } from './support/http-request.ts';
import { Stage, type TestServer } from './support/stage.ts';

const SECONDS = 4;
/** Times of bare audio are counted from its frames, so that they stray from whole milliseconds. */
const COUNTED = { toEnd: true, toleranceMs: 1 } as const;

interface AudioCase {
  readonly name: string;
  readonly extension: 'aac' | 'mp3';
  readonly contentType: string;
  readonly hasVideo: boolean;
  readonly makeClip: (file: string) => Promise<void>;
}

const cases: readonly AudioCase[] = [
  {
    name: 'AAC without video',
    extension: 'aac',
    contentType: 'audio/aac',
    hasVideo: false,
    makeClip: (file) =>
      make(
        [
          ...words(`-f lavfi -i sine=frequency=440:beep_factor=4:sample_rate=48000:duration=${SECONDS}`),
          ...words('-ac 2 -c:a aac -b:a 96k -f flv'),
        ],
        file,
      ),
  },
  {
    name: 'MP3 beside H.264',
    extension: 'mp3',
    contentType: 'audio/mpeg',
    hasVideo: true,
    makeClip: (file) => makeMp3Clip(file, SECONDS),
  },
];

// They wait for real time more than for anything else, so they wait together.
describe.concurrent.each(cases)('$name', ({ extension, contentType, hasVideo, makeClip }) => {
  let stage: Stage;
  let server: TestServer;
  let clip: FlvContent;
  let publisher: PeerProcess;
  let players: Record<'rtmp' | 'flv' | 'ts' | 'bare', PeerProcess>;
  let download: Promise<HttpAnswer>;
  let wrongCodec: HttpAnswer;

  beforeAll(async () => {
    stage = await Stage.open();
    server = await stage.server();
    const file = stage.path('clip.flv');
    await makeClip(file);
    clip = await readFlvFile(file);
    publisher = stage.run(ffmpegPublish({ input: file, url: server.rtmp('live/x') }));
    await server.whenLive('live/x');
    const viewer = await FlvViewer.open(server.http('live/x.flv'));
    stage.own(() => viewer.close());
    await viewer.until(({ audio }) => audio.length >= 30, 'half a second of audio had come');
    players = {
      rtmp: stage.run(ffmpegRecord(server.rtmp('live/x'), stage.path('rtmp.flv'))),
      flv: stage.run(ffmpegRecord(server.http('live/x.flv'), stage.path('flv.flv'))),
      ts: stage.run(ffprobeCommand(server.http('live/x.ts'))),
      bare: stage.run(ffprobeCommand(server.http(`live/x.${extension}`))),
    };
    download = requestHttp(server.http(`live/x.${extension}`));
    download.catch(() => undefined);
    wrongCodec = await requestHttp(server.http(`live/x.${extension === 'aac' ? 'mp3' : 'aac'}`));
  });

  afterAll(async () => {
    await stage.close();
  });

  it.each(['rtmp', 'flv'] as const)('ffmpeg gets every frame to the last one (%s)', async (output) => {
    await players[output].succeeded();
    const received = exactRecording(await readFlvFile(stage.path(`${output}.flv`)));
    const source = exactRecording(clip);
    expectRun(received.audio, source.audio, { toEnd: true });
    if (hasVideo) expectRun(received.video, source.video, { toEnd: true });
    else expect(received.video).toEqual([]);
  });

  it('ffprobe gets every frame to the last one (ts)', async () => {
    const { packets } = parseProbe((await players.ts.succeeded()).stdout);
    const audio = packets.filter(({ kind }) => kind === 'audio');
    expectRun(demuxedElementaryRecording([], audio, 'h264').audio, exactRecording(clip).audio, COUNTED);
    expect(packets.some(({ kind }) => kind === 'video')).toBe(hasVideo);
  });

  it(`ffprobe gets every frame to the last one (${extension})`, async () => {
    const { packets } = parseProbe((await players.bare.succeeded()).stdout);
    const received: Recording =
      extension === 'aac' ? demuxedElementaryRecording([], packets, 'h264') : demuxedRecording([], packets);
    expectRun(received.audio, exactRecording(clip).audio, COUNTED);
  });

  it(`.${extension} is the frames and nothing else`, async () => {
    const { status, headers, body } = await download;
    expect(status).toBe(200);
    expect(headers['content-type']).toBe(contentType);
    if (extension === 'aac') {
      const packet = { ptsMs: 0, dtsMs: 0, isKeyFrame: true, data: body };
      const { audio } = demuxedElementaryRecording([], [packet], 'h264');
      expectRun(audio, exactRecording(clip).audio, { toEnd: true, times: 'none' });
      return;
    }
    const whole = Buffer.concat(clip.audio.map(({ payload }) => payload));
    assert.ok(body.length > 0 && whole.subarray(-body.length).equals(body), 'the bytes are not the end of the source');
    const boundaries = clip.audio.map((_, i) =>
      clip.audio.slice(i).reduce((sum, { payload }) => sum + payload.length, 0),
    );
    assert.ok(boundaries.includes(body.length), 'the bytes begin in the middle of a frame');
  });

  it('is refused as what it is not', () => {
    expect(wrongCodec.status).toBe(404);
    expect(wrongCodec.body.toString()).toContain(`has ${extension} audio`);
  });

  it('ends with the publisher', async () => {
    await publisher.succeeded();
    expect(server.stream('live/x').state).toBe('idle');
  });
});
