import type { InternalIds } from '../worker/channel/messages.ts';
import { type AppData, checkAppData } from './app-data.ts';
import type { Channel } from './channel.ts';
import { EnhancedEventEmitter, type EventMapOf } from './enhanced-events.ts';
import { NotFoundError, WorkerClosedError } from './errors.ts';

/** What every entity is made from. */
export interface EntityOptions<A extends AppData> {
  readonly channel: Channel;
  /** Its id and those of the entities it is in, as the worker wants them. */
  readonly internal: InternalIds;
  readonly id: string;
  readonly appData: A | undefined;
}

/** Something that lives in a worker and is closed once: its id, its state, its observer and the application's data. */
export abstract class Entity<
  A extends AppData,
  E extends EventMapOf<E>,
  O extends EventMapOf<O>,
> extends EnhancedEventEmitter<E> {
  readonly #id: string;
  readonly #channel: Channel;
  readonly #internal: InternalIds;
  readonly #observer: EnhancedEventEmitter<O> = new EnhancedEventEmitter<O>();
  #appData: A;
  #closed = false;

  constructor(options: EntityOptions<A>) {
    super();
    checkAppData(options.appData);
    this.#id = options.id;
    this.#channel = options.channel;
    this.#internal = options.internal;
    this.#appData = options.appData ?? ({} as A);
  }

  get id(): string {
    return this.#id;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** May be replaced as a whole. */
  get appData(): A {
    return this.#appData;
  }

  set appData(appData: A) {
    this.#appData = appData;
  }

  /** Emits what the application itself did, too. */
  get observer(): EnhancedEventEmitter<O> {
    return this.#observer;
  }

  /** @private */
  get channelForTesting(): Channel {
    return this.#channel;
  }

  protected get channel(): Channel {
    return this.#channel;
  }

  protected get internal(): InternalIds {
    return this.#internal;
  }

  /** Asks the worker about this entity. */
  protected async request(method: string, data?: unknown, payload?: Uint8Array): Promise<unknown> {
    return this.#channel.request(method, this.#internal, data, payload);
  }

  /**
   * Closes what the worker was making for this entity while it was closed here: in the worker it is gone with the entity.
   * @throws NotFoundError, or WorkerClosedError, when this entity is closed
   */
  protected checkOpen(closeChild: () => void): void {
    if (!this.#closed) return;
    closeChild();
    throw this.#channel.closed
      ? new WorkerClosedError('Worker closed')
      : new NotFoundError(`entity with id "${this.#id}" was closed meanwhile`);
  }

  /** Tells an event both have to those who listen here and to those who watch. */
  protected tell<K extends keyof E & keyof O & string>(event: K, ...values: E[K] & O[K]): void {
    const eventName: string = event;
    const emitters = [this, this.#observer] as unknown as readonly EnhancedEventEmitter[];
    for (const emitter of emitters) emitter.safeEmit(eventName, ...(values as unknown[]));
  }

  /** @returns false when it was closed already */
  protected markClosed(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.#channel.unsubscribe(this.#id);
    return true;
  }
}

/** @throws TypeError unless it is a list of texts */
export function checkTraceEventTypes(types: unknown): void {
  if (!Array.isArray(types)) throw new TypeError('types must be an array');
  if (types.some((type) => typeof type !== 'string')) throw new TypeError('every type must be a string');
}
