import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import { checkTraceEventTypes } from './entity.ts';
import { Logger } from './logger.ts';
import type { MediaKind, NormalizedRtpParameters, RtpParameters } from './rtp-parameters.ts';
import type {
  ProducerDump,
  ProducerScore,
  ProducerStat,
  ProducerTraceEventData,
  ProducerTraceEventType,
  ProducerType,
  ProducerVideoOrientation,
} from './rtp-stream-types.ts';
import { TransportChild, type TransportChildOptions } from './transport-child.ts';

/** Events of a producer. */
export interface ProducerEvents {
  transportclose: [];
  score: [ProducerScore[]];
  videoorientationchange: [ProducerVideoOrientation];
  trace: [ProducerTraceEventData];
  listenererror: [string, Error];
  '@close': [];
}

/** Events of a producer's observer. */
export interface ProducerObserverEvents {
  close: [];
  pause: [];
  resume: [];
  score: [ProducerScore[]];
  videoorientationchange: [ProducerVideoOrientation];
  trace: [ProducerTraceEventData];
}

export interface ProducerImplOptions<A extends AppData> extends TransportChildOptions<A> {
  readonly kind: MediaKind;
  readonly type: ProducerType;
  readonly rtpParameters: RtpParameters;
  readonly consumableRtpParameters: NormalizedRtpParameters;
}

const logger = new Logger('Producer');

/** Audio or video that comes into a router. */
export class ProducerImpl<A extends AppData = AppData> extends TransportChild<
  A,
  ProducerEvents,
  ProducerObserverEvents,
  ProducerDump,
  ProducerStat
> {
  readonly #options: ProducerImplOptions<A>;
  #score: ProducerScore[] = [];

  /** @private */
  constructor(options: ProducerImplOptions<A>) {
    super(options, 'producer', false);
    this.#options = options;
  }

  get kind(): MediaKind {
    return this.#options.kind;
  }

  get rtpParameters(): RtpParameters {
    return clone(this.#options.rtpParameters);
  }

  get type(): ProducerType {
    return this.#options.type;
  }

  /** @private What consumers of it are made from. */
  get consumableRtpParameters(): NormalizedRtpParameters {
    return clone(this.#options.consumableRtpParameters);
  }

  /** One for each stream; empty until the first packets. */
  get score(): ProducerScore[] {
    return clone(this.#score);
  }

  /** @throws TypeError */
  async enableTraceEvent(types: ProducerTraceEventType[] = []): Promise<void> {
    checkTraceEventTypes(types);
    await this.request('producer.enableTraceEvent', { types });
  }

  /**
   * Sends an RTP packet into the router; on direct transports only.
   * @throws TypeError when it is no bytes
   */
  send(rtpPacket: Buffer): void {
    if (!(rtpPacket instanceof Uint8Array)) throw new TypeError('rtpPacket must be a Buffer');
    this.channel.notify('producer.send', this.internal, undefined, rtpPacket);
  }

  protected override notified(event: string, data: unknown): void {
    switch (event) {
      case 'score':
        this.#score = data as ProducerScore[];
        this.tell('score', this.score);
        break;
      case 'videoorientationchange':
        this.tell(event, data as ProducerVideoOrientation);
        break;
      case 'trace':
        this.tell(event, data as ProducerTraceEventData);
        break;
      default:
        logger.error(`ignoring unknown event "${event}"`);
    }
  }
}
