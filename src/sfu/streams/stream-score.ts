/** The best score of a stream; the worst is 0. */
export const MAX_SCORE = 10;

/** Intervals that count, the newest the most. */
const HISTORY = 24;

/** What came through between two reports. */
export interface ScoredInterval {
  /** Packets that were sent, as far as it is known. */
  readonly packets: number;
  /** Of them, those lost on the way. */
  readonly lost: number;
  /** Of those, the ones a retransmission made up for. */
  readonly repaired: number;
  /** Retransmissions it took. */
  readonly retransmitted: number;
}

/** The score of one interval, 0–10; `undefined` when nothing was sent. */
export function scoreOf(interval: ScoredInterval): number | undefined {
  const { packets, retransmitted } = interval;
  if (packets <= 0) return undefined;
  const lost = Math.min(Math.max(0, interval.lost), packets);
  const repaired = Math.min(Math.max(0, interval.repaired), lost);
  // Repairs come late: the more of them it takes, the less of them is worth having.
  let worth = (1 / (1 + repaired / packets)) ** 4;
  if (retransmitted > repaired) worth *= repaired / retransmitted;
  const delivered = (packets - (lost - repaired * worth)) / packets;
  return Math.round(delivered ** 4 * MAX_SCORE);
}

/** How well a stream comes through lately, 0–10: a mean of its last intervals. */
export class StreamScore {
  #value: number;
  #history: number[] = [];

  /** @param value what holds until the first interval */
  constructor(value: number = MAX_SCORE) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  /** Counts an interval in; one in which nothing was sent leaves all as it is. */
  update(interval: ScoredInterval): void {
    const score = scoreOf(interval);
    if (score === undefined) return;
    this.#history.push(score);
    if (this.#history.length > HISTORY) this.#history.shift();
    let sum = 0;
    let weights = 0;
    for (let i = 0; i < this.#history.length; i++) {
      sum += (i + 1) * this.#history[i]!;
      weights += i + 1;
    }
    this.#value = Math.round(sum / weights);
  }

  /** Sets the score and forgets how it came about. */
  reset(value: number): void {
    this.#value = value;
    this.#history = [];
  }
}
