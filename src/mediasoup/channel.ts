import type { ChannelPipes, InternalIds, LogLetter } from '../worker/channel/messages.ts';
import { RequestChannel } from '../worker/channel/request-channel.ts';
import { Logger } from './logger.ts';

/** Gets the notifications for one entity. `payload` may be kept. */
export type NotificationListener = (event: string, data: unknown, payload: Uint8Array | undefined) => void;

const logger = new Logger('Channel');
const processId = /^\d+$/;

/** A worker's channel as the classes use it: requests, and notifications by the id of the entity they are for. */
export class Channel {
  readonly #channel: RequestChannel;
  readonly #listeners = new Map<string, NotificationListener>();

  /** @param pid of the worker, for its log lines */
  constructor(pipes: ChannelPipes, pid: () => number) {
    this.#channel = new RequestChannel({
      pipes,
      onNotification: (id, event, data, payload) => this.#notified(id, event, data, payload),
      onLog: (letter, text) => logWorkerLine(letter, `[pid:${pid()}] ${text}`),
      onProblem: (text) => logger.error(text),
    });
  }

  /** Asks the worker; see `RequestChannel.request`. */
  async request(method: string, internal?: InternalIds, data?: unknown, payload?: Uint8Array): Promise<unknown> {
    return this.#channel.request(method, internal, data, payload);
  }

  /** Asks for something whose outcome does not matter any more: what is closed here stays closed. */
  requestAndForget(method: string, internal: InternalIds): void {
    if (this.#channel.closed) return;
    this.#channel
      .request(method, internal)
      .catch((error: unknown) => logger.debug(`${method} failed: ${String(error)}`));
  }

  /** Tells the worker something with bytes that it does not answer. */
  notify(event: string, internal: InternalIds, data: unknown, payload: Uint8Array): void {
    this.#channel.notify(event, internal, data, payload);
  }

  get closed(): boolean {
    return this.#channel.closed;
  }

  /** Ids of the entities that get notifications. */
  get subscribedIds(): string[] {
    return [...this.#listeners.keys()];
  }

  /**
   * As if the worker had notified this: suites written for mediasoup do it by `channelForTesting`.
   * @returns whether somebody listens
   */
  emit(id: string, event: string, data?: unknown, payload?: Uint8Array): boolean {
    const listener = this.#listeners.get(id);
    listener?.(event, data, payload);
    return listener !== undefined;
  }

  /** One listener an entity. */
  subscribe(id: string, listener: NotificationListener): void {
    this.#listeners.set(id, listener);
  }

  unsubscribe(id: string): void {
    this.#listeners.delete(id);
  }

  /** Rejects what waits. May be called again. */
  close(): void {
    this.#channel.close();
    this.#listeners.clear();
  }

  #notified(id: string, event: string, data: unknown, payload: Uint8Array | undefined): void {
    const listener = this.#listeners.get(id);
    // Entities close here before the worker knows: what it still says about them is no mistake.
    if (listener !== undefined) listener(event, data, payload);
    else if (processId.test(id)) logger.debug(`ignoring notification "${event}" of the worker`);
  }
}

const workerLogger = new Logger('Worker');

function logWorkerLine(letter: LogLetter, text: string): void {
  switch (letter) {
    case 'D':
      workerLogger.debug(text);
      break;
    case 'W':
      workerLogger.warn(text);
      break;
    case 'E':
      workerLogger.error(text);
      break;
    case 'X':
      process.stdout.write(`${text}\n`);
      break;
  }
}
