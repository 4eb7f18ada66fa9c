/** ffmpeg and GStreamer send to plain transports and play from them, in clear and as SRTP. */
import { randomBytes } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorker } from '../../src/mediasoup/index.ts';
import type {
  Consumer,
  PlainTransport,
  Producer,
  Router,
  RtpCodecParameters,
  Worker,
} from '../../src/mediasoup/types.ts';
import { freePortPair } from '../peers/free-ports.ts';
import { PeerProcess, words } from '../peers/peer-process.ts';
import {
  ffmpegRtpReceiver,
  ffmpegRtpSender,
  gstLiveSender,
  gstRtpReceiver,
  gstRtpSender,
  type RtpTrack,
  type SrtpKey,
  type SrtpSuite,
  sdpOf,
} from '../peers/rtp-programs.ts';
import { make } from './support/clips.ts';
import type { CodedUnit } from './support/coded-unit.ts';
import { expectRun } from './support/expect-run.ts';
import { Stage } from './support/stage.ts';
import { whenBound } from './support/when-bound.ts';

const SECONDS = 3;
/** Sound begins so long after the pictures. */
const SOUND_DELAY_SECONDS = 0.5;
const SOUND_SECONDS = SECONDS - SOUND_DELAY_SECONDS;
const IP = '127.0.0.1';
const listenInfo = { protocol: 'udp', ip: IP } as const;

type VideoCodec = 'H264' | 'VP8';

/** A program, with the suite it has SRTP with. */
interface Program {
  readonly program: 'ffmpeg' | 'gstreamer';
  readonly suite?: SrtpSuite;
}

interface Path {
  readonly transport: PlainTransport;
  readonly track: RtpTrack;
}

const KEY_BYTES: Readonly<Record<SrtpSuite, number>> = {
  AES_CM_128_HMAC_SHA1_80: 30,
  AES_CM_128_HMAC_SHA1_32: 30,
  AEAD_AES_128_GCM: 28,
  AEAD_AES_256_GCM: 44,
};

let stage: Stage;
let worker: Worker;
let router: Router;

beforeAll(async () => {
  stage = await Stage.open();
  worker = await createWorker();
  router = await worker.createRouter({
    mediaCodecs: [
      { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
      {
        kind: 'video',
        mimeType: 'video/H264',
        clockRate: 90_000,
        parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f' },
      },
      { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
    ],
  });
  const picture = words(`-f lavfi -i testsrc2=size=320x240:rate=25:duration=${SECONDS}`);
  const sine = `sine=frequency=440:sample_rate=48000:duration=${SOUND_SECONDS}`;
  const sound = words(`-itsoffset ${SOUND_DELAY_SECONDS} -f lavfi -i ${sine}`);
  const opus = words('-c:a libopus -b:a 48k -f matroska');
  const h264 = words('-c:v libx264 -preset ultrafast -profile:v baseline -pix_fmt yuv420p -g 25 -b:v 400k');
  const vp8 = words('-c:v libvpx -deadline realtime -cpu-used 8 -g 25 -b:v 400k');
  await make([...picture, ...sound, ...h264, ...opus], stage.path('H264.mkv'));
  await make([...picture, ...sound, ...vp8, ...opus], stage.path('VP8.mkv'));
});

afterAll(async () => {
  worker.close();
  await stage.close();
});

function keyOf(cryptoSuite: SrtpSuite | undefined): SrtpKey | undefined {
  if (cryptoSuite === undefined) return undefined;
  return { cryptoSuite, keyBase64: randomBytes(KEY_BYTES[cryptoSuite]).toString('base64') };
}

/** A plain transport and what its program must know, of the program's side. */
async function openPath(
  program: Program,
  media: Pick<RtpTrack, 'kind' | 'codec' | 'payloadType' | 'ssrc'>,
  isSender: boolean,
): Promise<Path> {
  const { suite } = program;
  const comedia = isSender && program.program === 'ffmpeg';
  // GStreamer takes RTP and RTCP apart on one port where it has SRTP, ffmpeg nowhere.
  const rtcpMux = program.program === 'gstreamer' && (isSender || suite !== undefined);
  const [localPort, localRtcpPort] = await freePortPair();
  const sendKey = keyOf(suite);
  const transport = await router.createPlainTransport({
    listenInfo,
    comedia,
    rtcpMux,
    ...(suite === undefined ? {} : { enableSrtp: true, srtpCryptoSuite: suite }),
  });
  if (!comedia || sendKey !== undefined) {
    await transport.connect({
      ...(comedia ? {} : { ip: IP, port: localPort }),
      ...(comedia || rtcpMux ? {} : { rtcpPort: localRtcpPort }),
      ...(sendKey === undefined ? {} : { srtpParameters: sendKey }),
    });
  }
  const { tuple, rtcpTuple, srtpParameters } = transport;
  const track: RtpTrack = {
    ...media,
    localPort,
    ...(rtcpMux ? {} : { localRtcpPort }),
    port: tuple.localPort,
    rtcpPort: rtcpTuple?.localPort ?? tuple.localPort,
    ...(sendKey === undefined ? {} : { sendKey }),
    ...(srtpParameters === undefined ? {} : { receiveKey: srtpParameters }),
  };
  return { transport, track };
}

/** The tracks of a program that sends, with a producer for each. */
async function openSender(
  program: Program,
  codec: VideoCodec,
): Promise<readonly (Path & { readonly producer: Producer })[]> {
  return Promise.all(
    (['video', 'audio'] as const).map(async (kind) => {
      const isVideo = kind === 'video';
      const media = { kind, codec: isVideo ? codec : 'opus', payloadType: isVideo ? 101 : 100 } as const;
      const ssrc = 1 + Math.floor(Math.random() * 0x7fff_fffe);
      const path = await openPath(program, { ...media, ssrc }, true);
      const producer = await path.transport.produce({
        kind,
        rtpParameters: { codecs: [codecOf(media.codec, media.payloadType)], encodings: [{ ssrc }] },
      });
      return { ...path, producer };
    }),
  );
}

function codecOf(codec: RtpTrack['codec'], payloadType: number): RtpCodecParameters {
  if (codec === 'opus') return { mimeType: 'audio/opus', payloadType, clockRate: 48_000, channels: 2 };
  const rtcpFeedback = [{ type: 'nack', parameter: 'pli' }];
  const parameters = codec === 'H264' ? { 'packetization-mode': 1, 'profile-level-id': '42e01f' } : {};
  return { mimeType: `video/${codec}`, payloadType, clockRate: 90_000, parameters, rtcpFeedback };
}

/** The tracks of a program that receives, with a consumer for each. */
async function openReceiver(
  program: Program,
  sources: readonly { readonly producer: Producer; readonly track: RtpTrack }[],
): Promise<readonly (Path & { readonly consumer: Consumer })[]> {
  return Promise.all(
    sources.map(async ({ producer, track: { kind, codec } }) => {
      // Its consumer says which SSRC and payload type there will be.
      const path = await openPath(program, { kind, codec, payloadType: 0, ssrc: 0 }, false);
      const consumer = await path.transport.consume({
        producerId: producer.id,
        rtpCapabilities: router.rtpCapabilities,
        paused: true,
      });
      const { codecs, encodings } = consumer.rtpParameters;
      const track = { ...path.track, payloadType: codecs[0]!.payloadType, ssrc: encodings![0]!.ssrc! };
      return { transport: path.transport, track, consumer };
    }),
  );
}

/** Frames of a file by their digests, parameter sets and messages of H.264 aside. */
async function framesOf(file: string, kind: 'video' | 'audio', codec: VideoCodec): Promise<readonly CodedUnit[]> {
  const filter =
    kind === 'video' && codec === 'H264' ? words('-bsf:v h264_mp4toannexb,filter_units=remove_types=6-9') : [];
  const { stdout } = await PeerProcess.start({
    program: 'ffmpeg',
    args: [
      ...words('-v error -nostdin -copyts -i'),
      file,
      ...words(`-map 0:${kind[0]} -c copy`),
      ...filter,
      ...words('-f framemd5 -'),
    ],
    timeoutMs: 30_000,
  }).succeeded();
  const [, numerator, denominator] = /#tb 0: (\d+)\/(\d+)/.exec(stdout)!;
  const toMs = (ticks: string): number => (Number(ticks) * 1000 * Number(numerator)) / Number(denominator);
  return stdout
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => {
      const [, dts, pts, , size, digest] = line.split(',').map((field) => field.trim());
      return { dtsMs: toMs(dts!), ptsMs: toMs(pts!), isKeyFrame: false, sizeBytes: Number(size), digest: digest! };
    });
}

/** How much later the newest frames are than those of the source, by their times. */
function latenessMs(received: readonly CodedUnit[], sent: readonly CodedUnit[]): number {
  const late = received.slice(-20).map((unit) => unit.ptsMs - sent.find(({ digest }) => digest === unit.digest)!.ptsMs);
  return late.reduce((sum, one) => sum + one, 0) / late.length;
}

/** Waits until nothing more is written to a file. */
async function whenQuiet(file: string): Promise<void> {
  for (let [last, same] = [-1, 0]; same < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { size } = await stat(file);
    same = size === last ? same + 1 : 0;
    last = size;
  }
}

/** From one program to another. @returns the file the other has written */
async function play(codec: VideoCodec, from: Program, to: Program, name: string): Promise<string> {
  const sources = await openSender(from, codec);
  const sinks = await openReceiver(to, sources);
  const tracks = sinks.map(({ track }) => track);
  const file = stage.path(`${name}.mkv`);
  const isFfmpeg = to.program === 'ffmpeg';
  const description = stage.path(`${name}.sdp`);
  await writeFile(description, sdpOf(tracks));
  const receiver = stage.run(isFfmpeg ? ffmpegRtpReceiver(description, file) : gstRtpReceiver(tracks, file));
  await Promise.all(tracks.map(({ localPort }) => whenBound(localPort)));
  await Promise.all(sinks.map(({ consumer }) => consumer.resume()));
  const source = stage.path(`${codec}.mkv`);
  const sent = sources.map(({ track }) => track);
  await stage.run(from.program === 'ffmpeg' ? ffmpegRtpSender(source, sent) : gstRtpSender(source, sent)).succeeded();
  for (const { producer, transport } of sources) {
    const [stats] = await producer.getStats();
    expect(stats).toMatchObject({ type: 'inbound-rtp', packetsLost: 0, score: 10 });
    expect(transport.tuple.remotePort).toBeGreaterThan(0);
  }
  if (!isFfmpeg) {
    await whenQuiet(file);
    receiver.kill('SIGTERM');
  }
  // It takes reports for a sign of life.
  for (const { transport } of [...sources, ...sinks]) transport.close();
  await receiver.succeeded();
  return file;
}

const ffmpeg = (suite?: SrtpSuite): Program => ({ program: 'ffmpeg', ...(suite === undefined ? {} : { suite }) });
const gstreamer = (suite?: SrtpSuite): Program => ({ program: 'gstreamer', ...(suite === undefined ? {} : { suite }) });

describe.concurrent('every frame comes as it was, and sound and picture together', () => {
  it.each<[VideoCodec, Program, Program]>([
    ['VP8', ffmpeg(), ffmpeg()],
    ['H264', gstreamer(), ffmpeg()],
    ['VP8', gstreamer('AEAD_AES_256_GCM'), ffmpeg('AES_CM_128_HMAC_SHA1_80')],
    ['VP8', gstreamer('AEAD_AES_128_GCM'), ffmpeg('AES_CM_128_HMAC_SHA1_32')],
    ['H264', ffmpeg(), gstreamer()],
    ['VP8', ffmpeg('AES_CM_128_HMAC_SHA1_80'), gstreamer('AEAD_AES_128_GCM')],
    ['H264', ffmpeg('AES_CM_128_HMAC_SHA1_32'), gstreamer('AES_CM_128_HMAC_SHA1_32')],
    ['H264', gstreamer('AES_CM_128_HMAC_SHA1_80'), gstreamer('AEAD_AES_256_GCM')],
  ])('%s from %o to %o', async (codec, from, to) => {
    const name = [codec, from.program, from.suite, to.program, to.suite].join('-');
    const file = await play(codec, from, to, name);
    const source = stage.path(`${codec}.mkv`);
    const [video, audio] = await Promise.all(
      (['video', 'audio'] as const).map(async (kind) => {
        const [received, sent] = [await framesOf(file, kind, codec), await framesOf(source, kind, codec)];
        const atLeast = kind === 'video' ? SECONDS * 25 : SOUND_SECONDS * 50;
        expectRun(received, sent, { atLeast, times: 'none', backMs: 2000 });
        return latenessMs(received, sent);
      }),
    );
    expect(Math.abs(video! - audio!), `pictures by ${video} ms, sound by ${audio} ms`).toBeLessThan(80);
  });
});

describe.concurrent('a key frame is made for who asks', () => {
  it.each(['H264', 'VP8'] as const)('by GStreamer, of %s', async (codec) => {
    const program = gstreamer();
    const media = { kind: 'video', codec, payloadType: 101, ssrc: 4321 } as const;
    const { transport, track } = await openPath(program, media, true);
    const producer = await transport.produce({
      kind: 'video',
      rtpParameters: { codecs: [codecOf(codec, 101)], encodings: [{ ssrc: 4321 }] },
    });
    await producer.enableTraceEvent(['keyframe', 'pli']);
    const keyFrames = new Set<number>();
    let requests = 0;
    let onKeyFrame: (() => void) | undefined;
    producer.on('trace', ({ type, info }) => {
      if (type !== 'keyframe') {
        requests++;
        return;
      }
      // It may be of several packets.
      const { timestamp } = (info as { readonly rtpPacket: { readonly timestamp: number } }).rtpPacket;
      if (keyFrames.has(timestamp)) return;
      keyFrames.add(timestamp);
      onKeyFrame?.();
    });
    const nextKeyFrame = (): Promise<void> =>
      new Promise((resolve) => {
        onKeyFrame = resolve;
      });
    const first = nextKeyFrame();
    stage.run(gstLiveSender(track));
    await first;
    const viewer = await router.createDirectTransport();
    const { rtpCapabilities } = router;
    // One is asked for as the viewer comes, and one more as it wants.
    const second = nextKeyFrame();
    const consumer = await viewer.consume({ producerId: producer.id, rtpCapabilities });
    await second;
    const third = nextKeyFrame();
    await consumer.requestKeyFrame();
    await third;
    // The encoder makes none by itself, so there is one for each request, and the first.
    expect(keyFrames.size).toBe(1 + requests);
    transport.close();
    viewer.close();
  });
});
