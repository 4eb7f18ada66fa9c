import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import { dataMessageOf } from './data-message.ts';
import type { DataProducerDump, DataProducerStat, DataProducerType } from './data-types.ts';
import { Entity, type EntityOptions } from './entity.ts';
import { Logger } from './logger.ts';
import type { SctpStreamParameters } from './sctp-parameters.ts';

/** Events of a data producer. */
export interface DataProducerEvents {
  transportclose: [];
  listenererror: [string, Error];
  '@close': [];
}

/** Events of a data producer's observer. */
export interface DataProducerObserverEvents {
  close: [];
  pause: [];
  resume: [];
}

export interface DataProducerImplOptions<A extends AppData> extends EntityOptions<A> {
  readonly type: DataProducerType;
  readonly sctpStreamParameters: SctpStreamParameters | undefined;
  readonly label: string;
  readonly protocol: string;
  readonly paused: boolean;
}

const logger = new Logger('DataProducer');

/** Messages that come into a router. */
export class DataProducerImpl<A extends AppData = AppData> extends Entity<
  A,
  DataProducerEvents,
  DataProducerObserverEvents
> {
  readonly #options: DataProducerImplOptions<A>;
  #paused: boolean;

  /** @private */
  constructor(options: DataProducerImplOptions<A>) {
    super(options);
    this.#options = options;
    this.#paused = options.paused;
    this.channel.subscribe(this.id, (event) => logger.error(`ignoring unknown event "${event}"`));
  }

  get type(): DataProducerType {
    return this.#options.type;
  }

  get sctpStreamParameters(): SctpStreamParameters | undefined {
    return clone(this.#options.sctpStreamParameters);
  }

  get label(): string {
    return this.#options.label;
  }

  get protocol(): string {
    return this.#options.protocol;
  }

  get paused(): boolean {
    return this.#paused;
  }

  close(): void {
    if (!this.markClosed()) return;
    this.channel.requestAndForget('transport.closeDataProducer', this.internal);
    this.emit('@close');
    this.observer.safeEmit('close');
  }

  /** @private */
  transportClosed(): void {
    if (!this.markClosed()) return;
    this.safeEmit('transportclose');
    this.observer.safeEmit('close');
  }

  async dump(): Promise<DataProducerDump> {
    return (await this.request('dataProducer.dump')) as DataProducerDump;
  }

  async getStats(): Promise<DataProducerStat[]> {
    return (await this.request('dataProducer.getStats')) as DataProducerStat[];
  }

  async pause(): Promise<void> {
    await this.request('dataProducer.pause');
    const wasPaused = this.#paused;
    this.#paused = true;
    if (!wasPaused) this.observer.safeEmit('pause');
  }

  async resume(): Promise<void> {
    await this.request('dataProducer.resume');
    const wasPaused = this.#paused;
    this.#paused = false;
    if (wasPaused) this.observer.safeEmit('resume');
  }

  /**
   * Sends a message to the data consumers; on direct transports only.
   * @param ppid by default what the message is
   * @param subchannels those who have subscribed to one of them get it; everybody by default
   * @param requiredSubchannel and they must have this one
   * @param ignoredSubchannel and they must not have this one
   * @throws TypeError
   */
  send(
    message: string | Buffer,
    ppid?: number,
    subchannels?: number[],
    requiredSubchannel?: number,
    ignoredSubchannel?: number,
  ): void {
    const { ppid: kind, bytes } = dataMessageOf(message, ppid);
    if (subchannels !== undefined && !Array.isArray(subchannels)) throw new TypeError('subchannels must be an array');
    const data = { ppid: kind, subchannels, requiredSubchannel, ignoredSubchannel };
    this.channel.notify('dataProducer.send', this.internal, data, bytes);
  }
}
