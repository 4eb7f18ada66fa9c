import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import { checkTraceEventTypes, Entity, type EntityOptions } from './entity.ts';
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

export interface ConsumerImplOptions<A extends AppData> extends EntityOptions<A> {
  readonly producerId: string;
  readonly kind: MediaKind;
  readonly type: ConsumerType;
  readonly rtpParameters: RtpParameters;
  readonly paused: boolean;
  readonly producerPaused: boolean;
  readonly score: ConsumerScore;
  readonly preferredLayers: ConsumerLayers | undefined;
}

const logger = new Logger('Consumer');
const MAX_PRIORITY = 255;

/** Audio or video that goes out of a router to one endpoint. */
export class ConsumerImpl<A extends AppData = AppData> extends Entity<A, ConsumerEvents, ConsumerObserverEvents> {
  readonly #options: ConsumerImplOptions<A>;
  #paused: boolean;
  #producerPaused: boolean;
  #priority = 1;
  #score: ConsumerScore;
  #preferredLayers: ConsumerLayers | undefined;
  #currentLayers: ConsumerLayers | undefined;

  /** @private */
  constructor(options: ConsumerImplOptions<A>) {
    super(options);
    this.#options = options;
    this.#paused = options.paused;
    this.#producerPaused = options.producerPaused;
    this.#score = options.score;
    this.#preferredLayers = options.preferredLayers;
    this.channel.subscribe(this.id, (event, data, payload) => this.#notified(event, data, payload));
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

  /** By itself; its producer may be paused besides. */
  get paused(): boolean {
    return this.#paused;
  }

  get producerPaused(): boolean {
    return this.#producerPaused;
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

  close(): void {
    if (!this.markClosed()) return;
    this.channel.requestAndForget('transport.closeConsumer', this.internal);
    this.emit('@close');
    this.observer.safeEmit('close');
  }

  /** @private */
  transportClosed(): void {
    if (!this.markClosed()) return;
    this.safeEmit('transportclose');
    this.observer.safeEmit('close');
  }

  async dump(): Promise<ConsumerDump> {
    return (await this.request('consumer.dump')) as ConsumerDump;
  }

  async getStats(): Promise<ConsumerStat[]> {
    return (await this.request('consumer.getStats')) as ConsumerStat[];
  }

  async pause(): Promise<void> {
    await this.request('consumer.pause');
    const wasSilent = this.#paused || this.#producerPaused;
    this.#paused = true;
    if (!wasSilent) this.observer.safeEmit('pause');
  }

  async resume(): Promise<void> {
    await this.request('consumer.resume');
    const wasPaused = this.#paused;
    this.#paused = false;
    if (wasPaused && !this.#producerPaused) this.observer.safeEmit('resume');
  }

  /** @throws TypeError */
  async setPreferredLayers({ spatialLayer, temporalLayer }: ConsumerLayers): Promise<void> {
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

  #producerPauseChanged(isPaused: boolean): void {
    if (this.#producerPaused === isPaused) return;
    this.#producerPaused = isPaused;
    this.safeEmit(isPaused ? 'producerpause' : 'producerresume');
    // For whoever watches the consumer only the sum of both counts.
    if (!this.#paused) this.observer.safeEmit(isPaused ? 'pause' : 'resume');
  }

  #notified(event: string, data: unknown, payload: Uint8Array | undefined): void {
    switch (event) {
      case 'producerclose':
        if (!this.markClosed()) return;
        this.emit('@producerclose');
        this.safeEmit('producerclose');
        this.observer.safeEmit('close');
        break;
      case 'producerpause':
        this.#producerPauseChanged(true);
        break;
      case 'producerresume':
        this.#producerPauseChanged(false);
        break;
      case 'score':
        this.#score = data as ConsumerScore;
        this.safeEmit('score', this.score);
        this.observer.safeEmit('score', this.score);
        break;
      case 'layerschange':
        this.#currentLayers = (data as ConsumerLayers | null | undefined) ?? undefined;
        this.safeEmit('layerschange', this.currentLayers);
        this.observer.safeEmit('layerschange', this.currentLayers);
        break;
      case 'trace':
        this.safeEmit('trace', data as ConsumerTraceEventData);
        this.observer.safeEmit('trace', data as ConsumerTraceEventData);
        break;
      case 'rtp':
        if (payload !== undefined) this.safeEmit('rtp', Buffer.from(payload));
        break;
      default:
        logger.error(`ignoring unknown event "${event}"`);
    }
  }
}
