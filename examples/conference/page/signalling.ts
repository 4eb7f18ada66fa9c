/** The WebSocket to the server: requests with answers, and what the server tells unasked. */
import { type Answers, CLOSE_CODES, type Notifications, type RefusalCode } from '../protocol.ts';
import type { DataOf, Method } from '../server/requests.ts';

/** The server said no. */
export class RefusedError extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }

  /** Whether it may say yes in a moment. */
  get isPassing(): boolean {
    return this.code === 'no-worker' || this.code === 'room-closed';
  }
}

/** The connection is gone, and with it whatever was asked. */
export class LostError extends Error {}

/** A notification with its name. */
export type Notification = { [E in keyof Notifications]: { event: E; data: Notifications[E] } }[keyof Notifications];

interface Answer {
  readonly id: number;
  readonly data?: unknown;
  readonly error?: { readonly code: RefusalCode; readonly message: string };
}

interface Waiting {
  readonly resolve: (data: never) => void;
  readonly reject: (error: Error) => void;
}

/** How long an answer may take, milliseconds. */
const ANSWER_MS = 15_000;

export class Signalling {
  /** Why it ended. */
  readonly ended: Promise<LostError>;
  readonly #webSocket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  /** Told before anybody listened. */
  readonly #early: Notification[] = [];
  #listener: ((notification: Notification) => void) | undefined;
  #nextId = 1;

  private constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    webSocket.addEventListener('message', ({ data }) => this.#received(String(data)));
    this.ended = new Promise((resolve) => {
      webSocket.addEventListener('close', ({ code, reason }) => {
        const error = new LostError(
          code === CLOSE_CODES.refused ? `The server hung up: ${reason}.` : 'Connection lost.',
        );
        for (const { reject } of this.#waiting.values()) reject(error);
        this.#waiting.clear();
        resolve(error);
      });
    });
  }

  /** @throws LostError when the server cannot be reached */
  static async open(room: string): Promise<Signalling> {
    const url = new URL(`/signal?${new URLSearchParams({ room })}`, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const webSocket = new WebSocket(url);
    const signalling = new Signalling(webSocket);
    const opened = new Promise<undefined>((resolve) => {
      webSocket.addEventListener('open', () => resolve(undefined));
    });
    const error = await Promise.race([opened, signalling.ended]);
    if (error !== undefined) throw new LostError('The server cannot be reached.');
    return signalling;
  }

  /** @throws RefusedError, LostError */
  ask<M extends Method>(method: M, data: DataOf<M>): Promise<Answers[M]> {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return Promise.reject(new LostError('Connection lost.'));
    const id = this.#nextId++;
    return new Promise<Answers[M]>((resolve, reject) => {
      const timer = window.setTimeout(() => this.#webSocket.close(), ANSWER_MS);
      this.#waiting.set(id, {
        resolve: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#webSocket.send(JSON.stringify({ id, method, data }));
    });
  }

  /** From now on, and what was told until now. */
  listen(listener: (notification: Notification) => void): void {
    this.#listener = listener;
    for (const notification of this.#early.splice(0)) listener(notification);
  }

  close(): void {
    this.#webSocket.close();
  }

  #received(text: string): void {
    const message = JSON.parse(text) as Answer | Notification;
    if ('event' in message) {
      if (this.#listener === undefined) this.#early.push(message);
      else this.#listener(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting?.resolve(message.data as never);
    else waiting?.reject(new RefusedError(message.error.code, message.error.message));
  }
}
