import { StateError } from '../wire/errors.ts';
import type { Consumer } from './consumers/consumer.ts';
import type { DataConsumer } from './data/data-consumer.ts';
import type { DataProducer } from './data/data-producer.ts';
import type { Producer } from './producer.ts';
import type { RouterEnvironment, SfuErrorCode } from './router-environment.ts';
import type { RouterRtpObserver } from './router-rtp-observer.ts';

/** A transport as its router knows it. */
export interface RouterTransport {
  readonly id: string;
  close(): void;
  /** The producer of one of its consumers has gone. */
  producerClosed(consumer: Consumer): void;
  /** The same for data. */
  dataProducerClosed(consumer: DataConsumer): void;
}

interface Consumed<P, C> {
  readonly source: P;
  readonly consumers: Map<C, RouterTransport>;
}

/** What joins producers and consumers of any of its transports. */
export class Router {
  readonly id: string;
  readonly environment: RouterEnvironment;
  readonly #transports = new Map<string, RouterTransport>();
  readonly #producers = new Map<string, Consumed<Producer, Consumer>>();
  readonly #dataProducers = new Map<string, Consumed<DataProducer, DataConsumer>>();

  readonly #observers = new Map<string, RouterRtpObserver>();

  constructor(id: string, environment: RouterEnvironment) {
    this.id = id;
    this.environment = environment;
  }

  addObserver(observer: RouterRtpObserver): void {
    this.#observers.set(observer.id, observer);
  }

  closeObserver(observer: RouterRtpObserver): void {
    this.#observers.delete(observer.id);
    observer.close();
  }

  addTransport(transport: RouterTransport): void {
    this.#transports.set(transport.id, transport);
  }

  removeTransport(transport: RouterTransport): void {
    this.#transports.delete(transport.id);
  }

  /** @throws StateError `sfu/taken` */
  addProducer(producer: Producer): void {
    if (this.#producers.has(producer.id)) throw taken(`producer ${producer.id}`);
    this.#producers.set(producer.id, { source: producer, consumers: new Map() });
  }

  /** Its consumers are closed with it. */
  removeProducer(producer: Producer): void {
    const entry = this.#producers.get(producer.id);
    if (entry?.source !== producer) return;
    this.#producers.delete(producer.id);
    for (const observer of this.#observers.values()) observer.removeProducer(producer);
    for (const [consumer, transport] of entry.consumers) transport.producerClosed(consumer);
    producer.close();
  }

  /** @throws StateError `sfu/not-found` */
  producer(id: string): Producer {
    return this.#producerEntry(id).source;
  }

  addConsumer(consumer: Consumer, transport: RouterTransport): void {
    this.#producerEntry(consumer.producer.id).consumers.set(consumer, transport);
    consumer.producer.addTaker(consumer);
  }

  removeConsumer(consumer: Consumer): void {
    consumer.producer.removeTaker(consumer);
    this.#producers.get(consumer.producer.id)?.consumers.delete(consumer);
  }

  /** @throws StateError `sfu/taken` */
  addDataProducer(producer: DataProducer): void {
    if (this.#dataProducers.has(producer.id)) throw taken(`data producer ${producer.id}`);
    this.#dataProducers.set(producer.id, { source: producer, consumers: new Map() });
  }

  removeDataProducer(producer: DataProducer): void {
    const entry = this.#dataProducers.get(producer.id);
    if (entry?.source !== producer) return;
    this.#dataProducers.delete(producer.id);
    for (const [consumer, transport] of entry.consumers) transport.dataProducerClosed(consumer);
  }

  /** @throws StateError `sfu/not-found` */
  dataProducer(id: string): DataProducer {
    const entry = this.#dataProducers.get(id);
    if (entry === undefined) throw notFound(`data producer ${id}`);
    return entry.source;
  }

  addDataConsumer(consumer: DataConsumer, transport: RouterTransport): void {
    this.#dataProducers.get(consumer.producer.id)?.consumers.set(consumer, transport);
    consumer.producer.addConsumer(consumer);
  }

  removeDataConsumer(consumer: DataConsumer): void {
    consumer.producer.removeConsumer(consumer);
    this.#dataProducers.get(consumer.producer.id)?.consumers.delete(consumer);
  }

  dump(): object {
    const media = [...this.#producers.values()];
    const data = [...this.#dataProducers.values()];
    return {
      id: this.id,
      transportIds: [...this.#transports.keys()],
      rtpObserverIds: [...this.#observers.keys()],
      mapProducerIdConsumerIds: media.map(({ source, consumers }) => idsOf(source, consumers)),
      mapConsumerIdProducerId: media.flatMap(({ source, consumers }) => pairsOf(source, consumers)),
      mapProducerIdObserverIds: media.map(({ source: { id } }) => {
        const observers = [...this.#observers.values()].filter((observer) => observer.producerIds.includes(id));
        return { key: id, values: observers.map((observer) => observer.id) };
      }),
      mapDataProducerIdDataConsumerIds: data.map(({ source, consumers }) => idsOf(source, consumers)),
      mapDataConsumerIdDataProducerId: data.flatMap(({ source, consumers }) => pairsOf(source, consumers)),
    };
  }

  /** Closes every transport, and all that is theirs. */
  close(): void {
    for (const transport of this.#transports.values()) transport.close();
    for (const observer of this.#observers.values()) this.closeObserver(observer);
  }

  #producerEntry(id: string): Consumed<Producer, Consumer> {
    const entry = this.#producers.get(id);
    if (entry === undefined) throw notFound(`producer ${id}`);
    return entry;
  }
}

interface Named {
  readonly id: string;
}

function idsOf(source: Named, consumers: ReadonlyMap<Named, unknown>): object {
  return { key: source.id, values: [...consumers.keys()].map(({ id }) => id) };
}

function pairsOf(source: Named, consumers: ReadonlyMap<Named, unknown>): object[] {
  return [...consumers.keys()].map(({ id }) => ({ key: id, value: source.id }));
}

function taken(what: string): StateError {
  return new StateError('sfu/taken' satisfies SfuErrorCode, `there is already a ${what}`);
}

function notFound(what: string): StateError {
  return new StateError('sfu/not-found' satisfies SfuErrorCode, `there is no ${what}`);
}
