import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import { dataMessageOf } from './data-message.ts';
import { type DataConsumerDump, type DataConsumerStat, type DataConsumerType, MAX_SUBCHANNEL } from './data-types.ts';
import { Logger } from './logger.ts';
import type { SctpStreamParameters } from './sctp-parameters.ts';
import { TransportChild, type TransportChildOptions } from './transport-child.ts';

/** Events of a data consumer. */
export interface DataConsumerEvents {
  transportclose: [];
  dataproducerclose: [];
  dataproducerpause: [];
  dataproducerresume: [];
  /** On direct transports: the message and its payload protocol identifier. */
  message: [Buffer, number];
  sctpsendbufferfull: [];
  bufferedamountlow: [number];
  listenererror: [string, Error];
  '@close': [];
  '@dataproducerclose': [];
}

/** Events of a data consumer's observer. */
export interface DataConsumerObserverEvents {
  close: [];
  pause: [];
  resume: [];
}

export interface DataConsumerImplOptions<A extends AppData> extends TransportChildOptions<A> {
  readonly dataProducerId: string;
  readonly type: DataConsumerType;
  readonly sctpStreamParameters: SctpStreamParameters | undefined;
  readonly label: string;
  readonly protocol: string;
  readonly dataProducerPaused: boolean;
  readonly subchannels: readonly number[];
}

const logger = new Logger('DataConsumer');

/** Messages that go out of a router to one endpoint. */
export class DataConsumerImpl<A extends AppData = AppData> extends TransportChild<
  A,
  DataConsumerEvents,
  DataConsumerObserverEvents,
  DataConsumerDump,
  DataConsumerStat
> {
  readonly #options: DataConsumerImplOptions<A>;
  #subchannels: number[];

  /** @private */
  constructor(options: DataConsumerImplOptions<A>) {
    super(options, 'dataConsumer', options.dataProducerPaused);
    this.#options = options;
    this.#subchannels = [...options.subchannels];
  }

  get dataProducerId(): string {
    return this.#options.dataProducerId;
  }

  get type(): DataConsumerType {
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

  get dataProducerPaused(): boolean {
    return this.isSourcePaused;
  }

  get subchannels(): number[] {
    return [...this.#subchannels];
  }

  /** Bytes that wait to be sent. */
  async getBufferedAmount(): Promise<number> {
    return ((await this.request('dataConsumer.getBufferedAmount')) as { bufferedAmount: number }).bufferedAmount;
  }

  /**
   * When the bytes that wait fall to this, `bufferedamountlow` is emitted.
   * @throws TypeError
   */
  async setBufferedAmountLowThreshold(threshold: number): Promise<void> {
    if (typeof threshold !== 'number') throw new TypeError('threshold must be a number');
    await this.request('dataConsumer.setBufferedAmountLowThreshold', { threshold });
  }

  /**
   * Sends a message to this consumer alone.
   * @param ppid by default what the message is
   * @returns the bytes that wait to be sent
   * @throws TypeError also on direct transports: there is nobody but the application
   */
  async send(message: string | Buffer, ppid?: number): Promise<number> {
    if (this.type === 'direct') throw new TypeError('cannot send to a direct DataConsumer');
    const { ppid: kind, bytes } = dataMessageOf(message, ppid);
    const data = await this.request('dataConsumer.send', { ppid: kind }, bytes);
    return (data as { bufferedAmount?: number } | undefined)?.bufferedAmount ?? 0;
  }

  /**
   * Only messages for one of these, or for none, are received from now on.
   * @throws TypeError
   */
  async setSubchannels(subchannels: number[]): Promise<void> {
    if (!Array.isArray(subchannels)) throw new TypeError('subchannels must be an array');
    const numbers = subchannels.map((subchannel) => subchannelOf(subchannel));
    this.#takeSubchannels(await this.request('dataConsumer.setSubchannels', { subchannels: numbers }));
  }

  /** @throws TypeError */
  async addSubchannel(subchannel: number): Promise<void> {
    const data = { subchannel: subchannelOf(subchannel) };
    this.#takeSubchannels(await this.request('dataConsumer.addSubchannel', data));
  }

  /** @throws TypeError */
  async removeSubchannel(subchannel: number): Promise<void> {
    const data = { subchannel: subchannelOf(subchannel) };
    this.#takeSubchannels(await this.request('dataConsumer.removeSubchannel', data));
  }

  #takeSubchannels(data: unknown): void {
    this.#subchannels = (data as { subchannels: number[] }).subchannels;
  }

  protected override notified(event: string, data: unknown, payload: Uint8Array | undefined): void {
    switch (event) {
      case 'dataproducerclose':
        this.sourceClosed(event);
        break;
      case 'dataproducerpause':
      case 'dataproducerresume':
        this.sourcePauseChanged(event === 'dataproducerpause', event);
        break;
      case 'sctpsendbufferfull':
        this.safeEmit('sctpsendbufferfull');
        break;
      case 'bufferedamountlow':
        this.safeEmit('bufferedamountlow', (data as { bufferedAmount: number }).bufferedAmount);
        break;
      case 'message':
        if (payload !== undefined) this.safeEmit('message', Buffer.from(payload), (data as { ppid: number }).ppid);
        break;
      default:
        logger.error(`ignoring unknown event "${event}"`);
    }
  }
}

/** Its lowest 16 bits, as in mediasoup. @throws TypeError when it is no integer */
function subchannelOf(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new TypeError('a subchannel must be an integer');
  return (value as number) & MAX_SUBCHANNEL;
}
