import type { PublisherKind } from './publisher-identification.ts';

/** Most message streams (createStream) one connection may have open. */
export const RTMP_MAX_MESSAGE_STREAMS = 16;

/** One message stream of a connection: what createStream made, and what goes on in it. */
export interface MessageStream {
  readonly id: number;
  role: 'idle' | 'publishing' | 'playing';
  /** The server has agreed to the publish or play under way. */
  isAccepted: boolean;
  /** Made by createStream and not used yet. */
  isFresh: boolean;
  streamName: string;
  publisherKind: PublisherKind;
}

/** The message streams of one connection. Ids count from 1 and are used again after deleteStream. */
export class MessageStreamTable {
  readonly #streams = new Map<number, MessageStream>();
  readonly #limit: number;

  constructor(limit: number = RTMP_MAX_MESSAGE_STREAMS) {
    this.#limit = limit;
  }

  get(id: number): MessageStream | undefined {
    return this.#streams.get(id);
  }

  [Symbol.iterator](): IterableIterator<MessageStream> {
    return this.#streams.values();
  }

  delete(id: number): void {
    this.#streams.delete(id);
  }

  /** A new stream under the lowest free id; undefined when the limit is reached. */
  create(): MessageStream | undefined {
    if (!this.#makeRoom()) return undefined;
    let id = 1;
    while (this.#streams.has(id)) id++;
    return this.#add(id);
  }

  /**
   * The stream a publish or play names. Clients that never called createStream get one made for them; id 0, which
   * stands for the connection, means the stream that waits to be used, or 1. Undefined when the limit is reached.
   */
  use(id: number): MessageStream | undefined {
    const named = id === 0 ? (this.#first((stream) => stream.role === 'idle') ?? this.get(1)) : this.get(id);
    if (named !== undefined) return named;
    return this.#makeRoom() ? this.#add(id === 0 ? 1 : id) : undefined;
  }

  /** The stream of this role that `id` means: the one of that id, or the only one when there is just one. */
  find(id: number, role: 'publishing' | 'playing'): MessageStream | undefined {
    const exact = this.#streams.get(id);
    if (exact !== undefined) return exact.role === role ? exact : undefined;
    let only: MessageStream | undefined;
    for (const stream of this.#streams.values()) {
      if (stream.role !== role) continue;
      if (only !== undefined) return undefined;
      only = stream;
    }
    return only;
  }

  /** The publisher of this name, with or without its parameters. */
  findPublisher(streamName: string): MessageStream | undefined {
    const wanted = withoutParams(streamName);
    return this.#first((stream) => stream.role === 'publishing' && withoutParams(stream.streamName) === wanted);
  }

  /** Whether anything is published or played. */
  get isAnyActive(): boolean {
    return this.#first((stream) => stream.role !== 'idle') !== undefined;
  }

  #first(condition: (stream: MessageStream) => boolean): MessageStream | undefined {
    for (const stream of this.#streams.values()) if (condition(stream)) return stream;
    return undefined;
  }

  #add(id: number): MessageStream {
    const stream: MessageStream = {
      id,
      role: 'idle',
      isAccepted: false,
      isFresh: true,
      streamName: '',
      publisherKind: 'flash',
    };
    this.#streams.set(id, stream);
    return stream;
  }

  /** Encoders that publish again and again may never call deleteStream: used-up streams make room. */
  #makeRoom(): boolean {
    if (this.#streams.size < this.#limit) return true;
    const usedUp = this.#first((stream) => stream.role === 'idle' && !stream.isFresh);
    return usedUp !== undefined && this.#streams.delete(usedUp.id);
  }
}

function withoutParams(streamName: string): string {
  const end = streamName.search(/[?&]/);
  return end < 0 ? streamName : streamName.slice(0, end);
}
