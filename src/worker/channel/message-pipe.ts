import type { BytePipe } from '../../protocol/netstring/byte-pipe.ts';
import { NetstringReader } from '../../protocol/netstring/netstring-reader.ts';
import { writeNetstring } from '../../protocol/netstring/netstring-writer.ts';
import type { LogLetter } from './messages.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const BRACE = 0x7b;

/** Who gets what comes over a pipe of messages. */
export interface MessageSink {
  message(message: Record<string, unknown>): void;
  log(letter: LogLetter, text: string): void;
  /** Something came that is no message; it was dropped. */
  problem(text: string): void;
}

/** JSON messages and log lines over one pipe. */
export class MessagePipe {
  readonly #pipe: BytePipe;

  constructor(pipe: BytePipe, sink: MessageSink) {
    this.#pipe = pipe;
    const reader = new NetstringReader();
    pipe.onBytes((bytes) => {
      for (const event of reader.receive(bytes)) {
        if (event.type === 'error') sink.problem(event.error.message);
        else receiveMessage(event.bytes, sink);
      }
    });
  }

  /** @throws StateError `netstring/payload-too-large` */
  send(message: object): void {
    this.#pipe.send(writeNetstring(encoder.encode(JSON.stringify(message))));
  }

  /** Longer lines are cut. */
  log(letter: LogLetter, text: string): void {
    this.#pipe.send(writeNetstring(encoder.encode(letter + text.slice(0, MAX_LOG_LINE_CHARACTERS))));
  }
}

/** Longest log line, UTF-16 units. */
const MAX_LOG_LINE_CHARACTERS = 100_000;

function receiveMessage(bytes: Uint8Array, sink: MessageSink): void {
  if (bytes[0] === BRACE) {
    const message = parseMessage(bytes);
    if (message === undefined) sink.problem('a message is no JSON object');
    else sink.message(message);
    return;
  }
  const text = decoder.decode(bytes);
  const letter = text[0];
  if (letter === 'D' || letter === 'W' || letter === 'E' || letter === 'X') sink.log(letter, text.slice(1));
  else sink.problem(`unexpected data: ${text.slice(0, 200)}`);
}

function parseMessage(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    return JSON.parse(decoder.decode(bytes)) as Record<string, unknown>;
  } catch {
    // The caller reports it.
    return undefined;
  }
}

/** Who gets what comes over a pipe of messages with bytes. */
export interface PayloadSink {
  /** `payload` may be kept. */
  message(message: Record<string, unknown>, payload: Uint8Array): void;
  problem(text: string): void;
}

/** JSON messages each followed by bytes, over one pipe. */
export class PayloadPipe {
  readonly #pipe: BytePipe;

  constructor(pipe: BytePipe, sink: PayloadSink) {
    this.#pipe = pipe;
    const reader = new NetstringReader();
    let head: Record<string, unknown> | undefined;
    pipe.onBytes((bytes) => {
      for (const event of reader.receive(bytes)) {
        if (event.type === 'error') {
          head = undefined;
          sink.problem(event.error.message);
        } else if (head !== undefined) {
          const message = head;
          head = undefined;
          sink.message(message, event.bytes);
        } else {
          head = event.bytes[0] === BRACE ? parseMessage(event.bytes) : undefined;
          if (head === undefined) sink.problem('bytes came without their message');
        }
      }
    });
  }

  /** @throws StateError `netstring/payload-too-large`, and nothing is sent */
  send(message: object, payload: Uint8Array): void {
    const head = writeNetstring(encoder.encode(JSON.stringify(message)));
    const body = writeNetstring(payload);
    this.#pipe.send(head);
    this.#pipe.send(body);
  }
}
