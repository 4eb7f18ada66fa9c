import { afterAll, beforeAll, describe, it } from 'vitest';
import { writeShortClip } from '../integration/short-clip.ts';
import { type PeerCommand, words } from '../peers/peer-process.ts';
import { makeSelfSignedCertificate } from '../peers/self-signed-certificate.ts';
import { elementaryRecording } from './support/coded-unit.ts';
import { stopWhenQuiet } from './support/end-of-sending.ts';
import { expectRun } from './support/expect-run.ts';
import { readFlvFile } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { Stage, type TestServer } from './support/stage.ts';

let stage: Stage;
let server: TestServer;
let clip: string;

beforeAll(async () => {
  stage = await Stage.open();
  clip = stage.path('clip.flv');
  await writeShortClip(clip, 5000);
  const { cert, key } = await makeSelfSignedCertificate(stage.directory);
  server = await stage.server({ rtsps: { listen: '127.0.0.1:0', cert, key } });
});

afterAll(async () => {
  await stage.close();
});

/** Sends a file in real time as SRTP; the key goes as MIKEY in the description, and once more in SETUP. */
function gstreamerSrtpPublish(input: string, url: string, transport: 'tcp' | 'udp'): PeerCommand {
  return {
    program: 'gst-launch-1.0',
    args: words(
      `-q rtspclientsink name=s location=${url} protocols=${transport} profiles=savp tls-validation-flags=0 ` +
        `filesrc location=${input} ! flvdemux name=d d.video ! queue ! h264parse ! s. d.audio ! queue ! aacparse ! s.`,
    ),
    timeoutMs: 60_000,
  };
}

describe.concurrent('published by GStreamer as SRTP', () => {
  it.each(['tcp', 'udp'] as const)('every frame comes as it was, over %s', async (transport) => {
    const path = `live/${transport}`;
    const source = elementaryRecording(await readFlvFile(clip));
    const publisher = stage.run(gstreamerSrtpPublish(clip, server.rtsps(path), transport));
    await server.whenLive(path);
    const viewer = await FlvViewer.open(server.http(`${path}.flv`));
    stage.own(() => viewer.close());
    await Promise.all([stopWhenQuiet(publisher, () => viewer.content.video.length), viewer.ended]);
    const received = elementaryRecording(viewer.content);
    expectRun(received.video, source.video, { toEnd: true, times: 'none' });
    expectRun(received.audio, source.audio, { toEnd: true, times: 'none' });
  });
});
