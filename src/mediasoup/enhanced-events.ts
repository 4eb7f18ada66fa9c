import { NodeEventEmitter, nodeOnce } from '../io/worker-events.ts';
import { Logger } from './logger.ts';

/** What a map of events must be: names with lists of arguments. */
export type EventMapOf<E> = { [K in keyof E]: unknown[] };

/** What every emitter emits besides: a listener of this event threw this. */
interface BuiltInEvents {
  listenererror: [string, Error];
}

type NameOf<E> = (keyof E | keyof BuiltInEvents) & string;
/** An event of the map, whose own `listenererror` comes first. */
type EventOf<E, K> = K extends keyof E ? E[K] : K extends keyof BuiltInEvents ? BuiltInEvents[K] : never;
type ListenerOf<E, K> = EventOf<E, K> extends infer A extends unknown[] ? (...args: A) => void : never;
type ArgumentsOf<E, K> = EventOf<E, K> extends unknown[] ? EventOf<E, K> : never;
type AnyListener = (...args: unknown[]) => void;

const logger = new Logger('EnhancedEventEmitter');

/** Node's event emitter with typed events, without a limit of listeners, and with an `emit` that listeners cannot break. */
export class EnhancedEventEmitter<E extends EventMapOf<E> = Record<string, unknown[]>> extends NodeEventEmitter {
  constructor() {
    super();
    this.setMaxListeners(Number.POSITIVE_INFINITY);
  }

  override emit<K extends NameOf<E>>(eventName: K, ...args: ArgumentsOf<E, K>): boolean {
    return super.emit(eventName, ...(args as unknown[]));
  }

  /**
   * Emits as `emit` does; what a listener throws is logged and told by `listenererror(eventName, error)`.
   * @returns whether there were listeners
   */
  safeEmit<K extends NameOf<E>>(eventName: K, ...args: ArgumentsOf<E, K>): boolean {
    try {
      return super.emit(eventName, ...(args as unknown[]));
    } catch (error) {
      logger.error(`safeEmit() | event listener threw an error [eventName:${eventName}]`, error);
      try {
        super.emit('listenererror', eventName, error);
      } catch (second) {
        logger.error('safeEmit() | the listener of "listenererror" threw an error, too', second);
      }
      return super.listenerCount(eventName) > 0;
    }
  }

  override on<K extends NameOf<E>>(eventName: K, listener: ListenerOf<E, K>): this {
    return super.on(eventName, listener as unknown as AnyListener);
  }

  override off<K extends NameOf<E>>(eventName: K, listener: ListenerOf<E, K>): this {
    return super.off(eventName, listener as unknown as AnyListener);
  }

  override addListener<K extends NameOf<E>>(eventName: K, listener: ListenerOf<E, K>): this {
    return super.addListener(eventName, listener as unknown as AnyListener);
  }

  override removeListener<K extends NameOf<E>>(eventName: K, listener: ListenerOf<E, K>): this {
    return super.removeListener(eventName, listener as unknown as AnyListener);
  }

  override prependListener<K extends NameOf<E>>(eventName: K, listener: ListenerOf<E, K>): this {
    return super.prependListener(eventName, listener as unknown as AnyListener);
  }

  override once<K extends NameOf<E>>(eventName: K, listener: ListenerOf<E, K>): this {
    return super.once(eventName, listener as unknown as AnyListener);
  }

  override prependOnceListener<K extends NameOf<E>>(eventName: K, listener: ListenerOf<E, K>): this {
    return super.prependOnceListener(eventName, listener as unknown as AnyListener);
  }

  override removeAllListeners<K extends NameOf<E>>(eventName?: K): this {
    return eventName === undefined ? super.removeAllListeners() : super.removeAllListeners(eventName);
  }
}

/** The arguments of the next event of this name; rejects with an `error` event before it, or when `signal` aborts. */
export async function enhancedOnce<E extends EventMapOf<E> = Record<string, unknown[]>>(
  emitter: EnhancedEventEmitter<E>,
  eventName: keyof E & string,
  options?: { readonly signal?: AbortSignal },
): Promise<unknown[]> {
  return (await nodeOnce(emitter as NodeEventEmitter, eventName, options)) as unknown[];
}
