import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { WebSocket } from 'ws';
import { FlvCollector } from './flv-file.ts';

/** How long a viewer waits for what it was asked to wait for, milliseconds. */
const WAIT_TIMEOUT_MS = 30_000;

/** Our own viewer of HTTP-FLV or WebSocket-FLV: looks into the stream while it runs. */
export class FlvViewer {
  readonly content: FlvCollector = new FlvCollector();
  /** Resolves when the server ended the stream cleanly; rejects when the connection broke. */
  readonly ended: Promise<void>;
  readonly #listeners = new Set<() => void>();
  readonly #close: () => void;
  #isOver = false;

  private constructor(ended: Promise<void>, close: () => void) {
    this.#close = close;
    const over = (): void => {
      this.#isOver = true;
      this.#wake();
    };
    this.ended = ended.finally(over);
    // Whoever asks gets the rejection; a viewer nobody asks is not the test's business.
    this.ended.catch(() => undefined);
  }

  /** @param url `http://….flv` or `ws://….flv` */
  static async open(url: string): Promise<FlvViewer> {
    return url.startsWith('ws') ? FlvViewer.#openWebSocket(url) : FlvViewer.#openHttp(url);
  }

  static async #openHttp(url: string): Promise<FlvViewer> {
    const request = http.get(url, { agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    assert.equal(response.statusCode, 200, `${url} answered ${response.statusCode}`);
    const ended = new Promise<void>((resolve, reject) => {
      response.once('end', resolve);
      response.once('error', reject);
      response.once('aborted', () => reject(new assert.AssertionError({ message: `${url} broke off` })));
    });
    const viewer = new FlvViewer(ended, () => request.destroy());
    response.on('data', (bytes: Buffer) => viewer.#receive(bytes));
    return viewer;
  }

  static async #openWebSocket(url: string): Promise<FlvViewer> {
    const webSocket = new WebSocket(url);
    const messages: Buffer[] = [];
    const keep = (bytes: Buffer): void => {
      messages.push(bytes);
    };
    webSocket.on('message', keep);
    await once(webSocket, 'open');
    const ended = new Promise<void>((resolve, reject) => {
      webSocket.once('close', (code: number) => {
        if (code === 1000) resolve();
        else reject(new assert.AssertionError({ message: `${url} was closed with code ${code}` }));
      });
    });
    const viewer = new FlvViewer(ended, () => webSocket.terminate());
    webSocket.off('message', keep);
    webSocket.on('message', (bytes: Buffer) => viewer.#receive(bytes));
    for (const bytes of messages) viewer.#receive(bytes);
    return viewer;
  }

  /** Waits until `condition` holds, looked at after every piece of the stream. */
  until(condition: (content: FlvCollector) => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (message?: string): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        if (message === undefined) resolve();
        else reject(new assert.AssertionError({ message }));
      };
      const look = (): void => {
        if (condition(this.content)) settle();
        else if (this.#isOver) settle(`the stream ended before ${what}`);
      };
      const timer = setTimeout(() => settle(`${WAIT_TIMEOUT_MS} ms passed before ${what}`), WAIT_TIMEOUT_MS);
      this.#listeners.add(look);
      look();
    });
  }

  /** Waits for `count` more video frames. */
  async moreVideo(count: number): Promise<void> {
    const target = this.content.video.length + count;
    await this.until(({ video }) => video.length >= target, `${count} more video frames had come`);
  }

  close(): void {
    this.#close();
  }

  #receive(bytes: Uint8Array): void {
    this.content.receive(bytes);
    this.#wake();
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }
}
