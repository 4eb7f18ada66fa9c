import { MAX_OBSERVED_PRODUCERS } from './audio-level-observer.ts';
import type { DominantSpeakerEvent, SoundObserver } from './sound-observer.ts';
import { type ActivityScores, SpeechActivity } from './speech-activity.ts';

/** By how much (logarithm of a ratio) a speaker must be ahead of the dominant one at each scale of time. */
const IMMEDIATE_LEAD = 3;
const MEDIUM_LEAD = 2;
const LONG_LEAD = 0;

/** What an `ActiveSpeakerObserver` tells; mediasoup's names, units and defaults. */
export interface ActiveSpeakerObserverOptions {
  /** From one look to the next, milliseconds; default 300, and 100 to 5000. */
  readonly interval?: number;
}

/**
 * Says who speaks, when that changes (I. Volfin and I. Cohen, "Dominant speaker identification for multipoint
 * videoconferencing", 2013): another one than before must be ahead right now, in this word and in this sentence, so that a
 * cough does not make a speaker, and a pause does not end one. The dominant one stays so while nobody speaks; among
 * producers of which none is, the most active one becomes it, at first any.
 */
export class ActiveSpeakerObserver implements SoundObserver {
  readonly #intervalMs: number;
  readonly #speakers = new Map<string, SpeechActivity>();
  #dominantId: string | undefined;
  #isPaused = false;
  #dueMs: number;

  /** An interval beyond its range is taken for the nearest in it. */
  constructor(options: ActiveSpeakerObserverOptions, nowMs: number) {
    this.#intervalMs = Math.min(5000, Math.max(100, options.interval ?? 300));
    this.#dueMs = nowMs + this.#intervalMs;
  }

  /** Listens to a producer. @returns where its levels are to be added, or `undefined` when there are too many producers */
  addProducer(producerId: string, isPaused = false): SpeechActivity | undefined {
    const known = this.#speakers.get(producerId);
    if (known !== undefined || this.#speakers.size >= MAX_OBSERVED_PRODUCERS) return known;
    const speaker = new SpeechActivity();
    speaker.isPaused = isPaused;
    this.#speakers.set(producerId, speaker);
    return speaker;
  }

  /** Stops listening to a producer; when it was the dominant one, another becomes it at once. */
  removeProducer(producerId: string, nowMs: number): DominantSpeakerEvent | undefined {
    this.#speakers.delete(producerId);
    if (producerId !== this.#dominantId) return undefined;
    this.#dominantId = undefined;
    return this.#isPaused ? undefined : this.#update(nowMs);
  }

  /** A producer does not send, or sends again. */
  setProducerPaused(producerId: string, isPaused: boolean): void {
    const speaker = this.#speakers.get(producerId);
    if (speaker === undefined) return;
    speaker.reset();
    speaker.isPaused = isPaused;
  }

  /** Stops telling; who is dominant is remembered. */
  pause(): undefined {
    this.#isPaused = true;
  }

  resume(nowMs: number): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#dueMs = nowMs + this.#intervalMs;
  }

  nextTimeoutMs(): number | undefined {
    return this.#isPaused ? undefined : this.#dueMs;
  }

  /** Who has become the dominant speaker. */
  handleTimeout(nowMs: number): DominantSpeakerEvent | undefined {
    if (this.#isPaused || nowMs < this.#dueMs) return undefined;
    this.#dueMs += this.#intervalMs;
    if (this.#dueMs <= nowMs) this.#dueMs = nowMs + this.#intervalMs;
    return this.#update(nowMs);
  }

  #update(nowMs: number): DominantSpeakerEvent | undefined {
    const producerId = this.#dominantId === undefined ? this.#mostActive(nowMs) : this.#challenger(nowMs);
    if (producerId === undefined) return undefined;
    this.#dominantId = producerId;
    return { type: 'dominantspeaker', producerId };
  }

  #mostActive(nowMs: number): string | undefined {
    let best: string | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const [producerId, speaker] of this.#speakers) {
      if (speaker.isPaused) continue;
      const { immediate, medium, long } = speaker.scores(nowMs);
      const score = immediate + medium + long;
      if (score <= bestScore) continue;
      best = producerId;
      bestScore = score;
    }
    return best;
  }

  /** Who is ahead of the dominant speaker at all three scales; of several, who is most so at the medium one. */
  #challenger(nowMs: number): string | undefined {
    const dominant = this.#speakers.get(this.#dominantId!)!.scores(nowMs);
    let best: string | undefined;
    let bestLead = MEDIUM_LEAD;
    for (const [producerId, speaker] of this.#speakers) {
      if (speaker.isPaused || producerId === this.#dominantId) continue;
      const scores = speaker.scores(nowMs);
      const lead = leadOf(scores, dominant, 'medium');
      const isAhead =
        leadOf(scores, dominant, 'immediate') > IMMEDIATE_LEAD && leadOf(scores, dominant, 'long') > LONG_LEAD;
      if (!isAhead || lead <= bestLead) continue;
      best = producerId;
      bestLead = lead;
    }
    return best;
  }
}

function leadOf(scores: ActivityScores, dominant: ActivityScores, scale: keyof ActivityScores): number {
  return Math.log(scores[scale] / dominant[scale]);
}
