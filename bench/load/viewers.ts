import { connect, type Socket } from 'node:net';
import { type Clip, readClip } from './clip.ts';
import { monotonicUs } from './clock.ts';
import { FlvScanner } from './flv-scanner.ts';
import { hasStamp, STAMP_END, stampNumber, stampTimeUs } from './frame-stamp.ts';
import { type Percentiles, TimeHistogram } from './histogram.ts';
import { HttpBodyScanner } from './http-body-scanner.ts';
import type { MessageSink } from './message-sink.ts';
import { type LoadCommand, report, type ViewersResult, type ViewersSettings } from './protocol.ts';
import { RtmpClient } from './rtmp-client.ts';
import { RtspClient } from './rtsp-client.ts';

const JOIN_TIMEOUT_MS = 30_000;
/** RTSP sessions end by default after 60 s without a request. */
const KEEP_ALIVE_MS = 25_000;
/** A video frame is due every 40 ms and an audio frame every 23: a step of twice that is a hole. */
const MAX_VIDEO_STEP_MS = 80;
const MAX_AUDIO_STEP_MS = 47;
/** All sockets read into this one buffer: it is done with when the read callback returns. */
const readBuffer = new Uint8Array(65_536);

const settings = JSON.parse(process.argv[2] ?? '{}') as ViewersSettings;
const clip: Clip = readClip(settings.clipPath);
/** Audio payload that goes with one video frame, on average. */
const audioBytesPerFrame = clip.audio.reduce((sum, body) => sum + body.length, 0) / clip.video.length;
const viewers: Viewer[] = [];
const join = new TimeHistogram();
let latency = new TimeHistogram();
let measuring = false;
let windowStartUs = 0;
let nowUs = 0;
let joined = 0;
let closed = 0;
let failure: string | undefined;
let leaving = false;

/** One viewer: a connection, its scanner, and what it has seen. */
class Viewer implements MessageSink {
  gaps = 0;
  /** Frame numbers and payload from the first video frame in the window on. */
  firstFrame = -1;
  lastFrame = -1;
  payloadBytes = 0;
  #rtspClient: RtspClient | undefined;
  #packetsBefore = 0;
  #lostBefore = 0;
  readonly #startUs: number;
  readonly #socket: Socket;
  readonly #push: (bytes: Uint8Array, start: number, end: number) => void;
  #joined = false;
  #frameNumber = -1;
  #videoTimeMs = -1;
  #audioTimeMs = -1;

  constructor() {
    this.#startUs = monotonicUs();
    const { protocol } = settings;
    this.#push = protocol === 'rtmp' ? this.#rtmp() : protocol === 'http-flv' ? this.#http() : this.#rtsp();
    this.#socket = connect({
      host: settings.host,
      port: settings.port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (size) => {
          nowUs = monotonicUs();
          this.#push(readBuffer, 0, size);
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('close', () => {
      if (leaving) return;
      closed++;
      this.#fail('the server closed the connection');
    });
  }

  #rtmp(): (bytes: Uint8Array, start: number, end: number) => void {
    const slash = settings.path.indexOf('/');
    const [app, name] = [settings.path.slice(0, slash), settings.path.slice(slash + 1)];
    const { host, port } = settings;
    const client = new RtmpClient(
      { mode: 'play', host, port, app, name, chunkSize: 128 },
      {
        send: (bytes) => this.#socket.write(bytes),
        started: () => undefined,
        failed: (reason) => this.#fail(reason),
        media: this,
      },
    );
    queueMicrotask(() => this.#socket.once('connect', () => client.start()));
    return (bytes, start, end) => client.push(bytes, start, end);
  }

  #http(): (bytes: Uint8Array, start: number, end: number) => void {
    const flv = new FlvScanner(this);
    const http = new HttpBodyScanner((bytes, start, end) => flv.push(bytes, start, end));
    const { host, port, path } = settings;
    queueMicrotask(() =>
      this.#socket.once('connect', () => {
        this.#socket.write(`GET /${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n`);
      }),
    );
    return (bytes, start, end) => {
      http.push(bytes, start, end);
      if (http.status !== undefined && http.status !== 200) this.#fail(`HTTP status ${http.status}`);
    };
  }

  #rtsp(): (bytes: Uint8Array, start: number, end: number) => void {
    const { host, port, path, protocol } = settings;
    const client = new RtspClient(
      { host, port, path, udp: protocol === 'rtsp-udp' },
      {
        send: (text) => this.#socket.write(text),
        failed: (reason) => this.#fail(reason),
        arrived: () => {
          nowUs = monotonicUs();
        },
        media: this,
      },
    );
    this.#rtspClient = client;
    queueMicrotask(() => this.#socket.once('connect', () => client.start()));
    const timer = setInterval(() => client.keepAlive(), KEEP_ALIVE_MS);
    queueMicrotask(() => this.#socket.once('close', () => clearInterval(timer)));
    return (bytes, start, end) => client.push(bytes, start, end);
  }

  #fail(reason: string): void {
    if (!leaving) failure ??= reason;
  }

  message(type: number, timestampMs: number, sizeBytes: number, head: Uint8Array): void {
    if (type === 8) {
      if (this.firstFrame >= 0) this.payloadBytes += sizeBytes;
      if (head[1] === 0) return;
      const step = timestampMs - this.#audioTimeMs;
      if (this.#audioTimeMs >= 0 && (step <= 0 || step > MAX_AUDIO_STEP_MS)) this.gaps++;
      this.#audioTimeMs = timestampMs;
    } else if (type === 9 && head[1] === 1 && head.length >= STAMP_END && hasStamp(head)) {
      this.#videoFrame(timestampMs, sizeBytes, head);
    }
  }

  #videoFrame(timestampMs: number, sizeBytes: number, head: Uint8Array): void {
    const frameNumber = stampNumber(head);
    if (this.#frameNumber >= 0) {
      const step = timestampMs - this.#videoTimeMs;
      if (frameNumber !== this.#frameNumber + 1 || step <= 0 || step > MAX_VIDEO_STEP_MS) this.gaps++;
    }
    this.#frameNumber = frameNumber;
    this.#videoTimeMs = timestampMs;
    if (measuring) {
      latency.add(nowUs - stampTimeUs(head));
      if (this.firstFrame < 0) this.firstFrame = frameNumber;
      this.lastFrame = frameNumber;
      this.payloadBytes += sizeBytes;
    }
    if (!this.#joined && head[0]! >> 4 === 1) {
      this.#joined = true;
      join.add(nowUs - this.#startUs);
      joined++;
      if (joined === settings.count) report({ type: 'ready' });
    }
  }

  /** The measured window begins. */
  begin(): void {
    this.payloadBytes = 0;
    this.firstFrame = -1;
    this.gaps = 0;
    this.#packetsBefore = this.#rtspClient?.packets ?? 0;
    this.#lostBefore = this.#rtspClient?.lost ?? 0;
  }

  /** RTP packets since the window began. */
  get packets(): number {
    return (this.#rtspClient?.packets ?? 0) - this.#packetsBefore;
  }

  get lostPackets(): number {
    return (this.#rtspClient?.lost ?? 0) - this.#lostBefore;
  }

  get frames(): number {
    return this.firstFrame < 0 ? 0 : this.lastFrame - this.firstFrame + 1;
  }

  /** Received payload as share of what was sent in the frames this viewer got. */
  payloadShare(): number {
    let sent = this.frames * audioBytesPerFrame;
    for (let i = this.firstFrame; i >= 0 && i <= this.lastFrame; i++) sent += clip.video[i % clip.video.length]!.length;
    return sent === 0 ? 0 : this.payloadBytes / sent;
  }

  close(): void {
    this.#socket.destroy();
    this.#rtspClient?.close();
  }
}

function begin(): void {
  for (const viewer of viewers) viewer.begin();
  latency = new TimeHistogram();
  measuring = true;
  windowStartUs = monotonicUs();
  report({ type: 'began' });
}

function end(): void {
  measuring = false;
  const windowSeconds = (monotonicUs() - windowStartUs) / 1e6;
  const shares = viewers.map((viewer) => viewer.payloadShare());
  const payloadBytes = viewers.reduce((sum, viewer) => sum + viewer.payloadBytes, 0);
  const joinTimes: Percentiles = join.percentiles();
  const result: ViewersResult = {
    windowSeconds,
    join: joinTimes,
    latency: latency.percentiles(),
    minFrames: Math.min(...viewers.map((viewer) => viewer.frames)),
    minPayloadShare: Math.min(...shares),
    maxPayloadShare: Math.max(...shares),
    meanBitrateBps: (payloadBytes * 8) / windowSeconds / viewers.length,
    gaps: viewers.reduce((sum, viewer) => sum + viewer.gaps, 0),
    packets: viewers.reduce((sum, viewer) => sum + viewer.packets, 0),
    lostPackets: viewers.reduce((sum, viewer) => sum + viewer.lostPackets, 0),
    closed,
    failure,
  };
  report({ type: 'result', result });
}

process.on('message', (command: LoadCommand) => {
  if (command === 'begin') begin();
  else if (command === 'end') end();
  else {
    leaving = true;
    for (const viewer of viewers) viewer.close();
    process.disconnect?.();
  }
});
process.on('disconnect', () => process.exit(0));

const joinStartUs = monotonicUs();
const joinTimer = setInterval(() => {
  const due = Math.ceil(((monotonicUs() - joinStartUs) / 1e6) * settings.joinsPerSecond);
  while (viewers.length < Math.min(due, settings.count)) viewers.push(new Viewer());
  if (viewers.length === settings.count) clearInterval(joinTimer);
}, 2);
setTimeout(
  () => {
    if (joined < settings.count) report({ type: 'failed', reason: failure ?? 'no key frame came in time', joined });
  },
  JOIN_TIMEOUT_MS + (settings.count / settings.joinsPerSecond) * 1000,
).unref();
