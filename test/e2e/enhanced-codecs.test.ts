import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Track } from '../../src/codec/track.ts';
import { writeVpCodecConfiguration } from '../../src/codec/vp9/vp-codec-configuration.ts';
import { ffmpegDecode, ffmpegRecord, testSignal } from '../peers/ffmpeg.ts';
import { ffprobeCommand, parseProbe } from '../peers/ffprobe.ts';
import type { PeerProcess } from '../peers/peer-process.ts';
import { make } from './support/clips.ts';
import { type CodedFile, readCodedFile } from './support/coded-file.ts';
import {
  demuxedElementaryRecording,
  elementaryRecording,
  exactRecording,
  type Recording,
} from './support/coded-unit.ts';
import { expectRecording } from './support/expect-run.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { RtmpClient } from './support/rtmp-client.ts';
import { Stage, type TestServer } from './support/stage.ts';

const SECONDS = 4;
const SIZE = '320x180';

interface EnhancedCase {
  readonly name: string;
  readonly video: readonly string[];
  readonly audio: readonly string[];
  readonly videoCodec: Track['codec'];
  readonly codecString: RegExp;
  readonly configs: Partial<Record<Track['codec'], Uint8Array>>;
}

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

const AAC = ['-c:a', 'aac', '-b:a', '64k'];
const OPUS = ['-c:a', 'libopus', '-b:a', '48k', '-ar', '48000'];

/** ffmpeg 5.1 writes none of these into FLV, so our own client publishes what it encoded, by FourCC. */
const cases: readonly EnhancedCase[] = [
  {
    name: 'HEVC with B-frames and AAC',
    video: [
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'bframes=3:keyint=25:log-level=error',
      '-tag:v',
      'hvc1',
    ],
    audio: AAC,
    videoCodec: 'h265',
    codecString: /^hvc1\./,
    configs: {},
  },
  {
    name: 'AV1 and Opus',
    video: ['-c:v', 'libsvtav1', '-preset', '12', '-g', '25', '-svtav1-params', 'lookahead=0'],
    audio: OPUS,
    videoCodec: 'av1',
    codecString: /^av01\./,
    configs: {},
  },
  {
    name: 'VP9 and AAC',
    video: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '200k', '-g', '25'],
    audio: AAC,
    videoCodec: 'vp9',
    codecString: /^vp09\./,
    configs: { vp9: VPCC },
  },
];

// They wait for real time more than for anything else, so they wait together.
describe.concurrent.each(cases)(
  '$name, published by our own client',
  ({ video, audio, videoCodec, codecString, configs }) => {
    let stage: Stage;
    let server: TestServer;
    let coded: CodedFile;
    let published: Promise<void>;
    const viewers: Partial<Record<'rtmp' | 'http' | 'ws', { content: FlvViewer['content']; ended: Promise<void> }>> =
      {};
    let tsFile: PeerProcess;
    let tsProbe: PeerProcess;

    beforeAll(async () => {
      stage = await Stage.open();
      server = await stage.server();
      const file = stage.path('clip.mp4');
      const pixels = ['-pix_fmt', 'yuv420p'];
      await make(
        [...testSignal({ size: SIZE, frameRate: 25, seconds: SECONDS }), ...video, ...pixels, ...audio, '-f', 'mp4'],
        file,
      );
      coded = await readCodedFile(file, configs);
      const publisher = new RtmpClient(server.rtmp('live/x'), 'publish');
      stage.own(() => publisher.close());
      published = publisher.publish(coded.tracks, coded.frames);
      published.catch(() => undefined);
      await server.whenLive('live/x');
      const early = await FlvViewer.open(server.http('live/x.flv'));
      stage.own(() => early.close());
      await early.until((content) => content.video.length >= 30, '30 frames had come');
      const player = new RtmpClient(server.rtmp('live/x'), 'play');
      stage.own(() => player.close());
      viewers.rtmp = player;
      viewers.http = await FlvViewer.open(server.http('live/x.flv'));
      viewers.ws = await FlvViewer.open(server.ws('live/x.flv'));
      if (videoCodec !== 'h265') return;
      tsFile = stage.run(ffmpegRecord(server.http('live/x.ts'), stage.path('x.ts'), 'mpegts'));
      tsProbe = stage.run(ffprobeCommand(server.http('live/x.ts')));
    });

    afterAll(async () => {
      await stage.close();
    });

    function source(record: typeof exactRecording): Recording {
      return record({
        video: coded.frames.filter(({ track }) => track.kind === 'video'),
        audio: coded.frames.filter(({ track }) => track.kind === 'audio'),
      });
    }

    it('is published to its end', async () => {
      await published;
    });

    it.each(['rtmp', 'http', 'ws'] as const)(
      'every frame comes from a key frame to the last one (%s)',
      async (output) => {
        const { content, ended } = viewers[output]!;
        await ended;
        const { video: run } = expectRecording(exactRecording(content), source(exactRecording), { toEnd: true });
        assert.ok(run.first > 0, 'it joined in the middle, but got the stream from its beginning');
        expect(content.videoTrack?.codec).toBe(videoCodec);
        const [videoTrack, audioTrack] = coded.tracks;
        expect(Buffer.from(content.videoTrack!.config)).toEqual(Buffer.from(videoTrack!.config));
        expect(Buffer.from(content.audioTrack!.config)).toEqual(Buffer.from(audioTrack!.config));
        expect(content.videoTrack?.video).toMatchObject({ width: 320, height: 180 });
        expect(content.videoTrack?.video?.codecString).toMatch(codecString);
      },
    );

    if (videoCodec === 'h265') {
      it('ffprobe gets every frame over HTTP-TS', async () => {
        const { streams, packets } = parseProbe((await tsProbe.succeeded()).stdout);
        expect(streams.find(({ kind }) => kind === 'video')).toMatchObject({ codec: 'hevc', width: 320, height: 180 });
        const ofKind = (kind: string): typeof packets => packets.filter((packet) => packet.kind === kind);
        const received = demuxedElementaryRecording(ofKind('video'), ofKind('audio'), 'h265');
        expectRecording(received, source(elementaryRecording), { toEnd: true, toleranceMs: 1 });
      });

      it('ffmpeg decodes HTTP-TS without an error', async () => {
        expect((await tsFile.succeeded()).stderr).toBe('');
        const { stderr } = await stage.run(ffmpegDecode(stage.path('x.ts'))).succeeded();
        expect(stderr).toBe('');
      });
    }
  },
);
