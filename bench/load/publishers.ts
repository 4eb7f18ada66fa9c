import { connect, createServer, type Socket } from 'node:net';
import { audioTimeMs, type Clip, readClip, videoTimeMs } from './clip.ts';
import { monotonicUs } from './clock.ts';
import { FLV_FILE_HEADER, flvTag, TAG_BODY_OFFSET, writeTagTimestamp } from './flv-tags.ts';
import { writeStamp } from './frame-stamp.ts';
import { TimeHistogram } from './histogram.ts';
import { type LoadCommand, type PublishersResult, type PublishersSettings, report } from './protocol.ts';
import { RtmpClient } from './rtmp-client.ts';
import { PAYLOAD_OFFSET, writeTimestamp } from './rtmp-messages.ts';

const TICK_MS = 1;
const START_TIMEOUT_MS = 20_000;
/** AMF0 string put in front of the metadata of a published stream. */
const SET_DATA_FRAME = Uint8Array.from([2, 0, 13, ...new TextEncoder().encode('@setDataFrame')]);

const settings = JSON.parse(process.argv[2] ?? '{}') as PublishersSettings;
const clip: Clip = readClip(settings.clipPath);
let lateness = new TimeHistogram();
let windowStartUs = 0;
let framesSent = 0;
let maxBufferedBytes = 0;
let started = 0;
let closed = 0;
let failure: string | undefined;
let leaving = false;

/** Every message of the clip as it goes over the wire, made once; each send copies one and fills in time and stamp. */
interface FramedClip {
  readonly headers: readonly Uint8Array[];
  readonly video: readonly Uint8Array[];
  readonly audio: readonly Uint8Array[];
  /** Where the body of a message starts. */
  readonly bodyOffset: number;
  writeTime(message: Uint8Array, timestampMs: number): void;
}

/** By message stream id: servers do not give every publisher the same one. */
const chunkedClips = new Map<number, FramedClip>();

function chunkClip(client: RtmpClient): FramedClip {
  const headers = [client.mediaMessage(9, clip.videoHeader), client.mediaMessage(8, clip.audioHeader)];
  if (clip.metadata !== undefined) {
    headers.unshift(client.mediaMessage(18, Uint8Array.from([...SET_DATA_FRAME, ...clip.metadata])));
  }
  return {
    headers,
    video: clip.video.map((body) => client.mediaMessage(9, body)),
    audio: clip.audio.map((body) => client.mediaMessage(8, body)),
    bodyOffset: PAYLOAD_OFFSET,
    writeTime: writeTimestamp,
  };
}

function tagClip(): FramedClip {
  const headers = [FLV_FILE_HEADER, flvTag(9, clip.videoHeader), flvTag(8, clip.audioHeader)];
  if (clip.metadata !== undefined) headers.splice(1, 0, flvTag(18, clip.metadata));
  return {
    headers,
    video: clip.video.map((body) => flvTag(9, body)),
    audio: clip.audio.map((body) => flvTag(8, body)),
    bodyOffset: TAG_BODY_OFFSET,
    writeTime: writeTagTimestamp,
  };
}

function fail(reason: string): void {
  if (!leaving) failure ??= reason;
}

/** One publisher: it sends the clip in a loop, each frame when it is due. */
class Publisher {
  readonly #socket: Socket;
  #framed: FramedClip | undefined;
  #startUs = 0;
  #video = 0;
  #audio = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => {
      if (leaving) return;
      closed++;
      this.#framed = undefined;
      fail('the server closed the connection');
    });
  }

  get started(): boolean {
    return this.#startUs > 0;
  }

  /** @param offsetUs how long to wait with the first frame, so that publishers do not all send in the same moment */
  start(framed: FramedClip, offsetUs: number): void {
    this.#framed = framed;
    for (const header of framed.headers) this.#socket.write(header);
    this.#startUs = monotonicUs() + offsetUs;
  }

  /** Sends what is due. */
  tick(nowUs: number): void {
    const framed = this.#framed;
    if (framed === undefined) return;
    const elapsedMs = (nowUs - this.#startUs) / 1000;
    for (;;) {
      const videoMs = videoTimeMs(this.#video);
      const audioMs = audioTimeMs(this.#audio);
      const dueMs = Math.min(videoMs, audioMs);
      if (dueMs > elapsedMs) return;
      if (videoMs <= audioMs) {
        const message = framed.video[this.#video % framed.video.length]!.slice();
        const sendUs = monotonicUs();
        writeStamp(message, framed.bodyOffset, this.#video, sendUs);
        this.#send(framed, message, videoMs);
        lateness.add(sendUs - this.#startUs - videoMs * 1000);
        this.#video++;
      } else {
        this.#send(framed, framed.audio[this.#audio % framed.audio.length]!.slice(), audioMs);
        this.#audio++;
      }
    }
  }

  #send(framed: FramedClip, message: Uint8Array, timestampMs: number): void {
    framed.writeTime(message, timestampMs);
    this.#socket.write(message);
    framesSent++;
    const waiting = this.#socket.writableLength;
    if (waiting > maxBufferedBytes) maxBufferedBytes = waiting;
  }

  close(): void {
    this.#socket.destroy();
  }
}

const publishers: Publisher[] = [];

/** Connects to the server and publishes over RTMP. */
function publishRtmp(name: string, offsetUs: number): void {
  const { host, port, app, chunkSize } = settings;
  const socket = connect({ host, port, noDelay: true });
  const publisher = new Publisher(socket);
  publishers.push(publisher);
  const client = new RtmpClient(
    { mode: 'publish', host, port, app, name, chunkSize },
    {
      send: (bytes) => socket.write(bytes),
      started: (streamId) => {
        const framed = chunkedClips.get(streamId) ?? chunkClip(client);
        chunkedClips.set(streamId, framed);
        if (publisher.started) return;
        publisher.start(framed, offsetUs);
        started++;
        if (started === settings.names.length) report({ type: 'ready' });
      },
      failed: fail,
      media: { message: () => undefined },
    },
  );
  socket.on('connect', () => client.start());
  socket.on('data', (bytes: Uint8Array) => client.push(bytes, 0, bytes.length));
}

/** Offers the clip as an FLV byte stream to a server that comes for it, as gst-rtsp-server does for its first viewer. */
function offerFlv(): void {
  const framed = tagClip();
  const listener = createServer({ noDelay: true }, (socket) => {
    const publisher = new Publisher(socket);
    publishers.push(publisher);
    socket.resume();
    publisher.start(framed, 0);
  });
  listener.on('error', (error) => fail(error.message));
  listener.listen(settings.port, settings.host, () => {
    started = settings.names.length;
    report({ type: 'ready' });
  });
}

function begin(): void {
  lateness = new TimeHistogram();
  framesSent = 0;
  maxBufferedBytes = 0;
  windowStartUs = monotonicUs();
  report({ type: 'began' });
}

function end(): void {
  const windowSeconds = (monotonicUs() - windowStartUs) / 1e6;
  const result: PublishersResult = {
    windowSeconds,
    framesSent,
    closed,
    maxBufferedBytes,
    lateness: lateness.percentiles(),
    failure,
  };
  report({ type: 'result', result });
}

const frameUs = 1e6 / 25;
if (settings.form === 'flv') offerFlv();
else for (const [i, name] of settings.names.entries()) publishRtmp(name, (i / settings.names.length) * frameUs);
setInterval(() => {
  const nowUs = monotonicUs();
  for (const publisher of publishers) publisher.tick(nowUs);
}, TICK_MS);
setTimeout(() => {
  if (started < settings.names.length) {
    report({ type: 'failed', reason: failure ?? 'publishing was not accepted in time', joined: started });
  }
}, START_TIMEOUT_MS).unref();

process.on('message', (command: LoadCommand) => {
  if (command === 'begin') begin();
  else if (command === 'end') end();
  else {
    leaving = true;
    for (const publisher of publishers) publisher.close();
    process.disconnect?.();
  }
});
process.on('disconnect', () => process.exit(0));
