import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import { checkTraceEventTypes, Entity, type EntityOptions } from './entity.ts';
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

export interface ProducerImplOptions<A extends AppData> extends EntityOptions<A> {
  readonly kind: MediaKind;
  readonly type: ProducerType;
  readonly rtpParameters: RtpParameters;
  readonly consumableRtpParameters: NormalizedRtpParameters;
  readonly paused: boolean;
}

const logger = new Logger('Producer');

/** Audio or video that comes into a router. */
export class ProducerImpl<A extends AppData = AppData> extends Entity<A, ProducerEvents, ProducerObserverEvents> {
  readonly #options: ProducerImplOptions<A>;
  #paused: boolean;
  #score: ProducerScore[] = [];

  /** @private */
  constructor(options: ProducerImplOptions<A>) {
    super(options);
    this.#options = options;
    this.#paused = options.paused;
    this.channel.subscribe(this.id, (event, data) => this.#notified(event, data));
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

  get paused(): boolean {
    return this.#paused;
  }

  /** One for each stream; empty until the first packets. */
  get score(): ProducerScore[] {
    return clone(this.#score);
  }

  close(): void {
    if (!this.markClosed()) return;
    this.channel.requestAndForget('transport.closeProducer', this.internal);
    this.emit('@close');
    this.observer.safeEmit('close');
  }

  /** @private */
  transportClosed(): void {
    if (!this.markClosed()) return;
    this.safeEmit('transportclose');
    this.observer.safeEmit('close');
  }

  async dump(): Promise<ProducerDump> {
    return (await this.request('producer.dump')) as ProducerDump;
  }

  async getStats(): Promise<ProducerStat[]> {
    return (await this.request('producer.getStats')) as ProducerStat[];
  }

  async pause(): Promise<void> {
    await this.request('producer.pause');
    const wasPaused = this.#paused;
    this.#paused = true;
    if (!wasPaused) this.observer.safeEmit('pause');
  }

  async resume(): Promise<void> {
    await this.request('producer.resume');
    const wasPaused = this.#paused;
    this.#paused = false;
    if (wasPaused) this.observer.safeEmit('resume');
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
    this.channel.notify('producer.send', this.internal, undefined, new Uint8Array(rtpPacket));
  }

  #notified(event: string, data: unknown): void {
    switch (event) {
      case 'score':
        this.#score = data as ProducerScore[];
        this.safeEmit('score', this.score);
        this.observer.safeEmit('score', this.score);
        break;
      case 'videoorientationchange':
        this.safeEmit('videoorientationchange', data as ProducerVideoOrientation);
        this.observer.safeEmit('videoorientationchange', data as ProducerVideoOrientation);
        break;
      case 'trace':
        this.safeEmit('trace', data as ProducerTraceEventData);
        this.observer.safeEmit('trace', data as ProducerTraceEventData);
        break;
      default:
        logger.error(`ignoring unknown event "${event}"`);
    }
  }
}
