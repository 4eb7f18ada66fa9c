import type { PacketResult, TransportArrivals } from './packet-result.ts';
import type { SentPacketHistory } from './sent-packet-history.ts';

/** Packets looked at in one feedback; more are ignored. */
export const MAX_FEEDBACK_PACKETS = 16_384;
/** The reference time of feedback has 24 bits of 64 ms, about 12.4 days; then arrival times start at 0 again. */
export const ARRIVAL_WRAP_US: number = 2 ** 24 * 64_000;

/** One feedback, joined with what was sent. */
export interface FeedbackReport {
  /** What the feedback told that was not known before, in its order. */
  readonly results: readonly PacketResult[];
  /** Shortest way there and back of a packet in it, the receiver's waiting taken off; `undefined` when none arrived. */
  readonly rttUs: number | undefined;
  /** Bytes of packets sent before those in it of which nothing was told: feedback was lost. Each packet counts once. */
  readonly passedOverBytes: number;
}

/**
 * Joins transport-wide feedback with the packets that were sent. Packets that were never sent, are forgotten or were
 * told of before are left out, so that feedback that is doubled, late, made up or about other packets changes nothing.
 * Packets between two feedbacks of which none arrived are neither received nor lost.
 */
export class FeedbackAdapter {
  readonly #history: SentPacketHistory;
  #lastArrivalUs: number | undefined;

  constructor(history: SentPacketHistory) {
    this.#history = history;
  }

  /** @param nowUs when the feedback came, by our clock */
  adapt({ baseSequenceNumber, arrivalsUs }: TransportArrivals, nowUs: number): FeedbackReport {
    const results: PacketResult[] = [];
    let passedOverBytes = 0;
    let lastArrivalUs = Number.NEGATIVE_INFINITY;
    const count = Math.min(arrivalsUs.length, MAX_FEEDBACK_PACKETS);
    for (let i = 0; i < count; i++) {
      const wrappedUs = arrivalsUs[i];
      const number = this.#history.find(baseSequenceNumber + i);
      if (number === undefined || (wrappedUs !== undefined && !(Math.abs(wrappedUs) <= Number.MAX_SAFE_INTEGER)))
        continue;
      passedOverBytes += this.#history.passOver(number);
      const kind = this.#history.report(number, wrappedUs !== undefined);
      if (kind === 'known') continue;
      const arrivalUs = wrappedUs === undefined ? undefined : this.#unwrap(wrappedUs);
      if (arrivalUs !== undefined) lastArrivalUs = Math.max(lastArrivalUs, arrivalUs);
      results.push({
        sequenceNumber: number,
        sizeBytes: this.#history.sizeBytes(number),
        sentUs: this.#history.sentUs(number),
        arrivalUs,
        probeClusterId: this.#history.probeClusterId(number),
        isRecovered: kind === 'recovered',
        isLate: kind === 'late',
      });
    }
    return { results, rttUs: shortestRtt(results, lastArrivalUs, nowUs), passedOverBytes };
  }

  #unwrap(wrappedUs: number): number {
    const reference = this.#lastArrivalUs;
    if (reference === undefined) {
      this.#lastArrivalUs = wrappedUs;
      return wrappedUs;
    }
    const behind = wrappedUs - reference;
    const arrivalUs = reference + behind - Math.round(behind / ARRIVAL_WRAP_US) * ARRIVAL_WRAP_US;
    this.#lastArrivalUs = arrivalUs;
    return arrivalUs;
  }
}

/** The last arrival is taken for the moment the feedback left, which is late by what the receiver waited after it. */
function shortestRtt(results: readonly PacketResult[], lastArrivalUs: number, nowUs: number): number | undefined {
  let shortestUs: number | undefined;
  for (const { sentUs, arrivalUs } of results) {
    if (arrivalUs === undefined) continue;
    const rttUs = Math.max(0, nowUs - sentUs - (lastArrivalUs - arrivalUs));
    if (shortestUs === undefined || rttUs < shortestUs) shortestUs = rttUs;
  }
  return shortestUs;
}
