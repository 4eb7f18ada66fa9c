import type { BytePipe } from '../../protocol/netstring/byte-pipe.ts';
import type { ChannelPipes } from './messages.ts';

/** One end of a pipe within this process. What is sent arrives in a later microtask, in order. */
class MemoryPipe implements BytePipe {
  /** The other end takes everything. */
  readonly queuedBytes = 0;
  #peer: MemoryPipe | undefined;
  #receive: ((bytes: Uint8Array) => void) | undefined;
  #ended: (() => void) | undefined;
  #isClosed = false;

  connect(peer: MemoryPipe): void {
    this.#peer = peer;
  }

  send(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const peer = this.#peer;
    queueMicrotask(() => peer?.take(bytes));
  }

  onBytes(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onEnd(ended: () => void): void {
    this.#ended = ended;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const peer = this.#peer;
    queueMicrotask(() => peer?.end());
  }

  take(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#receive?.(bytes);
  }

  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ended?.();
  }
}

function pipePair(): readonly [BytePipe, BytePipe] {
  const first = new MemoryPipe();
  const second = new MemoryPipe();
  first.connect(second);
  second.connect(first);
  return [first, second];
}

/** Both ends of a channel within this process: for a worker that has no process of its own, and for tests. */
export function memoryChannel(): { readonly control: ChannelPipes; readonly worker: ChannelPipes } {
  const [controlMessages, workerMessages] = pipePair();
  const [controlPayloads, workerPayloads] = pipePair();
  return {
    control: { messages: controlMessages, payloads: controlPayloads },
    worker: { messages: workerMessages, payloads: workerPayloads },
  };
}
