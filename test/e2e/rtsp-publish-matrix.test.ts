import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { joinAnnexB, splitLengthPrefixed } from '../../src/codec/nal-unit.ts';
import type { Stream } from '../../src/media/stream.ts';
import { words } from '../peers/peer-process.ts';
import { makeSelfSignedCertificate } from '../peers/self-signed-certificate.ts';
import { type ClipSource, makeClipSource } from './support/clip-source.ts';
import { endOfSending } from './support/end-of-sending.ts';
import { CLIPS, type Clip, type ClipTrack } from './support/rtsp-clips.ts';
import { expectTracks } from './support/rtsp-matrix.ts';
import { CLIP_PUBLISHERS, type ClipPublisher } from './support/rtsp-matrix-publishers.ts';
import { Stage, type TestServer } from './support/stage.ts';

/** Clips sent at a time, each by all of its publishers. */
const LANES = 3;

let stage: Stage;
let server: TestServer;
const runs = new Map<Clip, Promise<readonly (readonly [ClipPublisher, Promise<void>])[]>>();

function sendersOf(clip: Clip): ClipPublisher[] {
  return CLIP_PUBLISHERS.filter(({ program }) => program !== clip.notSentBy);
}

/** The normalised bytes of what the server holds of a stream. */
function receivedOf(stream: Stream, clip: Clip): Map<ClipTrack['kind'], Uint8Array> {
  const payloads = { video: [] as Uint8Array[], audio: [] as Uint8Array[] };
  for (let i = stream.log.first; i < stream.log.head; i++) {
    const { track, payload } = stream.log.at(i)!;
    if (track.kind === 'data') continue;
    const hasLengths = track.codec === 'h264' || track.codec === 'h265';
    payloads[track.kind].push(hasLengths ? joinAnnexB(splitLengthPrefixed(payload, 4)) : payload.slice());
  }
  return new Map(clip.tracks.map(({ kind, normalise }) => [kind, normalise(Buffer.concat(payloads[kind]))]));
}

/** GStreamer leaves out a first frame of sound whose time lies before 0. */
const GSTREAMER_LATENESS = 0.03;
const WHOLE_TIMEOUT_MS = 15_000;

async function publish(source: ClipSource, publisher: ClipPublisher, path: string): Promise<void> {
  const stream = server.stream(path);
  const program = stage.run(publisher.command(source, publisher.url(server, path)));
  await server.whenLive(path);
  if (publisher.program === 'ffmpeg') {
    await program.succeeded();
    // Not expect.poll: it belongs to the test that runs at the moment, and there may be none.
    await vi.waitFor(() => expect(stream.state).toBe('grace'), { timeout: WHOLE_TIMEOUT_MS });
    expectTracks(receivedOf(stream, source.clip), source, 0);
    return;
  }
  // Not every time rtspclientsink finds the end of what it has sent.
  await vi.waitFor(() => expectTracks(receivedOf(stream, source.clip), source, GSTREAMER_LATENESS), {
    timeout: WHOLE_TIMEOUT_MS,
    interval: 200,
  });
  await program.stop();
}

beforeAll(async () => {
  stage = await Stage.open();
  const { cert, key } = await makeSelfSignedCertificate(stage.directory);
  server = await stage.server({
    rtsps: { listen: '127.0.0.1:0', cert, key },
    play: { log_seconds: 60 },
    // The log stays to be read.
    publish: { grace: 60, grace_after_unpublish: true },
  });
  const settle = new Map<Clip, (run: Promise<readonly (readonly [ClipPublisher, Promise<void>])[]>) => void>();
  for (const clip of CLIPS) runs.set(clip, new Promise((resolve) => settle.set(clip, resolve)));
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < CLIPS.length) {
      const number = next++;
      const clip = CLIPS[number]!;
      const run = makeClipSource(stage, clip, `clip-${number}`).then((source) =>
        sendersOf(clip).map((sender, i) => [sender, publish(source, sender, `live/clip-${number}-${i}`)] as const),
      );
      settle.get(clip)!(run);
      await run.then((sent) => Promise.allSettled(sent.map(([, sending]) => sending))).catch(() => undefined);
    }
  };
  for (let i = 0; i < LANES; i++) void lane();
});

afterAll(async () => {
  await stage.close();
});

describe.each(CLIPS)('$name', (clip) => {
  it.each(sendersOf(clip))('sent by $name comes whole', async (sender) => {
    const sent = await runs.get(clip)!;
    await sent.find(([one]) => one === sender)![1];
  });
});

describe.concurrent('by GStreamer', () => {
  it.each(['tcp', 'udp'] as const)('a transport stream over %s is taken apart', async (transport) => {
    const source = await makeClipSource(stage, CLIPS[0]!, `ts-${transport}`);
    const file = stage.path(`${transport}.ts`);
    await stage
      .run({
        program: 'ffmpeg',
        args: words(`-v error -nostdin -y -i ${source.file} -map 0 -c copy ${file}`),
        timeoutMs: 20_000,
      })
      .succeeded();
    const path = `live/mp2t-${transport}`;
    const stream = server.stream(path);
    const pipeline = `filesrc location=${file} ! tsparse set-timestamps=true ! s.`;
    const program = stage.run({
      program: 'gst-launch-1.0',
      args: words(`-q rtspclientsink name=s location=${server.rtsp(path)} protocols=${transport} ${pipeline}`),
      timeoutMs: 60_000,
    });
    await server.whenLive(path);
    await endOfSending(program, () => stream.log.head);
    // The last picture ends with the stream.
    await program.stop();
    await vi.waitFor(() => expectTracks(receivedOf(stream, source.clip), source, 0), { timeout: WHOLE_TIMEOUT_MS });
  });

  it('AAC of its own encoder, with the configuration it makes, keeps its sound', async () => {
    const path = 'live/avenc-aac';
    const stream = server.stream(path);
    const program = stage.run({
      program: 'gst-launch-1.0',
      args: words(
        `-q rtspclientsink name=s location=${server.rtsp(path)} protocols=tcp videotestsrc is-live=true num-buffers=45 ! video/x-raw,format=I420,width=160,height=120,framerate=15/1 ! x264enc tune=zerolatency key-int-max=15 ! h264parse ! s. audiotestsrc is-live=true num-buffers=130 ! audioconvert ! audioresample ! avenc_aac ! aacparse ! s.`,
      ),
      timeoutMs: 60_000,
    });
    await server.whenLive(path);
    const soundOf = (): number => receivedOf(stream, CLIPS[0]!).get('audio')!.length;
    await vi.waitFor(() => expect(soundOf()).toBeGreaterThan(5000), { timeout: 10_000 });
    expect(stream.log.header.tracks.map(({ codec }) => codec).toSorted()).toEqual(['aac', 'h264']);
    await program.stop();
  });
});
