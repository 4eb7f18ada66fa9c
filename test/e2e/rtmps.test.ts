import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpegPublish, ffmpegRecord } from '../peers/ffmpeg.ts';
import type { PeerProcess } from '../peers/peer-process.ts';
import { makeSelfSignedCertificate } from '../peers/self-signed-certificate.ts';
import { makeBFrameClip } from './support/clips.ts';
import { exactRecording } from './support/coded-unit.ts';
import { expectRecording } from './support/expect-run.ts';
import { readFlvFile } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { Stage, type TestServer } from './support/stage.ts';

describe('RTMPS with a self-signed certificate', () => {
  let stage: Stage;
  let server: TestServer;
  let publisher: PeerProcess;
  let players: Record<'rtmps' | 'rtmp', PeerProcess>;
  let plainToTls: PeerProcess;

  beforeAll(async () => {
    stage = await Stage.open();
    const { cert, key } = await makeSelfSignedCertificate(stage.directory);
    server = await stage.server({ rtmps: { listen: '127.0.0.1:0', cert, key } });
    await makeBFrameClip(stage.path('clip.flv'), 5);
    publisher = stage.run(ffmpegPublish({ input: stage.path('clip.flv'), url: server.rtmps('live/x') }));
    await server.whenLive('live/x');
    const viewer = await FlvViewer.open(server.http('live/x.flv'));
    stage.own(() => viewer.close());
    await viewer.until(({ video }) => video.length >= 30, '30 frames had come');
    players = {
      rtmps: stage.run(ffmpegRecord(server.rtmps('live/x'), stage.path('rtmps.flv'))),
      rtmp: stage.run(ffmpegRecord(server.rtmp('live/x'), stage.path('rtmp.flv'))),
    };
    const mixedUp = server.rtmps('live/y').replace('rtmps:', 'rtmp:');
    plainToTls = stage.run(ffmpegPublish({ input: stage.path('clip.flv'), url: mixedUp }));
  });

  afterAll(async () => {
    await stage.close();
  });

  it('ffmpeg publishes over it', async () => {
    await publisher.succeeded();
  });

  it.each(['rtmps', 'rtmp'] as const)('ffmpeg plays every frame of it to the last one over %s', async (scheme) => {
    await players[scheme].succeeded();
    const received = exactRecording(await readFlvFile(stage.path(`${scheme}.flv`)));
    expectRecording(received, exactRecording(await readFlvFile(stage.path('clip.flv'))), { toEnd: true });
  });

  it('a publisher without TLS on the port fails and disturbs nobody', async () => {
    await plainToTls.failed();
    expect(server.millrace.counters.rtmp?.tlsFailed).toBe(1);
  });
});
