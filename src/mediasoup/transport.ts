import type { AppData } from './app-data.ts';
import type { ConsumerImpl } from './consumer.ts';
import { ConsumerFactory } from './consumer-factory.ts';
import type { DataConsumerImpl } from './data-consumer.ts';
import { DataFactory } from './data-factory.ts';
import type { DataProducerImpl } from './data-producer.ts';
import type { DataConsumerOptions, DataProducerOptions } from './data-types.ts';
import { checkTraceEventTypes, Entity, type EntityOptions } from './entity.ts';
import { numberOf } from './given-options.ts';
import { Logger } from './logger.ts';
import type { ProducerImpl } from './producer.ts';
import { ProducerFactory } from './producer-factory.ts';
import type { RouterOfTransport } from './router-of-transport.ts';
import type { ConsumerOptions, ProducerOptions } from './rtp-stream-types.ts';
import type { SctpState } from './sctp-parameters.ts';
import type {
  BaseTransportDump,
  BaseTransportStats,
  DtlsState,
  IceState,
  TransportTraceEventData,
  TransportTraceEventType,
  TransportTuple,
  TransportType,
} from './transport-types.ts';

/** Events of transports; which of them come depends on the kind. */
export interface TransportEvents {
  routerclose: [];
  listenserverclose: [];
  trace: [TransportTraceEventData];
  icestatechange: [IceState];
  iceselectedtuplechange: [TransportTuple];
  dtlsstatechange: [DtlsState];
  sctpstatechange: [SctpState];
  tuple: [TransportTuple];
  rtcptuple: [TransportTuple];
  /** On direct transports. */
  rtcp: [Buffer];
  listenererror: [string, Error];
  '@close': [];
  '@listenserverclose': [];
}

/** Events of a transport's observer. */
export interface TransportObserverEvents {
  close: [];
  newproducer: [ProducerImpl];
  newconsumer: [ConsumerImpl];
  newdataproducer: [DataProducerImpl];
  newdataconsumer: [DataConsumerImpl];
  trace: [TransportTraceEventData];
  icestatechange: [IceState];
  iceselectedtuplechange: [TransportTuple];
  dtlsstatechange: [DtlsState];
  sctpstatechange: [SctpState];
  tuple: [TransportTuple];
  rtcptuple: [TransportTuple];
  rtcp: [Buffer];
}

export interface TransportImplOptions<A extends AppData> extends EntityOptions<A> {
  readonly router: RouterOfTransport;
  /** State of the new transport as the worker gave it. */
  readonly data: BaseTransportDump;
}

const logger = new Logger('Transport');

/** What all kinds of transports have in common: producers, consumers and their data, limits of bitrate, closing. */
export abstract class TransportImpl<A extends AppData = AppData> extends Entity<
  A,
  TransportEvents,
  TransportObserverEvents
> {
  readonly #router: RouterOfTransport;
  readonly #producers = new Map<string, ProducerImpl>();
  readonly #consumers = new Map<string, ConsumerImpl>();
  readonly #dataProducers = new Map<string, DataProducerImpl>();
  readonly #dataConsumers = new Map<string, DataConsumerImpl>();
  readonly #producerFactory: ProducerFactory;
  readonly #consumerFactory: ConsumerFactory;
  readonly #dataFactory: DataFactory;

  /** @private */
  protected constructor(options: TransportImplOptions<A>) {
    super(options);
    const { channel, internal, router, data } = options;
    this.#router = router;
    this.#producerFactory = new ProducerFactory(channel, internal, router);
    this.#consumerFactory = new ConsumerFactory(channel, internal, router);
    this.#dataFactory = new DataFactory(channel, internal, router, data.sctpParameters);
    channel.subscribe(this.id, (event, news, payload) => this.#notified(event, news, payload));
  }

  abstract get type(): TransportType;

  /** @private Of this transport; the ids of dumps come from the worker. */
  get producersForTesting(): ReadonlyMap<string, ProducerImpl> {
    return this.#producers;
  }

  abstract connect(options: never): Promise<void>;

  close(): void {
    if (!this.markClosed()) return;
    this.channel.requestAndForget('router.closeTransport', this.internal);
    this.#closeAll(true);
    this.emit('@close');
    this.observer.safeEmit('close');
  }

  /** @private */
  routerClosed(): void {
    if (!this.markClosed()) return;
    this.#closeAll(false);
    this.emit('@close');
    this.safeEmit('routerclose');
    this.observer.safeEmit('close');
  }

  /** @private The WebRTC server it listens with is gone, and in the worker it is, too. */
  listenServerClosed(): void {
    if (!this.markClosed()) return;
    this.#closeAll(true);
    this.emit('@listenserverclose');
    this.safeEmit('listenserverclose');
    this.observer.safeEmit('close');
  }

  async dump(): Promise<BaseTransportDump> {
    return (await this.request('transport.dump')) as BaseTransportDump;
  }

  async getStats(): Promise<BaseTransportStats[]> {
    return (await this.request('transport.getStats')) as BaseTransportStats[];
  }

  /**
   * Limits what clients send here, as far as they listen to REMB; 0 is no limit.
   * @throws TypeError
   */
  async setMaxIncomingBitrate(bitrate: number): Promise<void> {
    await this.#setBitrate('transport.setMaxIncomingBitrate', bitrate);
  }

  /** Limits what consumers get; 0 is no limit. Rejects below the minimum. */
  async setMaxOutgoingBitrate(bitrate: number): Promise<void> {
    await this.#setBitrate('transport.setMaxOutgoingBitrate', bitrate);
  }

  /** What consumers may always take, whatever the estimation says; 0 is none. Rejects above the maximum. */
  async setMinOutgoingBitrate(bitrate: number): Promise<void> {
    await this.#setBitrate('transport.setMinOutgoingBitrate', bitrate);
  }

  async #setBitrate(method: string, bitrate: number): Promise<void> {
    const given = numberOf(bitrate);
    if (typeof given !== 'number') throw new TypeError('bitrate must be a number');
    await this.request(method, { bitrate: given });
  }

  /**
   * Receives audio or video.
   * @throws TypeError, UnsupportedError
   */
  async produce<P extends AppData = AppData>(options: ProducerOptions<P>): Promise<ProducerImpl<P>> {
    const producer = await this.#producerFactory.produce(options, this.keepsCname);
    const known = producer as unknown as ProducerImpl;
    known.on('@close', this.#keepSource(known, this.#producers));
    this.observer.safeEmit('newproducer', known);
    return producer;
  }

  /**
   * Sends audio or video of a producer.
   * @throws TypeError, UnsupportedError, NotFoundError
   */
  async consume<C extends AppData = AppData>(options: ConsumerOptions<C>): Promise<ConsumerImpl<C>> {
    return this.adopt(await this.#consumerFactory.consume(options));
  }

  /**
   * Receives messages.
   * @throws TypeError
   */
  async produceData<P extends AppData = AppData>(options: DataProducerOptions<P> = {}): Promise<DataProducerImpl<P>> {
    const dataProducer = await this.#dataFactory.produceData(options, this.type === 'direct');
    const known = dataProducer as unknown as DataProducerImpl;
    known.on('@close', this.#keepSource(known, this.#dataProducers));
    this.observer.safeEmit('newdataproducer', known);
    return dataProducer;
  }

  /**
   * Sends the messages of a data producer.
   * @throws TypeError, NotFoundError
   */
  async consumeData<C extends AppData = AppData>(options: DataConsumerOptions<C>): Promise<DataConsumerImpl<C>> {
    const dataConsumer = await this.#dataFactory.consumeData(options, this.type === 'direct');
    this.checkOpen(() => dataConsumer.transportClosed());
    const known = dataConsumer as unknown as DataConsumerImpl;
    this.#dataConsumers.set(dataConsumer.id, known);
    const forget = (): void => {
      this.#dataConsumers.delete(dataConsumer.id);
      this.#dataFactory.release(known);
    };
    dataConsumer.on('@close', forget);
    dataConsumer.on('@dataproducerclose', forget);
    this.observer.safeEmit('newdataconsumer', known);
    return dataConsumer;
  }

  /** @throws TypeError */
  async enableTraceEvent(types: TransportTraceEventType[] = []): Promise<void> {
    checkTraceEventTypes(types);
    await this.request('transport.enableTraceEvent', { types });
  }

  /** Producers keep the names of their senders: between routers they must. */
  protected get keepsCname(): boolean {
    return false;
  }

  /** Keeps a consumer made on this transport. */
  protected adopt<C extends AppData>(consumer: ConsumerImpl<C>): ConsumerImpl<C> {
    this.checkOpen(() => consumer.transportClosed());
    const known = consumer as unknown as ConsumerImpl;
    this.#consumers.set(consumer.id, known);
    consumer.on('@close', () => this.#consumers.delete(consumer.id));
    consumer.on('@producerclose', () => this.#consumers.delete(consumer.id));
    this.observer.safeEmit('newconsumer', known);
    return consumer;
  }

  protected get consumerFactory(): ConsumerFactory {
    return this.#consumerFactory;
  }

  /** What the transport itself, in the way of its kind, does when closing. */
  protected onClosing(): void {}

  /** An event only this kind has. @returns false when it has no such event */
  protected abstract notified(event: string, data: unknown, payload: Uint8Array | undefined): boolean;

  /** Keeps what others of the router can consume. @returns forgets it */
  #keepSource<T extends ProducerImpl | DataProducerImpl>(source: T, sources: Map<string, T>): () => void {
    this.checkOpen(() => source.transportClosed());
    sources.set(source.id, source);
    this.#router.opened(source);
    return () => {
      sources.delete(source.id);
      this.#router.gone(source);
    };
  }

  #closeAll(mustTellRouter: boolean): void {
    this.onClosing();
    for (const producer of this.#producers.values()) {
      producer.transportClosed();
      if (mustTellRouter) this.#router.gone(producer);
    }
    for (const consumer of this.#consumers.values()) consumer.transportClosed();
    for (const dataProducer of this.#dataProducers.values()) {
      dataProducer.transportClosed();
      if (mustTellRouter) this.#router.gone(dataProducer);
    }
    for (const dataConsumer of this.#dataConsumers.values()) dataConsumer.transportClosed();
    for (const map of [this.#producers, this.#consumers, this.#dataProducers, this.#dataConsumers]) map.clear();
  }

  #notified(event: string, data: unknown, payload: Uint8Array | undefined): void {
    if (event === 'trace') {
      this.tell('trace', data as TransportTraceEventData);
    } else if (!this.notified(event, data, payload)) {
      logger.error(`ignoring unknown event "${event}"`);
    }
  }
}
