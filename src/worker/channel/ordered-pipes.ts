import { MessagePipe, PayloadPipe } from './message-pipe.ts';
import type { ChannelPipes, LogLetter } from './messages.ts';

/** How long a message waits for those of the other pipe that were sent before it, milliseconds: they may be lost. */
const MAX_HELD_MS = 500;
/** Most messages of one pipe that wait. */
const MAX_HELD_MESSAGES = 10_000;

type Fields = Record<string, unknown>;

/** Who gets what comes over both pipes. */
export interface OrderedSink {
  /** In the order of sending, whichever pipe it came over. `payload` may be kept. */
  message(message: Fields, payload: Uint8Array | undefined): void;
  log(letter: LogLetter, text: string): void;
  /** Something came that is no message; it was dropped. */
  problem(text: string): void;
}

interface HeldMessage {
  readonly message: Fields;
  readonly payload: Uint8Array | undefined;
  /** Messages of the other pipe that were sent before it. */
  readonly after: number;
}

/** What came over one pipe and what has been passed on of it. */
class Lane {
  readonly held: HeldMessage[] = [];
  passed = 0;
}

/**
 * Both pipes of a channel as one: a message says in `after` how many of the other pipe were sent before it, when these
 * have become more, and is passed on after them. So a payload does not overtake the request that opens a subchannel for
 * it, nor closing a producer what was sent on it. Without `after` nothing waits.
 */
export class OrderedPipes {
  readonly #sink: OrderedSink;
  readonly #messages: MessagePipe;
  readonly #payloads: PayloadPipe;
  readonly #messageLane = new Lane();
  readonly #payloadLane = new Lane();
  #sentMessages = 0;
  #sentPayloads = 0;
  /** What the other side knows of each count. */
  #toldMessages = 0;
  #toldPayloads = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(pipes: ChannelPipes, sink: OrderedSink) {
    this.#sink = sink;
    const problem = (text: string): void => sink.problem(text);
    this.#messages = new MessagePipe(pipes.messages, {
      message: (message) => this.#receive(this.#messageLane, message, undefined),
      log: (letter, text) => sink.log(letter, text),
      problem,
    });
    this.#payloads = new PayloadPipe(pipes.payloads, {
      message: (message, payload) => this.#receive(this.#payloadLane, message, payload),
      problem,
    });
  }

  /** @throws StateError `netstring/payload-too-large`, and nothing is sent */
  send(message: object, payload?: Uint8Array): void {
    if (payload === undefined) {
      const isNews = this.#sentPayloads !== this.#toldPayloads;
      this.#messages.send(isNews ? { ...message, after: this.#sentPayloads } : message);
      this.#sentMessages++;
      this.#toldPayloads = this.#sentPayloads;
    } else {
      const isNews = this.#sentMessages !== this.#toldMessages;
      this.#payloads.send(isNews ? { ...message, after: this.#sentMessages } : message, payload);
      this.#sentPayloads++;
      this.#toldMessages = this.#sentMessages;
    }
  }

  log(letter: LogLetter, text: string): void {
    this.#messages.log(letter, text);
  }

  /** Forgets what waits. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#messageLane.held.length = 0;
    this.#payloadLane.held.length = 0;
  }

  #receive(lane: Lane, message: Fields, payload: Uint8Array | undefined): void {
    const { after } = message;
    lane.held.push({ message, payload, after: typeof after === 'number' ? after : 0 });
    if (lane.held.length > MAX_HELD_MESSAGES) this.#waitNoMore();
    else this.#pass();
  }

  #pass(): void {
    const [messages, payloads] = [this.#messageLane, this.#payloadLane];
    while (this.#passFrom(messages, payloads) || this.#passFrom(payloads, messages));
    if (messages.held.length === 0 && payloads.held.length === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else {
      this.#timer ??= setTimeout(() => this.#giveUp(), MAX_HELD_MS).unref();
    }
  }

  /** Gives up what is missing, unless it has come and was not read, since this process was busy. */
  #giveUp(): void {
    const timer = this.#timer;
    setImmediate(() => {
      if (this.#timer === timer) this.#waitNoMore();
    });
  }

  /** @returns whether there was one */
  #passFrom(lane: Lane, other: Lane): boolean {
    const first = lane.held[0];
    if (first === undefined || first.after > other.passed) return false;
    lane.held.shift();
    lane.passed++;
    this.#sink.message(first.message, first.payload);
    return true;
  }

  /** What was waited for is lost: it counts as passed on. */
  #waitNoMore(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [lane, other] of [
      [this.#messageLane, this.#payloadLane],
      [this.#payloadLane, this.#messageLane],
    ] as const) {
      const first = lane.held[0];
      if (first === undefined || first.after <= other.passed) continue;
      this.#sink.problem(`${first.after - other.passed} messages are missing on the other pipe`);
      other.passed = first.after;
    }
    this.#pass();
  }
}
