import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Track } from '../../src/codec/track.ts';
import { writeVpCodecConfiguration } from '../../src/codec/vp9/vp-codec-configuration.ts';
import { ffmpegPublish, testSignal } from '../peers/ffmpeg.ts';
import type { ProbedPacket } from '../peers/ffprobe.ts';
import { words } from '../peers/peer-process.ts';
import { make, makeMp3Clip } from './support/clips.ts';
import { readCodedFile } from './support/coded-file.ts';
import {
  demuxedElementaryRecording,
  demuxedRecording,
  elementaryRecording,
  exactRecording,
  type Recording,
} from './support/coded-unit.ts';
import { expectRun } from './support/expect-run.ts';
import { readFlvFile } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { RtmpClient } from './support/rtmp-client.ts';
import { probeRtsp } from './support/rtsp-players.ts';
import { Stage, type TestServer } from './support/stage.ts';

const SECONDS = 5;

/** 8 bits, 4:2:0, colours not said. FFmpeg's MP4 reader keeps the record to itself. */
const VPCC = writeVpCodecConfiguration({
  profile: 0,
  level: 11,
  bitDepth: 8,
  chromaSubsampling: 1,
  fullRange: false,
  colourPrimaries: 2,
  transferCharacteristics: 2,
  matrixCoefficients: 2,
});

interface CodecCase {
  readonly name: string;
  readonly codecs: readonly string[];
  /** How frames compare: H.265 goes without parameter sets. */
  readonly isElementary: boolean;
  readonly arguments: readonly string[];
  readonly configs: Partial<Record<Track['codec'], Uint8Array>>;
}

/** What ffmpeg 5.1 has both an encoder of and RTP. */
const cases: readonly CodecCase[] = [
  {
    name: 'H.265 with B-frames and AAC',
    codecs: ['hevc', 'aac'],
    isElementary: true,
    arguments: words(
      '-c:v libx265 -preset ultrafast -x265-params bframes=3:keyint=25:log-level=error -tag:v hvc1 -c:a aac -b:a 64k',
    ),
    configs: {},
  },
  {
    name: 'VP9 and Opus',
    codecs: ['vp9', 'opus'],
    isElementary: false,
    arguments: words('-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 200k -g 25 -c:a libopus -b:a 48k -ar 48000'),
    configs: { vp9: VPCC },
  },
];

let stage: Stage;
let server: TestServer;

beforeAll(async () => {
  stage = await Stage.open();
  server = await stage.server();
});

afterAll(async () => {
  await stage.close();
});

/** Probes a stream that has begun over TCP and UDP, to its end. */
async function probeBoth(path: string): Promise<readonly (readonly ProbedPacket[])[]> {
  const viewer = await FlvViewer.open(server.http(`${path}.flv`));
  stage.own(() => viewer.close());
  await viewer.until(({ audio }) => audio.length >= 50, 'a second of sound had come');
  const probes = await Promise.all(
    (['tcp', 'udp'] as const).map((transport) => probeRtsp(stage, server.rtsp(path), transport)),
  );
  return probes.map(({ packets }) => packets);
}

/** Packets of a kind with decode times that count up: RTP tells none. */
function inOrder(packets: readonly ProbedPacket[], kind: string): ProbedPacket[] {
  return packets.filter((packet) => packet.kind === kind).map((packet, i) => ({ ...packet, dtsMs: i }));
}

function expectSame(received: Recording, source: Recording): void {
  const video = expectRun(received.video, source.video, { toEnd: true, times: 'none' });
  expectRun(received.audio, source.audio, { toEnd: true, times: 'none' });
  expect(source.video[video.first]!.isKeyFrame).toBe(true);
}

// They wait for real time more than for anything else, so they wait together.
describe.concurrent.each(cases)('$name', ({ arguments: encoders, codecs, isElementary, configs }) => {
  it('plays over RTSP, TCP and UDP, every frame as it was published', async () => {
    const file = stage.path(`${codecs[0]}.mp4`);
    const signal = testSignal({ size: '320x180', frameRate: 25, seconds: SECONDS });
    await make([...signal, ...encoders, '-pix_fmt', 'yuv420p', '-f', 'mp4'], file);
    const coded = await readCodedFile(file, configs);
    const path = `live/${codecs[0]}`;
    const publisher = new RtmpClient(server.rtmp(path), 'publish');
    stage.own(() => publisher.close());
    const published = publisher.publish(coded.tracks, coded.frames);
    await server.whenLive(path);
    const of = (kind: string): typeof coded.frames => coded.frames.filter(({ track }) => track.kind === kind);
    const content = { video: of('video'), audio: of('audio') };
    const source = isElementary ? elementaryRecording(content) : exactRecording(content);
    for (const packets of await probeBoth(path)) {
      const [video, audio] = [inOrder(packets, 'video'), inOrder(packets, 'audio')];
      expectSame(
        isElementary ? demuxedElementaryRecording(video, audio, 'h265') : demuxedRecording(video, audio),
        source,
      );
    }
    await published;
  });
});

describe.concurrent('H.264 and MP3', () => {
  it('plays over RTSP, TCP and UDP, every frame as it was published', async () => {
    const file = stage.path('mp3.flv');
    await makeMp3Clip(file, SECONDS);
    const publisher = stage.run(ffmpegPublish({ input: file, url: server.rtmp('live/mp3') }));
    await server.whenLive('live/mp3');
    const source = elementaryRecording(await readFlvFile(file));
    for (const packets of await probeBoth('live/mp3')) {
      const received = demuxedElementaryRecording(inOrder(packets, 'video'), inOrder(packets, 'audio'), 'h264');
      expectSame(received, source);
    }
    await publisher.succeeded();
  });
});
