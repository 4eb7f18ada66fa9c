import { StateError } from '../../wire/errors.ts';
import type { ChannelPipes, InternalIds, LogLetter, NotificationMessage, ResponseMessage } from './messages.ts';
import { OrderedPipes } from './ordered-pipes.ts';
import { nameOfRequestError } from './request-errors.ts';

/** One request or command, after checking what it is made of. */
export interface IncomingRequest {
  /** Kind of the target, dot, what is asked. */
  readonly method: string;
  readonly internal: InternalIds;
  /** As the control side sent it: to be checked. */
  readonly data: unknown;
  /** Bytes that came along; may be kept. */
  readonly payload: Uint8Array | undefined;
}

export interface ResponseChannelOptions {
  readonly pipes: ChannelPipes;
  /** Gives the data of the answer, or throws; TypeError, UnsupportedError and NotFoundError keep their names. */
  readonly onRequest: (request: IncomingRequest) => unknown;
  /** What is never answered. May throw: that is logged. */
  readonly onCommand: (command: IncomingRequest) => void;
  /** The control side is gone. */
  readonly onEnd: () => void;
}

/**
 * What may wait for a control side that does not read, bytes on each pipe. Then packets, messages, traces and log lines are
 * dropped, whatever is newest; what tells of a state is not, as long as it is not far too much.
 */
export const MAX_QUEUED_BYTES = 16_000_000;
/** The same of what tells of a state: scores and layers change as often as peers want. Then only answers are sent. */
export const MAX_QUEUED_STATE_BYTES = 64_000_000;

/** The worker's side of its channel: every request is answered exactly once. */
export class ResponseChannel {
  readonly #options: ResponseChannelOptions;
  readonly #pipes: OrderedPipes;
  /** Since the last time it was told. */
  #dropped = 0;

  constructor(options: ResponseChannelOptions) {
    this.#options = options;
    const problem = (text: string): void => this.log('E', `channel: ${text}`);
    this.#pipes = new OrderedPipes(options.pipes, {
      message: (message, payload) => this.#receive(message, payload),
      log: (letter) => problem(`a log line came from the control side [${letter}]`),
      problem,
    });
    options.pipes.messages.onEnd(() => options.onEnd());
  }

  /** Tells the control side of something that happened to an entity. One too large for the channel is logged and dropped. */
  notify(targetId: string | number, event: string, data?: unknown, payload?: Uint8Array): void {
    const isState = payload === undefined && event !== 'trace';
    if (isState ? this.#options.pipes.messages.queuedBytes > MAX_QUEUED_STATE_BYTES : !this.#hasRoom()) {
      this.#dropped++;
      return;
    }
    const message: NotificationMessage = { targetId, event, ...(data === undefined ? {} : { data }) };
    try {
      this.#pipes.send(message, payload);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      this.log('E', `notification '${event}' of ${targetId} dropped: ${error.message}`);
    }
  }

  log(letter: LogLetter, text: string): void {
    if (this.#hasRoom()) this.#pipes.log(letter, text);
    else this.#dropped++;
  }

  /** Whether the control side reads. Once it does again, it is told what it has missed. */
  #hasRoom(): boolean {
    const { messages, payloads } = this.#options.pipes;
    if (messages.queuedBytes > MAX_QUEUED_BYTES || payloads.queuedBytes > MAX_QUEUED_BYTES) return false;
    if (this.#dropped > 0) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.#pipes.log('W', `channel: ${dropped} notifications and log lines were dropped, since nobody read them`);
    }
    return true;
  }

  #receive(message: Record<string, unknown>, payload: Uint8Array | undefined): void {
    const { id, method, event, data } = message;
    const internal = (message['internal'] ?? {}) as InternalIds;
    if (typeof id === 'number' && typeof method === 'string') {
      this.#answer(id, { method, internal, data, payload });
    } else if (typeof event === 'string') {
      try {
        this.#options.onCommand({ method: event, internal, data, payload });
      } catch (error) {
        this.log('W', `${event}: ${reasonOf(error)}`);
      }
    } else {
      this.log('E', 'channel: a message is neither a request nor a command');
    }
  }

  #answer(id: number, request: IncomingRequest): void {
    try {
      const result = this.#options.onRequest(request);
      if (result instanceof Promise) {
        result.then(
          (data: unknown) => this.#accept(id, data),
          (error: unknown) => this.#refuse(id, error),
        );
      } else {
        // In this turn, so that answers and notifications keep their order.
        this.#accept(id, result);
      }
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  #accept(id: number, data: unknown): void {
    const message: ResponseMessage = { id, accepted: true, ...(data === undefined ? {} : { data }) };
    try {
      this.#pipes.send(message);
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  #refuse(id: number, error: unknown): void {
    const message: ResponseMessage = { id, error: nameOfRequestError(error), reason: reasonOf(error) };
    this.#pipes.send(message);
  }
}

/** Longest reason in an answer, UTF-16 units. */
const MAX_REASON_CHARACTERS = 10_000;

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON_CHARACTERS);
}
