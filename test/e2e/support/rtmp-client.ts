import assert from 'node:assert/strict';
import net from 'node:net';
import type { Frame } from '../../../src/codec/frame.ts';
import type { Track } from '../../../src/codec/track.ts';
import { toFlvConfig, toFlvFrame } from '../../../src/format/flv/flv-muxer.ts';
import { nodeHandshakeCrypto } from '../../../src/io/node-crypto.ts';
import type { RtmpClientEvent } from '../../../src/protocol/rtmp/client-events.ts';
import { RtmpClientSession } from '../../../src/protocol/rtmp/client-session.ts';
import { parseRtmpUrl } from '../../../src/protocol/rtmp/stream-url.ts';
import { FlvCollector } from './flv-file.ts';

/** How far in front of its time a frame may leave, milliseconds. */
const PACING_STEP_MS = 20;

/** Our own RTMP client session on a socket: publishes frames of any codec in real time, or plays into a collector. */
export class RtmpClient {
  /** What was played. */
  readonly content: FlvCollector = new FlvCollector();
  /** Resolves when the server said that the stream is over, or confirmed our unpublish; rejects when the session failed. */
  readonly ended: Promise<void>;
  /** Resolves when media flows, whichever way. */
  readonly started: Promise<void>;
  readonly #session: RtmpClientSession;
  readonly #socket: net.Socket;

  constructor(url: string, mode: 'publish' | 'play') {
    const parsed = parseRtmpUrl(url);
    assert.ok(parsed !== undefined, `${url} is no RTMP URL`);
    const session = new RtmpClientSession({ crypto: nodeHandshakeCrypto, mode, url: parsed });
    const socket = net.connect({ host: parsed.host, port: parsed.port });
    this.#session = session;
    this.#socket = socket;
    const started = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const fail = (error: Error): void => {
      started.reject(error);
      ended.reject(error);
    };
    const handle = (event: RtmpClientEvent): void => {
      if (event.type === 'failed') fail(event.error);
      else if (event.type === 'publishing' || event.type === 'playing') started.resolve();
      else if (event.type === 'message') this.content.push(event.typeId, event.timestamp, event.payload);
      else if (event.type === 'ended') ended.resolve();
    };
    this.#handle = (events) => {
      for (const event of events) {
        if (event.type === 'send') socket.write(event.bytes);
        else handle(event);
      }
    };
    this.started = started.promise;
    this.ended = ended.promise;
    for (const promise of [this.started, this.ended]) promise.catch(() => undefined);
    socket.once('connect', () => this.#handle(session.start(performance.now())));
    socket.on('data', (bytes: Buffer) => this.#handle(session.receive(bytes, performance.now())));
    socket.once('error', fail);
    socket.once('close', () => fail(new assert.AssertionError({ message: `the connection to ${url} was closed` })));
  }

  readonly #handle: (events: readonly RtmpClientEvent[]) => void;

  /** Sends tracks and then their frames, each when its decode time has come, and unpublishes. */
  async publish(tracks: readonly Track[], frames: readonly Frame[]): Promise<void> {
    await this.started;
    for (const track of tracks) {
      for (const { typeId, parts } of toFlvConfig(track)) this.#handle(this.#session.writeMedia(typeId, 0, parts));
    }
    const startMs = performance.now();
    let next = 0;
    await new Promise<void>((resolve, reject) => {
      const timer = setInterval(() => {
        const dueUs = (performance.now() - startMs) * 1000;
        for (; next < frames.length && frames[next]!.dtsUs <= dueUs; next++) {
          const message = toFlvFrame(frames[next]!);
          assert.ok(message !== undefined);
          this.#handle(this.#session.writeMedia(message.typeId, message.timestampMs, message.parts));
        }
        if (next < frames.length) return;
        clearInterval(timer);
        resolve();
      }, PACING_STEP_MS);
      this.#socket.once('close', () => {
        clearInterval(timer);
        reject(new assert.AssertionError({ message: 'the server closed the connection of the publisher' }));
      });
    });
    this.#handle(this.#session.unpublish());
    await this.ended;
  }

  /** Idempotent. */
  close(): void {
    this.#handle(this.#session.close());
    this.#socket.destroySoon();
  }
}
