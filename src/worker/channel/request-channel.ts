import type { ChannelPipes, CommandMessage, InternalIds, LogLetter, RequestMessage } from './messages.ts';
import { OrderedPipes } from './ordered-pipes.ts';
import { RequestError, requestErrorOf, WorkerClosedError } from './request-errors.ts';

/** Id after which numbering starts again from 1. */
const MAX_REQUEST_ID = 4_294_967_295;
/** How long an answer may take, milliseconds, … */
const TIMEOUT_MS = 15_000;
/** … and for each request that waits already. */
const TIMEOUT_PER_PENDING_MS = 100;

export interface RequestChannelOptions {
  readonly pipes: ChannelPipes;
  /** Gets every notification in a later turn of the event loop than it came in, so after the answers before it. */
  readonly onNotification: (targetId: string, event: string, data: unknown, payload: Uint8Array | undefined) => void;
  readonly onLog: (letter: LogLetter, text: string) => void;
  /** Something came that makes no sense; it was dropped. */
  readonly onProblem: (text: string) => void;
  /** The last id used; 0. */
  readonly lastId?: number;
}

interface PendingRequest {
  readonly method: string;
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The control side of a worker's channel: requests and their answers, notifications, log lines. */
export class RequestChannel {
  readonly #options: RequestChannelOptions;
  readonly #pipes: OrderedPipes;
  readonly #pending = new Map<number, PendingRequest>();
  #lastId: number;
  #isClosed = false;

  constructor(options: RequestChannelOptions) {
    this.#options = options;
    this.#lastId = options.lastId ?? 0;
    this.#pipes = new OrderedPipes(options.pipes, {
      message: (message, payload) => this.#receive(message, payload),
      log: (letter, text) => options.onLog(letter, text),
      problem: (text) => options.onProblem(text),
    });
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /**
   * Asks the worker. `payload` is copied before this returns: whose it is may write into it again.
   * @returns the data of the answer
   * @throws WorkerClosedError when the channel is closed, now or before the answer
   * @throws TypeError, UnsupportedError, NotFoundError, RequestError as the worker says; RequestError without an answer in time
   */
  async request(method: string, internal?: InternalIds, data?: unknown, payload?: Uint8Array): Promise<unknown> {
    if (this.#isClosed) throw new WorkerClosedError(`Channel closed, cannot send request [method:${method}]`);
    const id = this.#nextId();
    const message: RequestMessage = {
      id,
      method,
      ...(internal === undefined ? {} : { internal }),
      ...(data === undefined ? {} : { data }),
    };
    this.#pipes.send(message, payload);
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(
        () => {
          this.#pending.delete(id);
          reject(new RequestError(`Channel request timeout [method:${method}, id:${id}]`));
        },
        TIMEOUT_MS + TIMEOUT_PER_PENDING_MS * this.#pending.size,
      );
      timer.unref();
      this.#pending.set(id, { method, resolve, reject, timer });
    });
  }

  /**
   * Tells the worker something it does not answer. `payload` is copied.
   * @throws WorkerClosedError
   * @throws StateError `netstring/payload-too-large`
   */
  notify(event: string, internal: InternalIds, data: unknown, payload: Uint8Array): void {
    if (this.#isClosed) throw new WorkerClosedError(`Channel closed, cannot send notification [event:${event}]`);
    const message: CommandMessage = { event, internal, ...(data === undefined ? {} : { data }) };
    this.#pipes.send(message, payload);
  }

  /** Rejects what waits and ends the pipes. May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const [id, { method, reject, timer }] of pending) {
      clearTimeout(timer);
      reject(new WorkerClosedError(`Channel closed, pending request aborted [method:${method}, id:${id}]`));
    }
    this.#pipes.close();
    this.#options.pipes.messages.close();
    this.#options.pipes.payloads.close();
  }

  #nextId(): number {
    do {
      this.#lastId = this.#lastId >= MAX_REQUEST_ID ? 1 : this.#lastId + 1;
    } while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #receive(message: Record<string, unknown>, payload: Uint8Array | undefined): void {
    const { id, error, reason, data } = message;
    if (typeof id !== 'number') {
      this.#notified(message, payload);
      return;
    }
    const request = this.#pending.get(id);
    if (request === undefined) {
      this.#options.onProblem(`an answer to no request came [id:${id}]`);
      return;
    }
    this.#pending.delete(id);
    clearTimeout(request.timer);
    if (message['accepted'] === true) request.resolve(data);
    else request.reject(requestErrorOf(String(error), `${String(reason)} [method:${request.method}]`));
  }

  #notified({ targetId, event, data }: Record<string, unknown>, payload: Uint8Array | undefined): void {
    if ((typeof targetId !== 'string' && typeof targetId !== 'number') || typeof event !== 'string') {
      this.#options.onProblem('a message is neither an answer nor a notification');
      return;
    }
    setImmediate(() => {
      if (!this.#isClosed) this.#options.onNotification(String(targetId), event, data, payload);
    });
  }
}
