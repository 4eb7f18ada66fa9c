/** How a stream of SCTP carries messages, with the names of the API. */
export interface SctpStreamParameters {
  readonly streamId: number;
  readonly ordered?: boolean;
  /** Milliseconds. */
  readonly maxPacketLifeTime?: number;
  readonly maxRetransmits?: number;
}

/** What control tells of a producer of data. */
export interface DataProducerOptions {
  readonly id: string;
  readonly type: 'sctp' | 'direct';
  readonly sctpStreamParameters?: SctpStreamParameters;
  readonly label: string;
  readonly protocol: string;
  readonly paused?: boolean;
}

/** A message on its way to consumers of data. */
export interface DataMessage {
  readonly ppid: number;
  readonly bytes: Uint8Array;
  /** Only consumers with one of these get it; everyone when there are none. */
  readonly subchannels: readonly number[];
  /** Only consumers with this one get it. */
  readonly requiredSubchannel?: number;
  /** Consumers with this one don't get it. */
  readonly ignoredSubchannel?: number;
}

/** A message on its way out; who it is for matters only where it goes to another router. */
export type OutgoingMessage = Pick<DataMessage, 'ppid' | 'bytes'> & Partial<DataMessage>;

/** Who gets the messages of a producer of data. */
export interface DataTaker {
  /** Whether a message is for it. */
  wants(message: DataMessage): boolean;
  /** @returns false when it was dropped */
  send(message: DataMessage): boolean;
  producerPaused(): void;
  producerResumed(): void;
}

/** Messages that are sent to the router. */
export class DataProducer {
  readonly id: string;
  readonly options: DataProducerOptions;
  readonly #consumers = new Set<DataTaker>();
  readonly #maxMessageBytes: number;
  #isPaused: boolean;
  #messages = 0;
  #bytes = 0;

  /** @param maxMessageBytes longer ones are dropped */
  constructor(options: DataProducerOptions, maxMessageBytes: number) {
    this.id = options.id;
    this.options = options;
    this.#maxMessageBytes = maxMessageBytes;
    this.#isPaused = options.paused ?? false;
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  addConsumer(consumer: DataTaker): void {
    this.#consumers.add(consumer);
  }

  removeConsumer(consumer: DataTaker): void {
    this.#consumers.delete(consumer);
  }

  /** Gives a message to those consumers it is for. */
  receive(message: DataMessage): void {
    if (message.bytes.length > this.#maxMessageBytes) return;
    this.#messages++;
    this.#bytes += message.bytes.length;
    if (this.#isPaused) return;
    for (const consumer of this.#consumers) if (consumer.wants(message)) consumer.send(message);
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    for (const consumer of this.#consumers) consumer.producerPaused();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    for (const consumer of this.#consumers) consumer.producerResumed();
  }

  dump(): object {
    const { id, type, sctpStreamParameters, label, protocol } = this.options;
    const stream = sctpStreamParameters === undefined ? {} : { sctpStreamParameters };
    return { id, paused: this.#isPaused, type, ...stream, label, protocol };
  }

  stats(nowMs: number): object[] {
    const { label, protocol } = this.options;
    return [
      {
        type: 'data-producer',
        timestamp: Math.floor(nowMs),
        label,
        protocol,
        messagesReceived: this.#messages,
        bytesReceived: this.#bytes,
      },
    ];
  }
}
