import type { Clock } from './clock.ts';
import { addViewerCounters, noViewerCounters, type ViewerCounters } from './fan-out.ts';
import { Stream } from './stream.ts';
import { type StreamName, streamKey } from './stream-name.ts';
import type { StreamSettings } from './stream-settings.ts';

/** How often streams are looked after, milliseconds. */
export const HOUSEKEEPING_MS = 500;

/** A round that comes this much too late tells that the whole process was held up, milliseconds. */
const HELD_UP_MS = 1_000;

/** A stream with neither publisher nor viewer is forgotten after this long, milliseconds. */
export const STREAM_IDLE_MS = 3_000;

/** Streams that nobody uses are forgotten at once where there would be more of all streams than this, or than twice those in use. */
export const MAX_UNUSED_STREAMS = 1_000;

export interface StreamHubOptions {
  readonly clock: Clock;
  /** Settings for a stream that is about to be made, by its key. */
  readonly settingsFor: (name: StreamName) => StreamSettings;
  /**
   * Told of every error thrown where nobody waits for it: by a viewer's sink or a container writer. Only what it hit was
   * ended. Without it such an error goes to the process as an uncaught one.
   */
  readonly onFault?: (stream: Stream, error: unknown) => void;
  /**
   * Told that a viewer asks for a stream nobody publishes, for those who could.
   * @returns how long the viewer should wait for it, milliseconds; 0 when nobody will
   */
  readonly onWanted?: (name: StreamName) => number;
}

/** All streams of a server by name. Streams come with their first use and go some seconds after their last. */
export class StreamHub {
  readonly #streams = new Map<string, Stream>();
  readonly #clock: Clock;
  readonly #settingsFor: (name: StreamName) => StreamSettings;
  readonly #onFault: ((stream: Stream, error: unknown) => void) | undefined;
  readonly #onWanted: ((name: StreamName) => number) | undefined;
  readonly #stopHousekeeping: () => void;
  #roundMs: number;
  #wasHeldUp = false;
  /** What streams that are gone had counted. */
  readonly #pastCounters: ViewerCounters = noViewerCounters();
  /** With so many streams those that nobody uses go. */
  #sweepAt = MAX_UNUSED_STREAMS;

  constructor(options: StreamHubOptions) {
    this.#clock = options.clock;
    this.#settingsFor = options.settingsFor;
    this.#onFault = options.onFault;
    this.#onWanted = options.onWanted;
    this.#roundMs = options.clock.nowMs();
    this.#stopHousekeeping = options.clock.every(HOUSEKEEPING_MS, () => this.#housekeep());
  }

  /** The stream of this name, made when there is none. */
  getOrCreate(name: StreamName): Stream {
    const key = streamKey(name);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      if (this.#streams.size >= this.#sweepAt) this.#sweep();
      const made = new Stream(name, this.#settingsFor(name), this.#clock, (error) => this.#fault(made, error));
      stream = made;
      this.#streams.set(key, stream);
    }
    return stream;
  }

  get(name: StreamName): Stream | undefined {
    return this.#streams.get(streamKey(name));
  }

  /**
   * To be called when a viewer asks for a stream nobody publishes: it may be had from elsewhere.
   * @returns how long to wait for it at least, milliseconds; 0 when it is to be had nowhere
   */
  want(name: StreamName): number {
    return this.#onWanted?.(name) ?? 0;
  }

  /** Every stream there is, also those that only have waiting viewers. */
  list(): Stream[] {
    return [...this.#streams.values()];
  }

  /** The viewer counters of all streams together, also of those that are gone. */
  get viewerCounters(): ViewerCounters {
    const sum = { ...this.#pastCounters };
    for (const stream of this.#streams.values()) addViewerCounters(sum, stream.counters);
    return sum;
  }

  /** Ends every stream. Idempotent. */
  close(): void {
    this.#stopHousekeeping();
    for (const [key, stream] of this.#streams) this.#forget(key, stream);
  }

  #fault(stream: Stream, error: unknown): void {
    if (this.#onFault !== undefined) this.#onFault(stream, error);
    else {
      this.#clock.soon(() => {
        throw error;
      });
    }
  }

  /** A peer may name streams much faster than they grow old. */
  #sweep(): void {
    for (const [key, stream] of this.#streams) if (stream.isIdle) this.#forget(key, stream);
    this.#sweepAt = Math.max(MAX_UNUSED_STREAMS, 2 * this.#streams.size);
  }

  #housekeep(): void {
    const nowMs = this.#clock.nowMs();
    // Timers run before what has come meanwhile is read; by the next round it is.
    this.#wasHeldUp = !this.#wasHeldUp && nowMs - this.#roundMs > HOUSEKEEPING_MS + HELD_UP_MS;
    this.#roundMs = nowMs;
    if (this.#wasHeldUp) return;
    for (const [key, stream] of this.#streams) {
      stream.housekeep();
      if (stream.idleForMs >= STREAM_IDLE_MS) {
        this.#forget(key, stream);
      }
    }
  }

  #forget(key: string, stream: Stream): void {
    stream.close();
    addViewerCounters(this.#pastCounters, stream.counters);
    this.#streams.delete(key);
  }
}
