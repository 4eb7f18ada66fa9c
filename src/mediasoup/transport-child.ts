import type { AppData } from './app-data.ts';
import type { EnhancedEventEmitter, EventMapOf } from './enhanced-events.ts';
import { Entity, type EntityOptions } from './entity.ts';

/** What lives on a transport, as its requests begin. */
export type TransportChildKind = 'producer' | 'consumer' | 'dataProducer' | 'dataConsumer';

export interface TransportChildOptions<A extends AppData> extends EntityOptions<A> {
  readonly paused: boolean;
}

const closeMethods = {
  producer: 'transport.closeProducer',
  consumer: 'transport.closeConsumer',
  dataProducer: 'transport.closeDataProducer',
  dataConsumer: 'transport.closeDataConsumer',
} as const satisfies Record<TransportChildKind, string>;

/**
 * Something on a transport: closed by itself, with its transport or with what it comes from; paused by itself or with
 * what it comes from. `D` is its dump, `S` one of its statistics.
 */
export abstract class TransportChild<
  A extends AppData,
  E extends EventMapOf<E>,
  O extends EventMapOf<O>,
  D,
  S,
> extends Entity<A, E, O> {
  readonly #kind: TransportChildKind;
  #paused: boolean;
  #isSourcePaused: boolean;

  /** @param isSourcePaused what it comes from is paused; false for what comes from outside */
  protected constructor(options: TransportChildOptions<A>, kind: TransportChildKind, isSourcePaused: boolean) {
    super(options);
    this.#kind = kind;
    this.#paused = options.paused;
    this.#isSourcePaused = isSourcePaused;
    this.channel.subscribe(this.id, (event, data, payload) => this.notified(event, data, payload));
  }

  /** By itself; what it comes from may be paused besides. */
  get paused(): boolean {
    return this.#paused;
  }

  close(): void {
    if (!this.markClosed()) return;
    this.channel.requestAndForget(closeMethods[this.#kind], this.internal);
    this.#events.emit('@close');
    this.#observed.safeEmit('close');
  }

  /** @private */
  transportClosed(): void {
    if (!this.markClosed()) return;
    this.#events.safeEmit('transportclose');
    this.#observed.safeEmit('close');
  }

  async dump(): Promise<D> {
    return (await this.request(`${this.#kind}.dump`)) as D;
  }

  async getStats(): Promise<S[]> {
    return (await this.request(`${this.#kind}.getStats`)) as S[];
  }

  async pause(): Promise<void> {
    await this.request(`${this.#kind}.pause`);
    const wasSilent = this.#paused || this.#isSourcePaused;
    this.#paused = true;
    if (!wasSilent) this.#observed.safeEmit('pause');
  }

  async resume(): Promise<void> {
    await this.request(`${this.#kind}.resume`);
    const wasPaused = this.#paused;
    this.#paused = false;
    if (wasPaused && !this.#isSourcePaused) this.#observed.safeEmit('resume');
  }

  protected get isSourcePaused(): boolean {
    return this.#isSourcePaused;
  }

  /** The worker has closed it, since what it comes from is closed. */
  protected sourceClosed(event: 'producerclose' | 'dataproducerclose'): void {
    if (!this.markClosed()) return;
    this.#events.emit(`@${event}`);
    this.#events.safeEmit(event);
    this.#observed.safeEmit('close');
  }

  /** What it comes from is paused or resumed, as `event` says. */
  protected sourcePauseChanged(isPaused: boolean, event: string): void {
    if (this.#isSourcePaused === isPaused) return;
    this.#isSourcePaused = isPaused;
    this.#events.safeEmit(event);
    // For whoever watches only the sum of both counts.
    if (!this.#paused) this.#observed.safeEmit(isPaused ? 'pause' : 'resume');
  }

  /** A notification of the worker. `payload` may be kept. */
  protected abstract notified(event: string, data: unknown, payload: Uint8Array | undefined): void;

  /** The events all kinds have, whatever else is in their maps. */
  get #events(): EnhancedEventEmitter {
    return this as unknown as EnhancedEventEmitter;
  }

  get #observed(): EnhancedEventEmitter {
    return this.observer as unknown as EnhancedEventEmitter;
  }
}
