import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BBB_CLIP } from './support/clips.ts';
import { elementaryRecording } from './support/coded-unit.ts';
import { expectRun } from './support/expect-run.ts';
import { readFlvFile } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { Stage } from './support/stage.ts';

/** Debian's own has the bindings of GStreamer. */
const SYSTEM_PYTHON = '/usr/bin/python3';
const SERVER = join(import.meta.dirname, '../peers/gst-rtsp-server.py');

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.open();
});

afterEach(async () => {
  await stage.close();
});

describe('pulled from gst-rtsp-server', () => {
  it.each([
    ['tcp', false],
    ['udp', false],
    ['auto', true],
  ] as const)('every frame comes as it was, over %s, on demand: %s', async (transport, onDemand) => {
    const source = elementaryRecording(await readFlvFile(BBB_CLIP));
    const origin = stage.run({ program: SYSTEM_PYTHON, args: [SERVER, BBB_CLIP, 'AVP'], timeoutMs: 60_000 });
    const [, port] = await origin.whenOutput(/^(\d+)\n/);
    const url = `rtsp://127.0.0.1:${port}/x`;
    const server = await stage.server({ sources: [{ name: 'copy/x', url, transport, on_demand: onDemand }] });
    if (!onDemand) await server.whenLive('copy/x');
    const viewer = await FlvViewer.open(server.http('copy/x.flv'));
    stage.own(() => viewer.close());
    await viewer.until(({ video, audio }) => video.length >= 100 && audio.length >= 150, 'four seconds had come');
    expect(server.stream('copy/x').publisher?.protocol).toBe('rtsp');
    const received = elementaryRecording(viewer.content);
    expectRun(received.video, source.video, { times: 'none' });
    expectRun(received.audio, source.audio, { times: 'none' });
  });
});
