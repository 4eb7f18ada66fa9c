import { connect, type Socket } from 'node:net';
import { audioTimeMs, type Clip, readClip, videoTimeMs } from './clip.ts';
import { monotonicUs } from './clock.ts';
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

/** The chunks of every message of the clip, made once; each send copies them and fills in time and stamp. */
interface ChunkedClip {
  readonly headers: readonly Uint8Array[];
  readonly video: readonly Uint8Array[];
  readonly audio: readonly Uint8Array[];
}

/** By message stream id: servers do not give every publisher the same one. */
const chunkedClips = new Map<number, ChunkedClip>();

/** One publisher: it sends the clip in a loop, each frame when it is due. */
class Publisher {
  readonly #socket: Socket;
  readonly #client: RtmpClient;
  readonly #offsetUs: number;
  #chunked: ChunkedClip | undefined;
  #startUs = 0;
  #video = 0;
  #audio = 0;

  /** @param offsetUs how long to wait with the first frame, so that publishers do not all send in the same moment */
  constructor(name: string, offsetUs: number) {
    this.#offsetUs = offsetUs;
    const { host, port, app, chunkSize } = settings;
    this.#socket = connect({ host, port, noDelay: true });
    this.#client = new RtmpClient(
      { mode: 'publish', host, port, app, name, chunkSize },
      {
        send: (bytes) => this.#socket.write(bytes),
        started: (streamId) => this.#start(streamId),
        failed: (reason) => this.#fail(reason),
        media: { message: () => undefined },
      },
    );
    this.#socket.on('connect', () => this.#client.start());
    this.#socket.on('data', (bytes: Uint8Array) => this.#client.push(bytes, 0, bytes.length));
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('close', () => {
      if (leaving) return;
      closed++;
      this.#chunked = undefined;
      this.#fail('the server closed the connection');
    });
  }

  #fail(reason: string): void {
    if (!leaving) failure ??= reason;
  }

  #start(streamId: number): void {
    if (this.#chunked !== undefined) return;
    let chunked = chunkedClips.get(streamId);
    if (chunked === undefined) {
      chunked = this.#chunk();
      chunkedClips.set(streamId, chunked);
    }
    this.#chunked = chunked;
    for (const header of chunked.headers) this.#socket.write(header);
    this.#startUs = monotonicUs() + this.#offsetUs;
    started++;
    if (started === settings.names.length) report({ type: 'ready' });
  }

  #chunk(): ChunkedClip {
    const client = this.#client;
    const headers = [client.mediaMessage(9, clip.videoHeader), client.mediaMessage(8, clip.audioHeader)];
    if (clip.metadata !== undefined) {
      headers.unshift(client.mediaMessage(18, Uint8Array.from([...SET_DATA_FRAME, ...clip.metadata])));
    }
    return {
      headers,
      video: clip.video.map((body) => client.mediaMessage(9, body)),
      audio: clip.audio.map((body) => client.mediaMessage(8, body)),
    };
  }

  /** Sends what is due. */
  tick(nowUs: number): void {
    const chunked = this.#chunked;
    if (chunked === undefined) return;
    const elapsedMs = (nowUs - this.#startUs) / 1000;
    for (;;) {
      const videoMs = videoTimeMs(this.#video);
      const audioMs = audioTimeMs(this.#audio);
      const dueMs = Math.min(videoMs, audioMs);
      if (dueMs > elapsedMs) return;
      if (videoMs <= audioMs) {
        const chunks = chunked.video[this.#video % chunked.video.length]!.slice();
        const sendUs = monotonicUs();
        writeStamp(chunks, PAYLOAD_OFFSET, this.#video, sendUs);
        this.#send(chunks, videoMs);
        lateness.add(sendUs - this.#startUs - videoMs * 1000);
        this.#video++;
      } else {
        this.#send(chunked.audio[this.#audio % chunked.audio.length]!.slice(), audioMs);
        this.#audio++;
      }
    }
  }

  #send(chunks: Uint8Array, timestampMs: number): void {
    writeTimestamp(chunks, timestampMs);
    this.#socket.write(chunks);
    framesSent++;
    const waiting = this.#socket.writableLength;
    if (waiting > maxBufferedBytes) maxBufferedBytes = waiting;
  }

  close(): void {
    this.#socket.destroy();
  }
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
const publishers = settings.names.map((name, i) => new Publisher(name, (i / settings.names.length) * frameUs));
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
