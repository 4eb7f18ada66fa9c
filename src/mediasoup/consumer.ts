import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import { checkTraceEventTypes } from './entity.ts';
import { withoutNulls } from './given-options.ts';
import { Logger } from './logger.ts';
import type { MediaKind, RtpParameters } from './rtp-parameters.ts';
import type {
  ConsumerDump,
  ConsumerLayers,
  ConsumerScore,
  ConsumerStat,
  ConsumerTraceEventData,
  ConsumerTraceEventType,
  ConsumerType,
} from './rtp-stream-types.ts';
import { TransportChild, type TransportChildOptions } from './transport-child.ts';

/** Events of a consumer. */
export interface ConsumerEvents {
  transportclose: [];
  producerclose: [];
  producerpause: [];
  producerresume: [];
  score: [ConsumerScore];
  layerschange: [ConsumerLayers | undefined];
  trace: [ConsumerTraceEventData];
  /** On direct transports. */
  rtp: [Buffer];
  listenererror: [string, Error];
  '@close': [];
  '@producerclose': [];
}

/** Events of a consumer's observer. */
export interface ConsumerObserverEvents {
  close: [];
  pause: [];
  resume: [];
  score: [ConsumerScore];
  layerschange: [ConsumerLayers | undefined];
  trace: [ConsumerTraceEventData];
}

export interface ConsumerImplOptions<A extends AppData> extends TransportChildOptions<A> {
  readonly producerId: string;
  readonly kind: MediaKind;
  readonly type: ConsumerType;
  readonly rtpParameters: RtpParameters;
  readonly producerPaused: boolean;
  readonly score: ConsumerScore;
  readonly preferredLayers: ConsumerLayers | undefined;
}

const logger = new Logger('Consumer');
const MAX_PRIORITY = 255;

/** Audio or video that goes out of a router to one endpoint. */
export class ConsumerImpl<A extends AppData = AppData> extends TransportChild<
  A,
  ConsumerEvents,
  ConsumerObserverEvents,
  ConsumerDump,
  ConsumerStat
> {
  readonly #options: ConsumerImplOptions<A>;
  #priority = 1;
  #score: ConsumerScore;
  #preferredLayers: ConsumerLayers | undefined;
  #currentLayers: ConsumerLayers | undefined;

  /** @private */
  constructor(options: ConsumerImplOptions<A>) {
    super(options, 'consumer', options.producerPaused);
    this.#options = options;
    this.#score = options.score;
    this.#preferredLayers = options.preferredLayers;
  }

  get producerId(): string {
    return this.#options.producerId;
  }

  get kind(): MediaKind {
    return this.#options.kind;
  }

  get rtpParameters(): RtpParameters {
    return clone(this.#options.rtpParameters);
  }

  get type(): ConsumerType {
    return this.#options.type;
  }

  get producerPaused(): boolean {
    return this.isSourcePaused;
  }

  get priority(): number {
    return this.#priority;
  }

  get score(): ConsumerScore {
    return clone(this.#score);
  }

  /** Of simulcast and SVC. */
  get preferredLayers(): ConsumerLayers | undefined {
    return clone(this.#preferredLayers);
  }

  get currentLayers(): ConsumerLayers | undefined {
    return clone(this.#currentLayers);
  }

  /** @throws TypeError */
  async setPreferredLayers(layers: ConsumerLayers): Promise<void> {
    const { spatialLayer, temporalLayer } = withoutNulls(layers);
    if (typeof spatialLayer !== 'number') throw new TypeError('spatialLayer must be a number');
    if (temporalLayer !== undefined && typeof temporalLayer !== 'number') {
      throw new TypeError('if given, temporalLayer must be a number');
    }
    const data = await this.request('consumer.setPreferredLayers', {
      spatialLayer,
      ...(temporalLayer === undefined ? {} : { temporalLayer }),
    });
    this.#preferredLayers = (data as { preferredLayers?: ConsumerLayers } | undefined)?.preferredLayers;
  }

  /**
   * Which consumers of a transport get bandwidth first: 1 (the default) to 255.
   * @throws TypeError
   */
  async setPriority(priority: number): Promise<void> {
    if (!Number.isInteger(priority) || priority < 1 || priority > MAX_PRIORITY) {
      throw new TypeError(`priority must be a number from 1 to ${MAX_PRIORITY}`);
    }
    const data = await this.request('consumer.setPriority', { priority });
    this.#priority = (data as { priority?: number } | undefined)?.priority ?? priority;
  }

  async unsetPriority(): Promise<void> {
    await this.setPriority(1);
  }

  async requestKeyFrame(): Promise<void> {
    await this.request('consumer.requestKeyFrame');
  }

  /** @throws TypeError */
  async enableTraceEvent(types: ConsumerTraceEventType[] = []): Promise<void> {
    checkTraceEventTypes(types);
    await this.request('consumer.enableTraceEvent', { types });
  }

  protected override notified(event: string, data: unknown, payload: Uint8Array | undefined): void {
    switch (event) {
      case 'producerclose':
        this.sourceClosed(event);
        break;
      case 'producerpause':
      case 'producerresume':
        this.sourcePauseChanged(event === 'producerpause', event);
        break;
      case 'score':
        this.#score = data as ConsumerScore;
        this.tell('score', this.score);
        break;
      case 'layerschange':
        this.#currentLayers = (data as ConsumerLayers | null | undefined) ?? undefined;
        this.tell('layerschange', this.currentLayers);
        break;
      case 'trace':
        this.tell('trace', data as ConsumerTraceEventData);
        break;
      case 'rtp':
        if (payload !== undefined) this.safeEmit('rtp', Buffer.from(payload));
        break;
      default:
        logger.error(`ignoring unknown event "${event}"`);
    }
  }
}
