/** A media worker within this process, with a control side that may say anything. */
import type { BytePipe } from '../../src/protocol/netstring/byte-pipe.ts';
import { NetstringReader } from '../../src/protocol/netstring/netstring-reader.ts';
import { writeNetstring } from '../../src/protocol/netstring/netstring-writer.ts';
import { createMedia } from '../../src/worker/media/create-media.ts';
import { WorkerCore } from '../../src/worker/worker-core.ts';
import { parseWorkerSettings } from '../../src/worker/worker-settings.ts';

/** What the worker answered: one of both. */
export interface WorkerAnswer {
  readonly id: number;
  readonly accepted?: true;
  readonly data?: unknown;
  readonly error?: string;
  readonly reason?: string;
}

const ERROR_NAMES: readonly unknown[] = ['Error', 'TypeError', 'UnsupportedError', 'NotFoundError'];

/** A line of the log that says what a packet of media led to: errors there are bugs, unless its entity is gone. */
const PACKET_FAULT = /^W(producer\.send|transport\.sendRtcp): (?!there is no entity|unknown method)/;

/** Longest time for the answers, milliseconds: ports are opened meanwhile. */
const ANSWER_MS = 20_000;

/** One pipe's end at the worker: bytes go in at once, and what it sends is read at once. */
class WorkerEnd implements BytePipe {
  readonly queuedBytes = 0;
  receive: (bytes: Uint8Array) => void = () => undefined;
  readonly #reader = new NetstringReader();
  readonly #onPayload: (bytes: Uint8Array) => void;

  constructor(onPayload: (bytes: Uint8Array) => void) {
    this.#onPayload = onPayload;
  }

  send(bytes: Uint8Array): void {
    for (const event of this.#reader.receive(bytes)) {
      if (event.type === 'error') throw new RangeError(`the worker wrote a broken netstring: ${event.error.message}`);
      this.#onPayload(event.bytes);
    }
  }

  onBytes(receive: (bytes: Uint8Array) => void): void {
    this.receive = receive;
  }

  onEnd(): void {
    // The control side of a test never goes away by itself.
  }

  close(): void {
    // Nothing to give back.
  }
}

export class FuzzedWorker {
  /** Answers in the order they came, all of them. */
  readonly answers: WorkerAnswer[] = [];
  readonly notifications: Record<string, unknown>[] = [];
  readonly #messages = new WorkerEnd((bytes) => this.#receive(bytes));
  // Heads and payloads of notifications: nobody wants them.
  readonly #payloads = new WorkerEnd(() => undefined);
  readonly #core: WorkerCore;
  readonly #asked = new Map<number, number>();
  #waiting = 0;
  #lastId = 0x7000_0000;

  constructor() {
    this.#core = new WorkerCore({
      pipes: { messages: this.#messages, payloads: this.#payloads },
      settings: parseWorkerSettings(['--rtcMinPort=41000', '--rtcMaxPort=49999']),
      pid: 42,
      resourceUsage: () => process.resourceUsage(),
      media: createMedia,
      // `worker.close` is answered, and what comes then is refused.
      onClose: () => this.#core.close(),
    });
    this.#core.start();
  }

  /** Sends any bytes as one message. What is a request will have to be answered. */
  send(bytes: Uint8Array): void {
    this.#expect(bytes);
    this.#messages.receive(writeNetstring(bytes));
  }

  /** The same with bytes behind it. */
  sendWithPayload(bytes: Uint8Array, payload: Uint8Array): void {
    this.#expect(bytes);
    this.#payloads.receive(writeNetstring(bytes));
    this.#payloads.receive(writeNetstring(payload));
  }

  /** Asks, waits for the answer, and gives it back. */
  async ask(method: string, internal: unknown = {}, data?: unknown): Promise<WorkerAnswer> {
    const id = ++this.#lastId;
    this.send(new TextEncoder().encode(JSON.stringify({ id, method, internal, data })));
    await this.settle();
    const answer = this.answers.findLast((one) => one.id === id);
    if (answer === undefined) throw new RangeError(`${method} was not answered`);
    return answer;
  }

  /** Waits until every request has its answer. */
  async settle(): Promise<void> {
    const endMs = performance.now() + ANSWER_MS;
    while (this.#waiting > 0) {
      if (performance.now() > endMs) throw new RangeError(`${this.#waiting} requests are not answered`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Closes every router and server by request; what is still registered then is a leak. */
  async closeAll(): Promise<void> {
    await this.settle();
    const dump = await this.ask('worker.dump');
    if (dump.accepted === true) {
      const { routerIds, webRtcServerIds } = dump.data as { routerIds: string[]; webRtcServerIds: string[] };
      for (const routerId of routerIds) {
        const answer = await this.ask('router.dump', { routerId });
        if (answer.accepted !== true) throw new RangeError(`a router can't be dumped: ${answer.reason}`);
        await this.#accepted('worker.closeRouter', { routerId });
      }
      for (const webRtcServerId of webRtcServerIds)
        await this.#accepted('worker.closeWebRtcServer', { webRtcServerId });
      const left = (await this.ask('worker.dump')).data as { channelMessageHandlers: Record<string, unknown[]> };
      for (const ids of Object.values(left.channelMessageHandlers)) {
        if (ids.length > 0) throw new RangeError(`still registered: ${ids.join()}`);
      }
    }
    this.#core.close();
  }

  async #accepted(method: string, internal: unknown): Promise<void> {
    const { accepted, reason } = await this.ask(method, internal);
    if (accepted !== true) throw new RangeError(`${method}: ${reason}`);
  }

  #expect(bytes: Uint8Array): void {
    const message = bytes[0] === 0x7b ? parsed(bytes) : undefined;
    if (typeof message?.['id'] !== 'number' || typeof message['method'] !== 'string') return;
    this.#asked.set(message['id'], (this.#asked.get(message['id']) ?? 0) + 1);
    this.#waiting++;
  }

  #receive(bytes: Uint8Array): void {
    if (bytes[0] !== 0x7b) {
      const line = new TextDecoder().decode(bytes);
      // Packets on a socket have nobody who would catch that.
      if (PACKET_FAULT.test(line)) throw new RangeError(`a packet broke the worker: ${line}`);
      return;
    }
    const message = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    if (typeof message['id'] !== 'number') {
      this.notifications.push(message);
      return;
    }
    const answer = message as unknown as WorkerAnswer;
    const left = this.#asked.get(answer.id) ?? 0;
    if (left === 0) throw new RangeError(`request ${answer.id} is answered twice, or was never there`);
    this.#asked.set(answer.id, left - 1);
    this.#waiting--;
    const isRefusal = ERROR_NAMES.includes(answer.error) && typeof answer.reason === 'string';
    if ((answer.accepted === true) === isRefusal) throw new RangeError(`a strange answer: ${JSON.stringify(message)}`);
    this.answers.push(answer);
  }
}

function parsed(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    // The worker will not take it either.
    return undefined;
  }
}
