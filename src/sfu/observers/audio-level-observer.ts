import type { AudioLevelEvent, ProducerVolume, SoundObserver } from './sound-observer.ts';

/** Levels of a producer in one interval that are needed to say something: one each so many milliseconds, at most ten. */
const MS_PER_LEVEL = 100;
const MAX_NEEDED_LEVELS = 10;

/** Most producers one observer listens to. */
export const MAX_OBSERVED_PRODUCERS = 10_000;

/** What an `AudioLevelObserver` tells; mediasoup's names, units and defaults. */
export interface AudioLevelObserverOptions {
  /** Most producers that are named at a time; default 1. */
  readonly maxEntries?: number;
  /** Those quieter on average are not named, dBov, −127 to 0; default −80. */
  readonly threshold?: number;
  /** From one telling to the next, milliseconds; default 1000, and 250 to 5000. */
  readonly interval?: number;
}

/** The levels of one producer in this interval. Its packets' levels are added here, and nothing is looked up for them. */
export class AudioLevelSum {
  readonly producerId: string;
  /** Nothing is added while its producer does not send. */
  isPaused = false;
  #sum = 0;
  #count = 0;

  constructor(producerId: string) {
    this.producerId = producerId;
  }

  /** Adds the level of a packet. @param level −dBov, 0–127 (RFC 6464) */
  add(level: number): void {
    if (this.isPaused) return;
    this.#sum += level;
    this.#count++;
  }

  /** The average, dBov, and begins anew; `undefined` when there were less than `needed`. */
  take(needed: number): number | undefined {
    const volume = this.#count < needed || this.#count === 0 ? undefined : -Math.round(this.#sum / this.#count);
    this.#sum = 0;
    this.#count = 0;
    // −0 is 0 to whoever compares.
    return volume === 0 ? 0 : volume;
  }
}

/**
 * Says which producers are loudest, each interval, by the levels in their packets' headers (RFC 6464). Silence is told once;
 * it is silent to begin with.
 */
export class AudioLevelObserver implements SoundObserver {
  readonly #maxEntries: number;
  readonly #threshold: number;
  readonly #intervalMs: number;
  readonly #producers = new Map<string, AudioLevelSum>();
  #isSilent = true;
  #isPaused = false;
  #dueMs: number;

  /** Values beyond their ranges are taken for the nearest ones. */
  constructor(options: AudioLevelObserverOptions, nowMs: number) {
    this.#maxEntries = Math.max(1, options.maxEntries ?? 1);
    this.#threshold = Math.min(0, Math.max(-127, options.threshold ?? -80));
    this.#intervalMs = Math.min(5000, Math.max(250, options.interval ?? 1000));
    this.#dueMs = nowMs + this.#intervalMs;
  }

  /** Listens to a producer. @returns where its levels are to be added, or `undefined` when there are too many producers */
  addProducer(producerId: string, isPaused = false): AudioLevelSum | undefined {
    const known = this.#producers.get(producerId);
    if (known !== undefined || this.#producers.size >= MAX_OBSERVED_PRODUCERS) return known;
    const sum = new AudioLevelSum(producerId);
    sum.isPaused = isPaused;
    this.#producers.set(producerId, sum);
    return sum;
  }

  removeProducer(producerId: string): undefined {
    this.#producers.delete(producerId);
  }

  /** A producer does not send, or sends again. What it sent in this interval before is forgotten. */
  setProducerPaused(producerId: string, isPaused: boolean): void {
    const sum = this.#producers.get(producerId);
    if (sum === undefined) return;
    sum.take(0);
    sum.isPaused = isPaused;
  }

  /** Stops telling. Who was heard is told to be silent. */
  pause(): AudioLevelEvent | undefined {
    if (this.#isPaused) return undefined;
    this.#isPaused = true;
    return this.#silence();
  }

  /** Tells again, of what comes from now on. */
  resume(nowMs: number): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#dueMs = nowMs + this.#intervalMs;
    for (const sum of this.#producers.values()) sum.take(0);
  }

  nextTimeoutMs(): number | undefined {
    return this.#isPaused ? undefined : this.#dueMs;
  }

  /** What is to be told at the end of an interval. */
  handleTimeout(nowMs: number): AudioLevelEvent | undefined {
    if (this.#isPaused || nowMs < this.#dueMs) return undefined;
    this.#dueMs += this.#intervalMs;
    // Intervals that were slept through are not made up for.
    if (this.#dueMs <= nowMs) this.#dueMs = nowMs + this.#intervalMs;
    const needed = Math.min(MAX_NEEDED_LEVELS, Math.floor(this.#intervalMs / MS_PER_LEVEL));
    const volumes: ProducerVolume[] = [];
    for (const sum of this.#producers.values()) {
      const volume = sum.take(needed);
      if (volume !== undefined && volume >= this.#threshold) volumes.push({ producerId: sum.producerId, volume });
    }
    if (volumes.length === 0) return this.#silence();
    this.#isSilent = false;
    volumes.sort((a, b) => b.volume - a.volume);
    return { type: 'volumes', volumes: volumes.slice(0, this.#maxEntries) };
  }

  #silence(): AudioLevelEvent | undefined {
    if (this.#isSilent) return undefined;
    this.#isSilent = true;
    return { type: 'silence' };
  }
}
