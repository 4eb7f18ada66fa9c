import type { MessageSink } from './message-sink.ts';
import { chunkMessage, commandMessage, commandName, controlMessage, lastNumber, printable } from './rtmp-messages.ts';
import { RtmpScanner } from './rtmp-scanner.ts';

const HANDSHAKE_SIZE = 1536;
const DEFAULT_CHUNK_SIZE = 128;
const ACKNOWLEDGE_EVERY_BYTES = 2_500_000;
const BUFFER_MS = 3000;

/** What an RTMP load client needs to know. */
export interface RtmpClientOptions {
  readonly mode: 'play' | 'publish';
  readonly host: string;
  readonly port: number;
  readonly app: string;
  readonly name: string;
  /** Size of the chunks this side sends once it publishes. */
  readonly chunkSize: number;
}

/** How an RTMP load client talks to its owner. */
export interface RtmpClientEvents {
  send(bytes: Uint8Array): void;
  /** The server accepted publish or play. Media messages of a publisher use `streamId`. */
  started(streamId: number): void;
  failed(reason: string): void;
  /** Audio, video and data messages. */
  readonly media: MessageSink;
}

/**
 * The client side of one RTMP connection, as far as load generation needs it: simple handshake, connect, createStream,
 * publish or play, acknowledgements and ping answers. It does not check what it need not check.
 */
export class RtmpClient implements MessageSink {
  readonly #options: RtmpClientOptions;
  readonly #events: RtmpClientEvents;
  readonly #scanner: RtmpScanner;
  readonly #handshake = new Uint8Array(1 + 2 * HANDSHAKE_SIZE);
  #handshakeHave = 0;
  #resultsSeen = 0;
  #streamId = 1;
  #received = 0;
  #acknowledged = 0;

  constructor(options: RtmpClientOptions, events: RtmpClientEvents) {
    this.#options = options;
    this.#events = events;
    this.#scanner = new RtmpScanner(this);
  }

  /** To be called once the connection is up. */
  start(): void {
    const c0c1 = new Uint8Array(1 + HANDSHAKE_SIZE);
    c0c1[0] = 3;
    for (let i = 9; i < c0c1.length; i++) c0c1[i] = (i * 7919) >> 3;
    this.#events.send(c0c1);
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    if (this.#handshakeHave < this.#handshake.length) {
      const count = Math.min(this.#handshake.length - this.#handshakeHave, end - at);
      this.#handshake.set(bytes.subarray(at, at + count), this.#handshakeHave);
      this.#handshakeHave += count;
      at += count;
      if (this.#handshakeHave < this.#handshake.length) return;
      this.#connect();
    }
    this.#received += end - start;
    if (this.#received - this.#acknowledged >= ACKNOWLEDGE_EVERY_BYTES) {
      this.#acknowledged = this.#received;
      this.#events.send(controlMessage(3, [], [this.#received]));
    }
    if (at < end) this.#scanner.push(bytes, at, end);
  }

  #connect(): void {
    const { host, port, app } = this.#options;
    this.#events.send(this.#handshake.slice(1, 1 + HANDSHAKE_SIZE));
    const tcUrl = `rtmp://${host}:${port}/${app}`;
    const settings = { app, flashVer: 'LNX 9,0,124,2', tcUrl, capabilities: 15, audioCodecs: 4071, videoCodecs: 252 };
    this.#events.send(commandMessage(0, ['connect', 1, settings], DEFAULT_CHUNK_SIZE));
  }

  message(type: number, timestampMs: number, sizeBytes: number, head: Uint8Array): void {
    if (type === 8 || type === 9 || type === 18) this.#events.media.message(type, timestampMs, sizeBytes, head);
    else if (type === 20) this.#command(head);
    else if (type === 4 && head[1] === 6) this.#events.send(controlMessage(4, [0, 7, ...head.subarray(2, 6)], []));
  }

  #command(head: Uint8Array): void {
    const name = commandName(head);
    if (name === '_error') {
      this.#events.failed(printable(head));
    } else if (name === '_result') {
      this.#resultsSeen++;
      if (this.#resultsSeen === 1) this.#connected();
      else if (this.#resultsSeen === 2) this.#streamCreated(lastNumber(head));
    } else if (name === 'onStatus') {
      const text = printable(head);
      if (/\.Start\b/.test(text)) this.#events.started(this.#streamId);
      else if (/error|BadName|Denied|NotFound|Rejected/.test(text)) this.#events.failed(text);
    }
  }

  #connected(): void {
    const { mode, chunkSize } = this.#options;
    if (mode === 'publish') {
      this.#events.send(controlMessage(1, [], [chunkSize]));
    }
    this.#events.send(commandMessage(0, ['createStream', 2, null], this.#sendChunkSize()));
  }

  #streamCreated(streamId: number): void {
    const { mode, name } = this.#options;
    this.#streamId = streamId;
    if (mode === 'publish') {
      this.#events.send(commandMessage(streamId, ['publish', 3, null, name, 'live'], this.#sendChunkSize()));
    } else {
      this.#events.send(controlMessage(4, [0, 3], [streamId, BUFFER_MS]));
      this.#events.send(commandMessage(streamId, ['play', 3, null, name, -2000], this.#sendChunkSize()));
    }
  }

  #sendChunkSize(): number {
    return this.#options.mode === 'publish' ? this.#options.chunkSize : DEFAULT_CHUNK_SIZE;
  }

  /** A media or data message ready to send; its timestamp is 0. */
  mediaMessage(type: number, payload: Uint8Array): Uint8Array {
    const chunkStreamId = type === 9 ? 6 : type === 8 ? 4 : 5;
    return chunkMessage({ chunkStreamId, type, streamId: this.#streamId, payload }, this.#options.chunkSize);
  }
}
