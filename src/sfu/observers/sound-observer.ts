/** One producer that was heard. */
export interface ProducerVolume {
  readonly producerId: string;
  /** Average of the interval, dBov: −127 to 0. */
  readonly volume: number;
}

/** What is told of levels. */
export type AudioLevelEvent =
  /** Those heard, the loudest first. */
  | { readonly type: 'volumes'; readonly volumes: readonly ProducerVolume[] }
  /** Nobody is heard any more. */
  | { readonly type: 'silence' };

/** Another producer's speaker is the dominant one now. */
export interface DominantSpeakerEvent {
  readonly type: 'dominantspeaker';
  readonly producerId: string;
}

/** What observers tell. */
export type SoundEvent = AudioLevelEvent | DominantSpeakerEvent;

/** Where the levels of one producer's packets are added. */
export interface LevelSink {
  /** @param level −dBov, 0–127 (RFC 6464) */
  add(level: number, nowMs: number): void;
}

/** Says something about the sound of some producers, by the levels in their packets. */
export interface SoundObserver {
  /** Listens to a producer. @returns where its levels are to be added, or `undefined` when there are too many producers */
  addProducer(producerId: string, isPaused: boolean): LevelSink | undefined;
  removeProducer(producerId: string, nowMs: number): SoundEvent | undefined;
  /** A producer does not send, or sends again. */
  setProducerPaused(producerId: string, isPaused: boolean): void;
  /** Stops telling. */
  pause(): SoundEvent | undefined;
  resume(nowMs: number): void;
  nextTimeoutMs(): number | undefined;
  handleTimeout(nowMs: number): SoundEvent | undefined;
}
