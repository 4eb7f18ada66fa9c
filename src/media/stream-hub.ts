import type { Clock } from './clock.ts';
import { Stream } from './stream.ts';
import { type StreamName, streamKey } from './stream-name.ts';
import type { StreamSettings } from './stream-settings.ts';

/** How often streams are looked after, milliseconds. */
export const HOUSEKEEPING_MS = 500;

/** A stream with neither publisher nor viewer is forgotten after this long, milliseconds. */
export const STREAM_IDLE_MS = 3_000;

export interface StreamHubOptions {
  readonly clock: Clock;
  /** Settings for a stream that is about to be made, by its key. */
  readonly settingsFor: (name: StreamName) => StreamSettings;
}

/** All streams of a server by name. Streams come with their first use and go some seconds after their last. */
export class StreamHub {
  readonly #streams = new Map<string, Stream>();
  readonly #clock: Clock;
  readonly #settingsFor: (name: StreamName) => StreamSettings;
  readonly #stopHousekeeping: () => void;

  constructor(options: StreamHubOptions) {
    this.#clock = options.clock;
    this.#settingsFor = options.settingsFor;
    this.#stopHousekeeping = options.clock.every(HOUSEKEEPING_MS, () => this.#housekeep());
  }

  /** The stream of this name, made when there is none. */
  getOrCreate(name: StreamName): Stream {
    const key = streamKey(name);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = new Stream(name, this.#settingsFor(name), this.#clock);
      this.#streams.set(key, stream);
    }
    return stream;
  }

  get(name: StreamName): Stream | undefined {
    return this.#streams.get(streamKey(name));
  }

  /** Every stream there is, also those that only have waiting viewers. */
  list(): Stream[] {
    return [...this.#streams.values()];
  }

  /** Ends every stream. Idempotent. */
  close(): void {
    this.#stopHousekeeping();
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
  }

  #housekeep(): void {
    for (const [key, stream] of this.#streams) {
      stream.housekeep();
      if (stream.idleForMs >= STREAM_IDLE_MS) {
        stream.close();
        this.#streams.delete(key);
      }
    }
  }
}
