import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import type { RtspResponse } from '../../../src/protocol/rtsp/rtsp-message.ts';
import { RtspMessageReader } from '../../../src/protocol/rtsp/rtsp-message-reader.ts';

/** How long a test waits for what should come at once, milliseconds. */
const WAIT_MS = 5_000;

/** A `$` frame as it came. */
export interface ReceivedFrame {
  readonly channel: number;
  readonly payload: Uint8Array;
}

/** A raw RTSP client: sends what a test says and shows what comes back. */
export class RtspPeer {
  readonly frames: ReceivedFrame[] = [];
  /** Requests of the server and everything else that is neither answer nor frame. */
  readonly oddities: string[] = [];
  /** In the order they came: `200`, `$0`, … */
  readonly order: string[] = [];
  readonly #socket: net.Socket;
  readonly #reader = new RtspMessageReader();
  readonly #responses: RtspResponse[] = [];
  readonly #wakers = new Set<() => void>();
  #cSeq = 0;
  #isClosed = false;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  static async connect(
    port: number,
    options: { readonly secure?: boolean; readonly host?: string } = {},
  ): Promise<RtspPeer> {
    const { host = '127.0.0.1' } = options;
    const socket =
      options.secure === true ? tls.connect({ port, host, rejectUnauthorized: false }) : net.connect({ port, host });
    await new Promise<void>((resolve, reject) => {
      socket.once(options.secure === true ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    return new RtspPeer(socket);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** Sends a request and waits for the next answer. */
  async request(
    method: string,
    url: string,
    headers: Readonly<Record<string, string>> = {},
    body = '',
  ): Promise<RtspResponse> {
    this.send(this.text(method, url, headers, body));
    const response = await this.response();
    assert.equal(response.headers.get('CSeq'), String(this.#cSeq), `the answer to ${method} has another CSeq`);
    return response;
  }

  /** A request as text, with the next CSeq. */
  text(method: string, url: string, headers: Readonly<Record<string, string>> = {}, body = ''): string {
    this.#cSeq++;
    const lines = [`${method} ${url} RTSP/1.0`, `CSeq: ${this.#cSeq}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  }

  /** The next answer that was not asked for yet. */
  async response(): Promise<RtspResponse> {
    await this.until(() => this.#responses.length > 0, 'an answer came');
    return this.#responses.shift()!;
  }

  /** Waits for `isSo`, looked at whenever something came. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + WAIT_MS;
    while (!isSo()) {
      assert.ok(!this.#isClosed, `the connection was closed before ${what}`);
      assert.ok(Date.now() < deadline, `not within ${WAIT_MS} ms: ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.#wakers.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async untilClosed(): Promise<void> {
    const deadline = Date.now() + WAIT_MS;
    while (!this.#isClosed) {
      assert.ok(Date.now() < deadline, 'the connection is still open');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Frames of a channel. */
  on(channel: number): Uint8Array[] {
    return this.frames.filter((frame) => frame.channel === channel).map(({ payload }) => payload);
  }

  /** Reads no more until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Closes as who leaves answers unread: what the other side has yet to say can't be said. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #take(bytes: Uint8Array): void {
    for (const event of this.#reader.receive(bytes)) {
      if (event.type === 'response') {
        this.#responses.push(event);
        this.order.push(String(event.statusCode));
      } else if (event.type === 'interleaved') {
        this.frames.push({ channel: event.channel, payload: event.payload.slice() });
        this.order.push(`$${event.channel}`);
      } else this.oddities.push(event.type);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
    this.#wakers.clear();
  }
}

/** The session id of an answer. */
export function sessionOf(response: RtspResponse): string {
  return response.headers.get('Session')?.split(';', 1)[0] ?? '';
}
