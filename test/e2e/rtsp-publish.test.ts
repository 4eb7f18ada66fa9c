import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeShortClip } from '../integration/short-clip.ts';
import { ffmpegRecord, testSignal } from '../peers/ffmpeg.ts';
import { type PeerCommand, words } from '../peers/peer-process.ts';
import { make } from './support/clips.ts';
import { readCodedFile } from './support/coded-file.ts';
import { demuxedElementaryRecording, elementaryRecording, type Recording } from './support/coded-unit.ts';
import { stopWhenQuiet } from './support/end-of-sending.ts';
import { expectRun } from './support/expect-run.ts';
import { readFlvFile } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { RtmpClient } from './support/rtmp-client.ts';
import { probeRtsp } from './support/rtsp-players.ts';
import { Stage, type TestServer } from './support/stage.ts';

/** Everybody who watches has joined by then, and a picture to begin with is still to come. */
const CLIP_SECONDS = 6;

let stage: Stage;
let server: TestServer;
/** H.264 and AAC, and H.265 with B-frames and AAC. */
let clip: string;
let h265Clip: string;

beforeAll(async () => {
  stage = await Stage.open();
  server = await stage.server();
  clip = stage.path('clip.flv');
  await writeShortClip(clip, CLIP_SECONDS * 1000);
  h265Clip = stage.path('h265.mp4');
  const signal = testSignal({ size: '320x180', frameRate: 25, seconds: CLIP_SECONDS });
  const encoders = words(
    '-c:v libx265 -preset ultrafast -x265-params bframes=3:keyint=25:log-level=error -tag:v hvc1 -c:a aac -b:a 64k',
  );
  await make([...signal, ...encoders, '-pix_fmt', 'yuv420p', '-f', 'mp4'], h265Clip);
});

afterAll(async () => {
  await stage.close();
});

/** Sends a file in real time, nothing encoded anew. */
function ffmpegRtspPublish(input: string, url: string, transport: 'tcp' | 'udp'): PeerCommand {
  return {
    program: 'ffmpeg',
    args: words(
      `-hide_banner -nostdin -v warning -re -i ${input} -map 0 -c copy -f rtsp -rtsp_transport ${transport} ${url}`,
    ),
    timeoutMs: 60_000,
  };
}

function gstreamerRtspPublish(input: string, url: string, transport: 'tcp' | 'udp'): PeerCommand {
  return {
    program: 'gst-launch-1.0',
    args: words(
      `-q rtspclientsink name=s location=${url} protocols=${transport} filesrc location=${input} ! flvdemux name=d d.video ! queue ! h264parse ! s. d.audio ! queue ! aacparse ! s.`,
    ),
    timeoutMs: 60_000,
  };
}

/** FFmpeg puts several AAC frames into a packet, and at its end never sends the one it has begun. */
const FFMPEG_HOLDS_BACK = 5;

/** Publishes, watches over HTTP-FLV, HTTP-TS, RTMP and RTSP until the end, and compares every frame with the source. */
async function expectPublished(
  command: PeerCommand,
  path: string,
  source: Recording,
  options: { readonly codec: 'h264' | 'h265'; readonly holdsBack: number; readonly mayMissItsEnd?: boolean },
): Promise<void> {
  const publisher = stage.run(command);
  const stream = await server.whenLive(path);
  expect(stream.publisher?.protocol).toBe('rtsp');
  const viewer = await FlvViewer.open(server.http(`${path}.flv`));
  stage.own(() => viewer.close());
  await viewer.until(({ video }) => video.length >= 10, 'some pictures had come');
  const rtmp = new RtmpClient(server.rtmp(path), 'play');
  stage.own(() => rtmp.close());
  const tsFile = stage.path(`${path.replace('/', '-')}.flv`);
  // Into FLV, ffmpeg writes the configuration of a transport stream late.
  const ts = options.codec === 'h264' ? stage.run(ffmpegRecord(server.http(`${path}.ts`), tsFile)) : undefined;
  const probe = probeRtsp(stage, server.rtsp(path), 'tcp');
  const count = (): number => viewer.content.video.length;
  const sent = options.mayMissItsEnd === true ? stopWhenQuiet(publisher, count) : publisher.succeeded();
  await Promise.all([sent, viewer.ended, rtmp.ended, ts?.succeeded()]);
  const { packets } = await probe;
  const of = (kind: string): typeof packets =>
    packets.filter((packet) => packet.kind === kind).map((packet, i) => ({ ...packet, dtsMs: i }));
  const played = demuxedElementaryRecording(of('video'), of('audio'), options.codec);
  const contents = [
    viewer.content,
    rtmp.content,
    ...(ts === undefined ? [] : [await readFlvFile(tsFile, ['bad-config'])]),
  ];
  for (const received of [...contents.map(elementaryRecording), played]) {
    expectRun(received.video, source.video, { toEnd: true, times: 'none' });
    const { first } = expectRun(received.audio, source.audio, { times: 'none' });
    expect(source.audio.length - first - received.audio.length).toBeLessThanOrEqual(options.holdsBack);
  }
}

// They wait for real time more than for anything else, so they wait together.
describe.concurrent.each(['tcp', 'udp'] as const)('published over %s', (transport) => {
  it('every frame of H.264 and AAC that ffmpeg sends comes as it was', async () => {
    const path = `live/ffmpeg-${transport}`;
    const source = elementaryRecording(await readFlvFile(clip));
    await expectPublished(ffmpegRtspPublish(clip, server.rtsp(path), transport), path, source, {
      codec: 'h264',
      holdsBack: FFMPEG_HOLDS_BACK,
    });
  });

  it('every frame of H.265 with B-frames and AAC that ffmpeg sends comes as it was', async () => {
    const { frames } = await readCodedFile(h265Clip, {});
    const of = (kind: string): typeof frames => frames.filter(({ track }) => track.kind === kind);
    const source = elementaryRecording({ video: of('video'), audio: of('audio') });
    const path = `live/h265-${transport}`;
    await expectPublished(ffmpegRtspPublish(h265Clip, server.rtsp(path), transport), path, source, {
      codec: 'h265',
      holdsBack: FFMPEG_HOLDS_BACK,
    });
  });

  it('every frame of H.264 and AAC that GStreamer sends comes as it was', async () => {
    const path = `live/gstreamer-${transport}`;
    const source = elementaryRecording(await readFlvFile(clip));
    await expectPublished(gstreamerRtspPublish(clip, server.rtsp(path), transport), path, source, {
      codec: 'h264',
      holdsBack: 0,
      mayMissItsEnd: true,
    });
  });
});
