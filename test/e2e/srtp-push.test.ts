import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ffmpegPublish, ffmpegRecord } from '../peers/ffmpeg.ts';
import { makeSelfSignedCertificate } from '../peers/self-signed-certificate.ts';
import { BBB_CLIP } from './support/clips.ts';
import { elementaryRecording } from './support/coded-unit.ts';
import { expectRun } from './support/expect-run.ts';
import { readFlvFile } from './support/flv-file.ts';
import { Stage } from './support/stage.ts';

/** Debian's own has the bindings of GStreamer. */
const SYSTEM_PYTHON = '/usr/bin/python3';
const RECORDER = join(import.meta.dirname, '../peers/gst-rtsp-recorder.py');

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.open();
});

afterEach(async () => {
  await stage.close();
});

describe('pushed to gst-rtsp-server as SRTP', () => {
  it.each(['tcp', 'udp'] as const)('every picture comes as it was, over %s', async (transport) => {
    const { cert, key } = await makeSelfSignedCertificate(stage.directory);
    const file = stage.path('recorded.264');
    const recorder = stage.run({
      program: SYSTEM_PYTHON,
      args: [RECORDER, cert, key, file],
      timeoutMs: 60_000,
    });
    const [, port] = await recorder.whenOutput(/^(\d+)\n/);
    const url = `rtsps://127.0.0.1:${port}/x`;
    const server = await stage.server({
      pushes: [{ stream: 'live/x', url, transport, insecure: true, srtp: true }],
    });
    const publisher = stage.run(ffmpegPublish({ input: BBB_CLIP, url: server.rtmp('live/x'), seconds: 7 }));
    await publisher.succeeded();
    await server.millrace.close();
    const flv = stage.path('recorded.flv');
    await stage.run(ffmpegRecord(file, flv)).succeeded();
    const source = elementaryRecording(await readFlvFile(BBB_CLIP));
    const recorded = elementaryRecording(await readFlvFile(flv));
    expect(recorded.video.length).toBeGreaterThan(150);
    expectRun(recorded.video, source.video, { times: 'none' });
  });
});
