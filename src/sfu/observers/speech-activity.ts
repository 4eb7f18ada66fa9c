/** Loudness is told in so many steps … */
const IMMEDIATE_STEPS = 13;
/** … each of so many dB. */
const DB_PER_STEP = 10;
/** Levels of a medium block; of them, those above this step count. */
const MEDIUM_LEVELS = 5;
const MEDIUM_STEP = 7;
/** Medium blocks of the long one; of them, those with more levels than this count. */
const LONG_MEDIUMS = 10;
const LONG_LEVELS = 4;
const LEVELS: number = MEDIUM_LEVELS * LONG_MEDIUMS;

/** How fast it grows unlikely, at each scale, that who does not speak is so loud. */
const IMMEDIATE_RATE = 0.78;
const MEDIUM_RATE = 24;
const LONG_RATE = 47;

const MIN_SCORE = 1e-10;
const LOUDEST = 127;

/** A louder background is not taken for one (−50 dBov): who speaks from the first packet on has none yet. */
const LOUDEST_BACKGROUND = 77;
/** The background is taken anew from so many levels: 15 s of packets of 20 ms. */
const BACKGROUND_LEVELS = 750;

/** Without a level for so long somebody is taken to be silent since the last, milliseconds. */
export const LEVEL_IDLE_MS = 100;
const MS_PER_LEVEL = 20;

/** How much likelier somebody's levels are of speech than of silence, at three scales; all above 0. */
export interface ActivityScores {
  /** By the newest level, 20 ms. */
  readonly immediate: number;
  /** By the newest five, 100 ms. */
  readonly medium: number;
  /** By the newest fifty, 1 s. */
  readonly long: number;
}

const IMMEDIATE_SCORES = scoresOf(IMMEDIATE_STEPS, IMMEDIATE_RATE);
const MEDIUM_SCORES = scoresOf(MEDIUM_LEVELS, MEDIUM_RATE);
const LONG_SCORES = scoresOf(LONG_MEDIUMS, LONG_RATE);

/** Scores of somebody who is silent: the lowest there are. */
export const SILENT_SCORES: ActivityScores = { immediate: MIN_SCORE, medium: MIN_SCORE, long: MIN_SCORE };

/**
 * How much somebody speaks, by the levels in the packets (I. Volfin and I. Cohen, "Dominant speaker identification for
 * multipoint videoconferencing", 2013, §III). Memory is fixed; the values of its constants are those in common use for
 * levels of RFC 6464.
 */
export class SpeechActivity {
  /** Nothing is added while its producer does not send. */
  isPaused = false;
  /** Steps of loudness, a ring. */
  readonly #steps = new Uint8Array(LEVELS);
  #next = 0;
  /** Loudness that is there without speech: the least there was lately. */
  #background: number = LOUDEST_BACKGROUND;
  #leastOfWindow: number = LOUDEST_BACKGROUND;
  #countOfWindow = 0;
  #lastMs: number | undefined;

  /** Adds the level of a packet. @param level −dBov, 0–127 (RFC 6464) */
  add(level: number, nowMs: number): void {
    if (this.isPaused) return;
    this.#lastMs = nowMs;
    const loudness = LOUDEST - Math.min(LOUDEST, Math.max(0, level));
    this.#noteBackground(loudness);
    this.#append(loudness < this.#background + DB_PER_STEP ? 0 : Math.floor(loudness / DB_PER_STEP));
  }

  /** What the levels come to now. */
  scores(nowMs: number): ActivityScores {
    if (this.isPaused || this.#lastMs === undefined) return SILENT_SCORES;
    this.#fallSilent(nowMs);
    let mediums = 0;
    let newest = 0;
    for (let block = 0; block < LONG_MEDIUMS; block++) {
      let loud = 0;
      for (let i = 0; i < MEDIUM_LEVELS; i++) {
        const back = 1 + block * MEDIUM_LEVELS + i;
        if (this.#steps[(this.#next - back + LEVELS) % LEVELS]! > MEDIUM_STEP) loud++;
      }
      if (block === 0) newest = loud;
      if (loud > LONG_LEVELS) mediums++;
    }
    return {
      immediate: IMMEDIATE_SCORES[this.#steps[(this.#next - 1 + LEVELS) % LEVELS]!]!,
      medium: MEDIUM_SCORES[newest]!,
      long: LONG_SCORES[mediums]!,
    };
  }

  /** Forgets all levels. */
  reset(): void {
    this.#steps.fill(0);
    this.#lastMs = undefined;
  }

  #append(step: number): void {
    this.#steps[this.#next] = step;
    this.#next = (this.#next + 1) % LEVELS;
  }

  #fallSilent(nowMs: number): void {
    const idleMs = nowMs - this.#lastMs!;
    if (idleMs <= LEVEL_IDLE_MS) return;
    const missing = Math.floor(idleMs / MS_PER_LEVEL);
    for (let i = 0; i < Math.min(LEVELS, missing); i++) this.#append(0);
    this.#lastMs! += missing * MS_PER_LEVEL;
  }

  /** Digital silence is no background. */
  #noteBackground(loudness: number): void {
    if (loudness === 0) return;
    this.#background = Math.min(this.#background, loudness);
    this.#leastOfWindow = Math.min(this.#leastOfWindow, loudness);
    if (++this.#countOfWindow < BACKGROUND_LEVELS) return;
    this.#background = Math.round(Math.sqrt(this.#background * this.#leastOfWindow));
    this.#leastOfWindow = LOUDEST_BACKGROUND;
    this.#countOfWindow = 0;
  }
}

/**
 * Logarithm of how much likelier it is that `active` of `count` parts are by speech, where each is as likely to be active
 * as not, than by silence, where activity grows unlikely exponentially; for every `active`.
 */
function scoresOf(count: number, rate: number): Float64Array {
  const scores = new Float64Array(count + 1);
  let lnChoices = 0;
  for (let active = 0; active <= count; active++) {
    if (active > 0) lnChoices += Math.log(count - active + 1) - Math.log(active);
    const lnSpeech = lnChoices - count * Math.LN2;
    const lnSilence = Math.log(rate) - rate * active;
    scores[active] = Math.max(MIN_SCORE, lnSpeech - lnSilence);
  }
  return scores;
}
