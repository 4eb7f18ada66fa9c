import { ActiveSpeakerObserverImpl, type ActiveSpeakerObserverOptions } from './active-speaker-observer.ts';
import { type AppData, checkAppData } from './app-data.ts';
import { AudioLevelObserverImpl, type AudioLevelObserverOptions } from './audio-level-observer.ts';
import { clone } from './clone.ts';
import { DataProducerImpl } from './data-producer.ts';
import type { DirectTransportImpl } from './direct-transport.ts';
import { Entity, type EntityOptions } from './entity.ts';
import { NotFoundError } from './errors.ts';
import { Logger } from './logger.ts';
import { canConsume } from './ortc/consumer-rtp-parameters.ts';
import { generateRouterRtpCapabilities } from './ortc/router-rtp-capabilities.ts';
import { type PipeEnd, RouterPipes } from './pipe-to-router.ts';
import type { PipeToRouterOptions, PipeToRouterResult } from './pipe-to-router-types.ts';
import type { PipeTransportImpl } from './pipe-transport.ts';
import type { PlainTransportImpl } from './plain-transport.ts';
import { ProducerImpl } from './producer.ts';
import { randomId } from './random.ts';
import type { RtpObserverImpl } from './rtp-observer.ts';
import type { NormalizedRtpCapabilities, RouterRtpCodecCapability, RtpCapabilities } from './rtp-parameters.ts';
import type { TransportImpl } from './transport.ts';
import { TransportFactory } from './transport-factory.ts';
import type {
  DirectTransportOptions,
  PipeTransportOptions,
  PlainTransportOptions,
  WebRtcTransportOptions,
} from './transport-types.ts';
import type { WebRtcTransportImpl } from './web-rtc-transport.ts';

export interface RouterOptions<A extends AppData = AppData> {
  mediaCodecs?: RouterRtpCodecCapability[];
  appData?: A;
}

/** Events of a router. */
export interface RouterEvents {
  workerclose: [];
  listenererror: [string, Error];
  '@close': [];
}

/** Events of a router's observer. */
export interface RouterObserverEvents {
  close: [];
  newtransport: [TransportImpl];
  newrtpobserver: [RtpObserverImpl];
}

export interface RouterDump {
  id: string;
  transportIds: string[];
  rtpObserverIds: string[];
  mapProducerIdConsumerIds: { key: string; values: string[] }[];
  mapConsumerIdProducerId: { key: string; value: string }[];
  mapProducerIdObserverIds: { key: string; values: string[] }[];
  mapDataProducerIdDataConsumerIds: { key: string; values: string[] }[];
  mapDataConsumerIdDataProducerId: { key: string; value: string }[];
}

export interface RouterImplOptions<A extends AppData> extends EntityOptions<A> {
  readonly rtpCapabilities: NormalizedRtpCapabilities;
}

const logger = new Logger('Router');

/** Where producers and consumers of many transports meet. */
export class RouterImpl<A extends AppData = AppData> extends Entity<A, RouterEvents, RouterObserverEvents> {
  readonly #transports = new Map<string, TransportImpl>();
  readonly #rtpObservers = new Map<string, RtpObserverImpl>();
  readonly #producers = new Map<string, ProducerImpl>();
  readonly #dataProducers = new Map<string, DataProducerImpl>();
  readonly #factory: TransportFactory;
  readonly #pipes: RouterPipes;
  #rtpCapabilities: NormalizedRtpCapabilities;

  /** @private */
  constructor(options: RouterImplOptions<A>) {
    super(options);
    this.#rtpCapabilities = options.rtpCapabilities;
    this.#pipes = new RouterPipes(this.#pipeEnd());
    this.#factory = new TransportFactory(options.channel, options.internal, {
      rtpCapabilities: () => this.#rtpCapabilities,
      producer: (id) => this.#producers.get(id),
      dataProducer: (id) => this.#dataProducers.get(id),
      opened: (producer) => {
        if (producer instanceof DataProducerImpl) this.#dataProducers.set(producer.id, producer);
        else this.#producers.set(producer.id, producer);
      },
      gone: (producer) => {
        if (producer instanceof ProducerImpl) this.#producers.delete(producer.id);
        else this.#dataProducers.delete(producer.id);
      },
    });
  }

  get rtpCapabilities(): RtpCapabilities {
    return clone(this.#rtpCapabilities);
  }

  /** @private */
  get transportsForTesting(): ReadonlyMap<string, TransportImpl> {
    return this.#transports;
  }

  close(): void {
    if (!this.markClosed()) return;
    this.channel.requestAndForget('worker.closeRouter', this.internal);
    this.#closeAll();
    this.emit('@close');
    this.observer.safeEmit('close');
  }

  /** @private */
  workerClosed(): void {
    if (!this.markClosed()) return;
    this.#closeAll();
    this.safeEmit('workerclose');
    this.observer.safeEmit('close');
  }

  async dump(): Promise<RouterDump> {
    return (await this.request('router.dump')) as RouterDump;
  }

  /** @throws TypeError */
  async createWebRtcTransport<T extends AppData = AppData>(
    options: WebRtcTransportOptions<T>,
  ): Promise<WebRtcTransportImpl<T>> {
    return this.#adopt(await this.#factory.webRtc(options));
  }

  /** @throws TypeError */
  async createPlainTransport<T extends AppData = AppData>(
    options: PlainTransportOptions<T>,
  ): Promise<PlainTransportImpl<T>> {
    return this.#adopt(await this.#factory.plain(options));
  }

  /** @throws TypeError */
  async createPipeTransport<T extends AppData = AppData>(
    options: PipeTransportOptions<T>,
  ): Promise<PipeTransportImpl<T>> {
    return this.#adopt(await this.#factory.pipe(options));
  }

  /** @throws TypeError */
  async createDirectTransport<T extends AppData = AppData>(
    options: DirectTransportOptions<T> = {},
  ): Promise<DirectTransportImpl<T>> {
    return this.#adopt(await this.#factory.direct(options));
  }

  /**
   * Sends a producer or data producer of this router to another one, over a pair of pipe transports that is kept for more.
   * @throws TypeError, NotFoundError
   */
  async pipeToRouter(options: PipeToRouterOptions): Promise<PipeToRouterResult> {
    const { producerId, dataProducerId, router } = options;
    if ((producerId === undefined) === (dataProducerId === undefined)) {
      throw new TypeError('one of producerId and dataProducerId must be given, and not both');
    }
    if (!(router instanceof RouterImpl)) throw new TypeError('router must be a Router');
    if (router.closed) throw new NotFoundError('Router not found');
    if ((router as unknown) === this) throw new TypeError('cannot use this Router as destination');
    return this.#pipes.pipe(options, router.#pipes);
  }

  /** @throws TypeError */
  async createActiveSpeakerObserver<T extends AppData = AppData>(
    options: ActiveSpeakerObserverOptions<T> = {},
  ): Promise<ActiveSpeakerObserverImpl<T>> {
    const { interval = 300, appData } = options;
    checkNumber(interval, 'interval');
    const made = await this.#createObserver('router.createActiveSpeakerObserver', { interval }, appData);
    return this.#watch(new ActiveSpeakerObserverImpl<T>(made));
  }

  /** @throws TypeError */
  async createAudioLevelObserver<T extends AppData = AppData>(
    options: AudioLevelObserverOptions<T> = {},
  ): Promise<AudioLevelObserverImpl<T>> {
    const { maxEntries = 1, threshold = -80, interval = 1000, appData } = options;
    checkNumber(maxEntries, 'maxEntries');
    if (maxEntries <= 0) throw new TypeError('if given, maxEntries must be a positive number');
    checkNumber(threshold, 'threshold');
    if (threshold < -127 || threshold > 0)
      throw new TypeError('if given, threshold must be a negative number from -127');
    checkNumber(interval, 'interval');
    const settings = { maxEntries, threshold, interval };
    const made = await this.#createObserver('router.createAudioLevelObserver', settings, appData);
    return this.#watch(new AudioLevelObserverImpl<T>(made));
  }

  /** An endpoint with these capabilities can receive the producer. False for what is wrong. */
  canConsume({ producerId, rtpCapabilities }: { producerId: string; rtpCapabilities: RtpCapabilities }): boolean {
    const producer = this.#producers.get(producerId);
    if (producer === undefined) {
      logger.error(`canConsume() | Producer with id "${producerId}" not found`);
      return false;
    }
    try {
      return canConsume(producer.consumableRtpParameters, clone(rtpCapabilities));
    } catch (error) {
      logger.error('canConsume() | unexpected error', error);
      return false;
    }
  }

  /**
   * Other codecs for producers and consumers to come.
   * @throws TypeError, UnsupportedError
   */
  updateMediaCodecs(mediaCodecs: RouterRtpCodecCapability[]): void {
    this.#rtpCapabilities = generateRouterRtpCapabilities(clone(mediaCodecs));
  }

  async #createObserver<T extends AppData>(
    method: string,
    settings: object,
    appData: T | undefined,
  ): Promise<EntityOptions<T> & { producerOf: (id: string) => ProducerImpl | undefined }> {
    checkAppData(appData);
    const id = randomId();
    const internal = { ...this.internal, rtpObserverId: id };
    await this.channel.request(method, internal, settings);
    return {
      channel: this.channel,
      internal,
      id,
      appData,
      producerOf: (producerId) => this.#producers.get(producerId),
    };
  }

  #watch<T extends RtpObserverImpl>(rtpObserver: T): T {
    this.checkOpen(() => rtpObserver.routerClosed());
    const known: RtpObserverImpl = rtpObserver;
    this.#rtpObservers.set(known.id, known);
    known.on('@close', () => this.#rtpObservers.delete(known.id));
    this.observer.safeEmit('newrtpobserver', known);
    return rtpObserver;
  }

  #adopt<T extends TransportImpl>(transport: T): T {
    this.checkOpen(() => transport.routerClosed());
    const known: TransportImpl = transport;
    this.#transports.set(known.id, known);
    known.on('@close', () => this.#transports.delete(known.id));
    known.on('@listenserverclose', () => this.#transports.delete(known.id));
    this.observer.safeEmit('newtransport', known);
    return transport;
  }

  #pipeEnd(): PipeEnd {
    return {
      id: this.id,
      channel: this.channel,
      producer: (id) => this.#producers.get(id),
      dataProducer: (id) => this.#dataProducers.get(id),
      createPipeTransport: async (options) => this.createPipeTransport(options),
    };
  }

  #closeAll(): void {
    for (const transport of this.#transports.values()) transport.routerClosed();
    for (const rtpObserver of this.#rtpObservers.values()) rtpObserver.routerClosed();
    for (const map of [this.#transports, this.#rtpObservers, this.#producers, this.#dataProducers]) map.clear();
  }
}

function checkNumber(value: unknown, name: string): void {
  if (typeof value !== 'number' || Number.isNaN(value)) throw new TypeError(`if given, ${name} must be a number`);
}
