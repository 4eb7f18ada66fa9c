import type { AppData } from './app-data.ts';
import { Entity, type EntityOptions } from './entity.ts';
import { NotFoundError } from './errors.ts';
import { Logger } from './logger.ts';
import type { ProducerImpl } from './producer.ts';

/** A producer and how loud it is, dBov from -127 to 0. */
export interface AudioLevelObserverVolume {
  producer: ProducerImpl;
  volume: number;
}

export interface ActiveSpeakerObserverDominantSpeaker {
  producer: ProducerImpl;
}

/** Events of RTP observers; which of them come depends on the kind. */
export interface RtpObserverEvents {
  routerclose: [];
  /** Of audio levels. */
  volumes: [AudioLevelObserverVolume[]];
  /** Of audio levels. */
  silence: [];
  /** Of the active speaker. */
  dominantspeaker: [ActiveSpeakerObserverDominantSpeaker];
  listenererror: [string, Error];
  '@close': [];
}

/** Events of an RTP observer's observer. */
export interface RtpObserverObserverEvents {
  close: [];
  pause: [];
  resume: [];
  addproducer: [ProducerImpl];
  removeproducer: [ProducerImpl];
  volumes: [AudioLevelObserverVolume[]];
  silence: [];
  dominantspeaker: [ActiveSpeakerObserverDominantSpeaker];
}

export type RtpObserverType = 'audiolevel' | 'activespeaker';

export interface RtpObserverImplOptions<A extends AppData> extends EntityOptions<A> {
  readonly producerOf: (id: string) => ProducerImpl | undefined;
}

const logger = new Logger('RtpObserver');

/** Watches producers of its router. */
export abstract class RtpObserverImpl<A extends AppData = AppData> extends Entity<
  A,
  RtpObserverEvents,
  RtpObserverObserverEvents
> {
  readonly #producerOf: (id: string) => ProducerImpl | undefined;
  #paused = false;

  /** @private */
  protected constructor(options: RtpObserverImplOptions<A>) {
    super(options);
    this.#producerOf = options.producerOf;
    this.channel.subscribe(this.id, (event, data) => {
      if (!this.notified(event, data)) logger.error(`ignoring unknown event "${event}"`);
    });
  }

  abstract get type(): RtpObserverType;

  get paused(): boolean {
    return this.#paused;
  }

  close(): void {
    if (!this.markClosed()) return;
    this.channel.requestAndForget('router.closeRtpObserver', this.internal);
    this.emit('@close');
    this.observer.safeEmit('close');
  }

  /** @private */
  routerClosed(): void {
    if (!this.markClosed()) return;
    this.safeEmit('routerclose');
    this.observer.safeEmit('close');
  }

  async pause(): Promise<void> {
    await this.request('rtpObserver.pause');
    const wasPaused = this.#paused;
    this.#paused = true;
    if (!wasPaused) this.observer.safeEmit('pause');
  }

  async resume(): Promise<void> {
    await this.request('rtpObserver.resume');
    const wasPaused = this.#paused;
    this.#paused = false;
    if (wasPaused) this.observer.safeEmit('resume');
  }

  /** @throws NotFoundError */
  async addProducer({ producerId }: { producerId: string }): Promise<void> {
    const producer = this.#knownProducer(producerId);
    await this.request('rtpObserver.addProducer', { producerId });
    this.observer.safeEmit('addproducer', producer);
  }

  /** @throws NotFoundError */
  async removeProducer({ producerId }: { producerId: string }): Promise<void> {
    const producer = this.#knownProducer(producerId);
    await this.request('rtpObserver.removeProducer', { producerId });
    this.observer.safeEmit('removeproducer', producer);
  }

  /** The producer of a notification; none when it closed meanwhile. */
  protected producerOf(id: string): ProducerImpl | undefined {
    return this.#producerOf(id);
  }

  /** @returns false when this kind has no such event */
  protected abstract notified(event: string, data: unknown): boolean;

  #knownProducer(producerId: string): ProducerImpl {
    const producer = this.#producerOf(producerId);
    if (producer === undefined) throw new NotFoundError(`Producer with id "${producerId}" not found`);
    return producer;
  }
}
