/** A standing queue beyond this and the time of one packet on the link is emptied, until half of that is left. */
export const STANDING_QUEUE_US = 20_000;
const PACKET_BITS = 1200 * 8;
/** The queue is to be gone after about this. */
const DRAIN_TIME_US = 500_000;
/** Part of the link that is used even beside a long queue. */
const MIN_PART = 0.25;
/** Part of the link that may be used while a queue stands, however short. */
const MAX_PART = 0.95;
/** A queue that has not gone after this is not ours. */
const MAX_DRAIN_US = 3_000_000;

/** What is seen with each feedback. */
export interface QueueState {
  readonly standingUs: number;
  /** The trend said so. */
  readonly isOverusing: boolean;
  readonly throughputBps: number | undefined;
}

/**
 * Keeps queues short: while one stands, less is sent than the link carries, by as much as it takes to empty it in
 * half a second. Our own addition to Google congestion control, which would leave the queue to a fixed cut.
 */
export class QueueDrain {
  #sinceUs: number | undefined;
  #capacityBps = 0;
  #limitBps: number = Number.POSITIVE_INFINITY;

  get isDraining(): boolean {
    return this.#sinceUs !== undefined;
  }

  /** What may be sent, bits a second; without end while there is no queue. */
  get limitBps(): number {
    return this.#limitBps;
  }

  /** @returns true when the delay has to be taken as that of the path, for it stayed though little was sent */
  update(queue: QueueState, nowUs: number): boolean {
    const { standingUs, throughputBps } = queue;
    const startUs = STANDING_QUEUE_US + (PACKET_BITS * 1e6) / Math.max(throughputBps ?? this.#capacityBps, 1);
    const endUs = startUs / 2;
    if (this.#sinceUs === undefined) {
      if (standingUs < startUs || throughputBps === undefined) return false;
      this.#sinceUs = nowUs;
      this.#capacityBps = throughputBps;
    } else if (standingUs < endUs) {
      this.reset();
      return false;
    } else if (nowUs - this.#sinceUs > MAX_DRAIN_US) {
      this.reset();
      return true;
    } else if (throughputBps !== undefined) {
      // A queue that still grows was measured too early, when the arrivals of before were in the window.
      if (queue.isOverusing) this.#capacityBps = throughputBps;
      else this.#capacityBps = Math.max(this.#capacityBps, throughputBps);
    }
    const part = 1 - (standingUs - endUs) / DRAIN_TIME_US;
    this.#limitBps = this.#capacityBps * Math.min(Math.max(part, MIN_PART), MAX_PART);
    return false;
  }

  reset(): void {
    this.#sinceUs = undefined;
    this.#limitBps = Number.POSITIVE_INFINITY;
  }
}
