import type { RouterEnvironment } from '../router-environment.ts';
import type { DataMessage, DataProducer, DataTaker, OutgoingMessage, SctpStreamParameters } from './data-producer.ts';

/** Most subchannels one consumer is in. */
export const MAX_SUBCHANNELS = 65_536;

/** What control tells of a consumer of data. */
export interface DataConsumerOptions {
  readonly id: string;
  readonly type: 'sctp' | 'direct';
  readonly sctpStreamParameters?: SctpStreamParameters;
  readonly label: string;
  readonly protocol: string;
  readonly paused?: boolean;
  readonly subchannels?: readonly number[];
}

/** How a consumer of data sends. */
export interface DataOutlet {
  /** It leads to another router, where there may be consumers of any subchannel. */
  readonly isPipe: boolean;
  /** @returns `full` or `closed` when the message is dropped, for want of room or of a connection */
  sendMessage(consumer: DataConsumer, message: OutgoingMessage): 'sent' | 'full' | 'closed';
  bufferedAmount(consumer: DataConsumer): number;
  /** Of a consumer that has none of its own, bytes. */
  readonly bufferedAmountLowThreshold: number;
  /** It has another `lowThreshold`. */
  setBufferedAmountLowThreshold(consumer: DataConsumer): void;
}

/** Messages on their way to one receiver. */
export class DataConsumer implements DataTaker {
  readonly id: string;
  readonly options: DataConsumerOptions;
  readonly producer: DataProducer;
  readonly #outlet: DataOutlet;
  readonly #environment: RouterEnvironment;
  #subchannels: ReadonlySet<number>;
  #isPaused: boolean;
  #isProducerPaused: boolean;
  #lowThreshold: number;
  #messages = 0;
  #bytes = 0;

  constructor(
    options: DataConsumerOptions,
    producer: DataProducer,
    outlet: DataOutlet,
    environment: RouterEnvironment,
  ) {
    this.id = options.id;
    this.options = options;
    this.producer = producer;
    this.#outlet = outlet;
    this.#environment = environment;
    this.#subchannels = limited(options.subchannels ?? []);
    this.#lowThreshold = outlet.bufferedAmountLowThreshold;
    this.#isPaused = options.paused ?? false;
    this.#isProducerPaused = producer.paused;
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  get isProducerPaused(): boolean {
    return this.#isProducerPaused;
  }

  get subchannels(): readonly number[] {
    return [...this.#subchannels];
  }

  get bufferedAmount(): number {
    return this.#outlet.bufferedAmount(this);
  }

  /** When so many bytes wait, or less, control is told. */
  get lowThreshold(): number {
    return this.#lowThreshold;
  }

  /** Whether a message of the producer is for it. */
  wants({ subchannels, requiredSubchannel, ignoredSubchannel }: DataMessage): boolean {
    if (this.#isPaused) return false;
    // Who is behind a pipe decides there, unless control has said what is to go over it.
    if (this.#outlet.isPipe && this.#subchannels.size === 0) return true;
    if (requiredSubchannel !== undefined && !this.#subchannels.has(requiredSubchannel)) return false;
    // Behind a pipe others may not ignore it.
    const isIgnored = ignoredSubchannel !== undefined && this.#subchannels.has(ignoredSubchannel);
    if (isIgnored && !this.#outlet.isPipe) return false;
    return subchannels.length === 0 || subchannels.some((one) => this.#subchannels.has(one));
  }

  /** Sends a message; when there is no room for it, control is told. @returns false when it was dropped */
  send(message: OutgoingMessage): boolean {
    const verdict = this.#outlet.sendMessage(this, message);
    if (verdict === 'full') this.#environment.notify(this.id, 'sctpsendbufferfull');
    if (verdict !== 'sent') return false;
    this.#messages++;
    this.#bytes += message.bytes.length;
    return true;
  }

  setSubchannels(subchannels: readonly number[]): void {
    this.#subchannels = limited(subchannels);
  }

  setBufferedAmountLowThreshold(bytes: number): void {
    this.#lowThreshold = bytes;
    this.#outlet.setBufferedAmountLowThreshold(this);
  }

  /** What waits has fallen to the threshold. */
  bufferedAmountLow(): void {
    this.#environment.notify(this.id, 'bufferedamountlow', { bufferedAmount: this.bufferedAmount });
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  producerPaused(): void {
    this.#isProducerPaused = true;
    this.#environment.notify(this.id, 'dataproducerpause');
  }

  producerResumed(): void {
    this.#isProducerPaused = false;
    this.#environment.notify(this.id, 'dataproducerresume');
  }

  dump(): object {
    const { id, type, sctpStreamParameters, label, protocol } = this.options;
    return {
      id,
      paused: this.#isPaused,
      dataProducerPaused: this.#isProducerPaused,
      subchannels: this.subchannels,
      dataProducerId: this.producer.id,
      type,
      ...(sctpStreamParameters === undefined ? {} : { sctpStreamParameters }),
      label,
      protocol,
      bufferedAmount: this.bufferedAmount,
      bufferedAmountLowThreshold: this.#lowThreshold,
    };
  }

  stats(nowMs: number): object[] {
    const { label, protocol } = this.options;
    return [
      {
        type: 'data-consumer',
        timestamp: Math.floor(nowMs),
        label,
        protocol,
        messagesSent: this.#messages,
        bytesSent: this.#bytes,
        bufferedAmount: this.bufferedAmount,
      },
    ];
  }
}

function limited(subchannels: readonly number[]): ReadonlySet<number> {
  return new Set(subchannels.slice(0, MAX_SUBCHANNELS));
}
