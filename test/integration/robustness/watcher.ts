import { connect, type Socket } from 'node:net';
import { monotonicUs } from '../../../bench/load/clock.ts';
import { FlvScanner } from '../../../bench/load/flv-scanner.ts';
import { hasStamp, STAMP_END, stampNumber, stampTimeUs } from '../../../bench/load/frame-stamp.ts';
import { HttpBodyScanner } from '../../../bench/load/http-body-scanner.ts';
import type { MessageSink } from '../../../bench/load/message-sink.ts';
import { RtmpClient } from '../../../bench/load/rtmp-client.ts';
import { WebSocketScanner } from './web-socket-scanner.ts';

export type WatchProtocol = 'http' | 'ws' | 'rtmp';

export interface WatcherOptions {
  readonly protocol: WatchProtocol;
  readonly port: number;
  /** `app/stream`. */
  readonly path: string;
  /** Put behind the path of HTTP and WebSocket viewers. */
  readonly query?: string;
  /** Told about every stamped frame, microseconds from its sending to its arrival. */
  readonly onLatency?: (latencyUs: number) => void;
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1');
const SCANNED_AT_ONCE_BYTES = 65_536;

/** A viewer that checks the numbers of the frames it gets, and can stop reading or read slowly. */
export class Watcher implements MessageSink {
  readonly socket: Socket;
  /** Frames received. */
  frames = 0;
  keyFrames = 0;
  lastFrame = -1;
  /** Times a frame was not the one after the one before. */
  gaps = 0;
  /** Gaps behind which something else than a key frame came. */
  brokenGaps = 0;
  closed = false;
  /** An HTTP body came to its end by the book. */
  ended = false;
  failure: string | undefined;
  readonly #push: (bytes: Uint8Array, start: number, end: number) => void;
  readonly #onLatency: ((latencyUs: number) => void) | undefined;
  #nowUs = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #resumeTimer: NodeJS.Timeout | undefined;

  constructor(options: WatcherOptions) {
    this.#onLatency = options.onLatency;
    this.socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true });
    this.#push = options.protocol === 'rtmp' ? this.#rtmp(options) : this.#http(options);
    this.socket.on('data', (bytes: Uint8Array) => {
      this.#nowUs = monotonicUs();
      for (let at = 0; at < bytes.length; at += SCANNED_AT_ONCE_BYTES) {
        this.#push(bytes, at, Math.min(bytes.length, at + SCANNED_AT_ONCE_BYTES));
      }
      this.ended = options.protocol === 'http' && LAST_CHUNK.equals(bytes.subarray(-LAST_CHUNK.length));
      this.#throttle(bytes.length);
    });
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => {
      clearTimeout(this.#resumeTimer);
      this.closed = true;
    });
  }

  /** Stops reading; the kernel goes on filling its buffer. */
  stall(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Reads no faster than this from now on. */
  slowDown(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  leave(): void {
    this.socket.destroy();
  }

  message(type: number, _timestampMs: number, _sizeBytes: number, head: Uint8Array): void {
    if (type !== 9 || head[1] !== 1 || head.length < STAMP_END || !hasStamp(head)) return;
    const isKeyFrame = head[0]! >> 4 === 1;
    const number = stampNumber(head);
    if (this.lastFrame >= 0 && number !== this.lastFrame + 1) {
      this.gaps++;
      if (!isKeyFrame) this.brokenGaps++;
    } else if (this.lastFrame < 0 && !isKeyFrame) this.brokenGaps++;
    this.lastFrame = number;
    this.frames++;
    if (isKeyFrame) this.keyFrames++;
    this.#onLatency?.(this.#nowUs - stampTimeUs(head));
  }

  #throttle(sizeBytes: number): void {
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return;
    this.socket.pause();
    this.#resumeTimer = setTimeout(() => this.socket.resume(), (sizeBytes * 1000) / this.#bytesPerSecond);
  }

  #rtmp({ port, path }: WatcherOptions): (bytes: Uint8Array, start: number, end: number) => void {
    const [app = '', name = ''] = path.split('/');
    const client = new RtmpClient(
      { mode: 'play', host: '127.0.0.1', port, app, name, chunkSize: 128 },
      {
        send: (bytes) => this.socket.write(bytes),
        started: () => undefined,
        failed: (reason) => {
          this.failure ??= reason;
        },
        media: this,
      },
    );
    this.socket.once('connect', () => client.start());
    return (bytes, start, end) => client.push(bytes, start, end);
  }

  #http({ protocol, path, query = '' }: WatcherOptions): (bytes: Uint8Array, start: number, end: number) => void {
    const flv = new FlvScanner(this);
    const frames = new WebSocketScanner((bytes, start, end) => flv.push(bytes, start, end));
    const isWebSocket = protocol === 'ws';
    const http = new HttpBodyScanner((bytes, start, end) =>
      isWebSocket ? frames.push(bytes, start, end) : flv.push(bytes, start, end),
    );
    const upgrade = isWebSocket
      ? 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
      : '';
    this.socket.once('connect', () => {
      this.socket.write(`GET /${path}.flv${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n${upgrade}\r\n`);
    });
    return (bytes, start, end) => {
      http.push(bytes, start, end);
      const { status } = http;
      if (status !== undefined && status !== (isWebSocket ? 101 : 200)) this.failure ??= `HTTP status ${status}`;
    };
  }
}
