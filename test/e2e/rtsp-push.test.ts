import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAUNCHER, NODE_OPTIONS } from '../integration/millrace-process.ts';
import { writeShortClip } from '../integration/short-clip.ts';
import { ffmpegPublish, ffmpegRecord } from '../peers/ffmpeg.ts';
import { freePort } from '../peers/free-ports.ts';
import { type PeerCommand, words } from '../peers/peer-process.ts';
import { BBB_CLIP } from './support/clips.ts';
import { elementaryRecording, type Recording } from './support/coded-unit.ts';
import { expectRun } from './support/expect-run.ts';
import { readFlvFile } from './support/flv-file.ts';
import { Stage } from './support/stage.ts';

/** Debian's own has the bindings of GStreamer. */
const SYSTEM_PYTHON = '/usr/bin/python3';
const RECORDER = join(import.meta.dirname, '../peers/gst-rtsp-recorder.py');
const SERVER = join(import.meta.dirname, '../peers/gst-rtsp-server.py');

let stage: Stage;
/** What is pushed: five seconds, 125 pictures and 215 frames of sound. */
let clip: string;

beforeAll(async () => {
  stage = await Stage.open();
  clip = stage.path('clip.flv');
  await writeShortClip(clip, 5000);
});

afterAll(async () => {
  await stage.close();
});

/** The program as a user runs it. */
function millrace(...args: readonly string[]): PeerCommand {
  return { program: process.execPath, args: [...NODE_OPTIONS, LAUNCHER, ...args], timeoutMs: 60_000 };
}

async function startRecorder(file: string): Promise<string> {
  const recorder = stage.run({ program: SYSTEM_PYTHON, args: [RECORDER, file], timeoutMs: 60_000 });
  const [, port] = await recorder.whenOutput(/^(\d+)\n/);
  return `rtsp://127.0.0.1:${port}/x`;
}

async function recordingOf(file: string): Promise<Recording> {
  return elementaryRecording(await readFlvFile(file));
}

// They wait for real time more than for anything else, so they wait together.
describe.concurrent('pushed to gst-rtsp-server', () => {
  async function expectPictures(file: string): Promise<void> {
    const flv = `${file}.flv`;
    await stage.run(ffmpegRecord(file, flv)).succeeded();
    const recorded = await recordingOf(flv);
    expect(recorded.video.length).toBeGreaterThan(80);
    expectRun(recorded.video, (await recordingOf(clip)).video, { times: 'none' });
  }

  it.each(['tcp', 'udp'] as const)('by a command every picture comes as it was, over %s', async (transport) => {
    const file = stage.path(`by-command-${transport}.264`);
    const url = await startRecorder(file);
    await stage.run(millrace('push', clip, url, '--transport', transport)).succeeded();
    await expectPictures(file);
  });

  it('by the server every picture comes as it was', async () => {
    const file = stage.path('by-server.264');
    const url = await startRecorder(file);
    const server = await stage.server({ pushes: [{ stream: 'live/*', url }] });
    await stage.run(ffmpegPublish({ input: clip, url: server.rtmp('live/x') })).succeeded();
    await server.millrace.close();
    await expectPictures(file);
  });
});

describe.concurrent('pushed to ffmpeg', () => {
  it.each(['tcp', 'udp'] as const)('every frame comes as it was, over %s', async (transport) => {
    const flv = stage.path(`ffmpeg-${transport}.flv`);
    const url = `rtsp://127.0.0.1:${await freePort()}/x`;
    const ffmpeg = stage.run({
      program: 'ffmpeg',
      args: words(`-hide_banner -nostdin -v warning -rtsp_flags listen -i ${url} -c copy ${flv}`),
      timeoutMs: 60_000,
    });
    await stage.run(millrace('push', clip, url, '--transport', transport, '--retry', '5')).succeeded();
    await ffmpeg.exit;
    const [recorded, source] = [await recordingOf(flv), await recordingOf(clip)];
    expect(recorded.video.length).toBeGreaterThan(100);
    expect(recorded.audio.length).toBeGreaterThan(170);
    expectRun(recorded.video, source.video, { times: 'none' });
    expectRun(recorded.audio, source.audio, { times: 'none' });
  });
});

describe.concurrent('pulled from gst-rtsp-server by a command', () => {
  it.each(['tcp', 'udp', 'auto'] as const)('over %s, every frame comes as it was', async (transport) => {
    const flv = stage.path(`pulled-${transport}.flv`);
    const origin = stage.run({ program: SYSTEM_PYTHON, args: [SERVER, BBB_CLIP, 'AVP'], timeoutMs: 60_000 });
    const [, port] = await origin.whenOutput(/^(\d+)\n/);
    const url = `rtsp://127.0.0.1:${port}/x`;
    await stage.run(millrace('pull', url, flv, '--duration', '4', '--transport', transport)).succeeded();
    const [recorded, source] = [await recordingOf(flv), await recordingOf(BBB_CLIP)];
    expect(recorded.video.length).toBeGreaterThan(60);
    expect(recorded.audio.length).toBeGreaterThan(100);
    expectRun(recorded.video, source.video, { times: 'none' });
    expectRun(recorded.audio, source.audio, { times: 'none' });
  });
});
