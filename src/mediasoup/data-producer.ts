import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import { dataMessageOf } from './data-message.ts';
import type { DataProducerDump, DataProducerStat, DataProducerType } from './data-types.ts';
import { Logger } from './logger.ts';
import type { SctpStreamParameters } from './sctp-parameters.ts';
import { TransportChild, type TransportChildOptions } from './transport-child.ts';

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

export interface DataProducerImplOptions<A extends AppData> extends TransportChildOptions<A> {
  readonly type: DataProducerType;
  readonly sctpStreamParameters: SctpStreamParameters | undefined;
  readonly label: string;
  readonly protocol: string;
}

const logger = new Logger('DataProducer');

/** Messages that come into a router. */
export class DataProducerImpl<A extends AppData = AppData> extends TransportChild<
  A,
  DataProducerEvents,
  DataProducerObserverEvents,
  DataProducerDump,
  DataProducerStat
> {
  readonly #options: DataProducerImplOptions<A>;

  /** @private */
  constructor(options: DataProducerImplOptions<A>) {
    super(options, 'dataProducer', false);
    this.#options = options;
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

  /** There are none. */
  protected override notified(event: string): void {
    logger.error(`ignoring unknown event "${event}"`);
  }
}
