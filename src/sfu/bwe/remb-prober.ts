import { PROBE_MIN_PACKETS, type ProbeCluster } from './probe-cluster.ts';

/** So much of the estimate is added to what is sent … */
const PADDING_PART = 0.4;
/** … for a second, which a receiver needs to see it, in pieces of which each is a probe of its own. */
const PIECES = 5;
const PIECE_US = 200_000;
/** From one time to the next, and at most where it came to nothing. */
const MIN_INTERVAL_US = 2_500_000;
const MAX_INTERVAL_US = 40_000_000;
/** A change of less says nothing. */
const CHANGE_PART = 0.05;

/**
 * Finds out whether there is more to be had from a receiver that gives REMB only. It tells little more than what it gets,
 * so what is wished for has to be shown to it: by padding beside the media, more and more seldom where that made things
 * worse.
 */
export class RembProber {
  #nextUs: number | undefined;
  #intervalUs: number = MIN_INTERVAL_US;
  #fromBps: number | undefined;
  #nextId = 0;

  /** A REMB came. */
  onRemb(bitrateBps: number): void {
    if (this.#fromBps === undefined) return;
    if (bitrateBps > this.#fromBps * (1 + CHANGE_PART)) {
      this.#intervalUs = MIN_INTERVAL_US;
      this.#fromBps = undefined;
    } else if (bitrateBps < this.#fromBps * (1 - CHANGE_PART)) {
      this.#intervalUs = Math.min(this.#intervalUs * 2, MAX_INTERVAL_US);
      this.#fromBps = undefined;
    }
  }

  /** @returns what to send now; mostly nothing */
  update(estimateBps: number, desiredBps: number, nowUs: number): readonly ProbeCluster[] {
    this.#nextUs ??= nowUs + MIN_INTERVAL_US;
    if (nowUs < this.#nextUs || estimateBps >= desiredBps) return [];
    this.#nextUs = nowUs + this.#intervalUs;
    this.#fromBps = estimateBps;
    const targetBps = Math.round(estimateBps * PADDING_PART);
    const minBytes = Math.ceil((targetBps * PIECE_US) / 8e6);
    return Array.from({ length: PIECES }, () => {
      return { id: this.#nextId++, targetBps, minPackets: PROBE_MIN_PACKETS, minBytes };
    });
  }
}
