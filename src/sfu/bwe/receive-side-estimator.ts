import { DelayBasedEstimator } from './delay-based-estimator.ts';
import { ThroughputEstimator } from './throughput-estimator.ts';

/** The absolute send time has 24 bits, 18 of them behind the point: 64 s, then it starts at 0 again. */
export const SEND_TIME_WRAP_US = 64_000_000;
const SEND_TIME_BITS = 24;
const SEND_TIME_UNIT_US = 1e6 / 2 ** 18;

/** REMB is sent this often … */
const REMB_INTERVAL_US = 1_000_000;
/** … and at once when the estimate fell to less than this part of what was said last, but no sooner than that. */
const REMB_DROP_PART = 0.97;
const MIN_REMB_INTERVAL_US = 100_000;
/** Packets looked at together: the estimate moves this often. */
const BATCH_US = 20_000;
/** What comes within one batch at most; more are looked at earlier. */
export const MAX_BATCH_PACKETS = 256;
/** Growth a second until the link was full: probes are the sender's, and are not seen here as such. */
const INCREASE_PER_SECOND = 1.5;
/** A stream of which nothing came for so long is over: no REMB is sent for it. */
const SILENCE_US = 2_000_000;

/** Bounds of what is told, bits a second. */
export interface ReceiveSideOptions {
  /** Default 600,000. */
  readonly startBps?: number;
  /** Default 30,000. */
  readonly minBps?: number;
  /** mediasoup's `maxIncomingBitrate`. Default: none. */
  readonly maxBps?: number;
}

interface Arrival {
  readonly sequenceNumber: number;
  readonly sizeBytes: number;
  readonly sentUs: number;
  readonly arrivalUs: number;
  readonly probeClusterId: undefined;
  readonly isRecovered: false;
  readonly isLate: false;
}

/**
 * The receive side for senders without transport-wide feedback: the delay-based estimator over the absolute send time of
 * the packets (http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time), told in REMB
 * (draft-alvestrand-rmcat-remb-03). The loss-based half is the sender's.
 */
export class ReceiveSideEstimator {
  readonly #delay: DelayBasedEstimator;
  readonly #throughput = new ThroughputEstimator();
  #minBps: number;
  #maxBps: number;
  #batch: Arrival[] = [];
  #batchSinceUs = 0;
  #sentUs: number | undefined;
  #lastArrivalUs: number | undefined;
  #rembUs: number | undefined;
  #rembBps = 0;

  constructor(options: ReceiveSideOptions = {}) {
    const { startBps = 600_000, minBps = 30_000, maxBps = Number.POSITIVE_INFINITY } = options;
    this.#minBps = minBps;
    this.#maxBps = Math.max(maxBps, minBps);
    this.#delay = new DelayBasedEstimator({
      startBps,
      minBps,
      maxBps: this.#maxBps,
      increasePerSecond: INCREASE_PER_SECOND,
    });
  }

  /** What the sender may send, bits a second. */
  get estimateBps(): number {
    return this.#delay.targetBps;
  }

  /** What comes, bits a second. */
  get throughputBps(): number | undefined {
    return this.#throughput.bitrateBps;
  }

  setBounds(minBps: number, maxBps: number): void {
    this.#minBps = minBps;
    this.#maxBps = Math.max(maxBps, minBps);
    this.#delay.setBounds(this.#minBps, this.#maxBps);
  }

  /** Round trip, where receiver reports of ours or DLRR tell it. */
  setRtt(rttMs: number): void {
    this.#delay.setRtt(rttMs * 1000);
  }

  /**
   * A packet arrived.
   * @param absSendTime 24 bits, as in the header extension
   */
  onPacket(absSendTime: number, arrivalUs: number, sizeBytes: number): void {
    const sentUs = this.#unwrap(absSendTime);
    if (this.#batch.length === 0) this.#batchSinceUs = arrivalUs;
    this.#lastArrivalUs = arrivalUs;
    this.#throughput.add(arrivalUs, sizeBytes);
    const fixed = { sequenceNumber: 0, probeClusterId: undefined, isRecovered: false, isLate: false } as const;
    this.#batch.push({ ...fixed, sizeBytes, sentUs, arrivalUs });
    if (arrivalUs - this.#batchSinceUs >= BATCH_US || this.#batch.length >= MAX_BATCH_PACKETS) {
      this.#delay.update(this.#batch, this.#throughput.bitrateBps, arrivalUs);
      this.#batch = [];
    }
    this.#rembUs ??= arrivalUs - REMB_INTERVAL_US + MIN_REMB_INTERVAL_US;
  }

  /** When to ask for a REMB, milliseconds; `undefined` while nothing comes. */
  nextTimeoutMs(): number | undefined {
    if (this.#rembUs === undefined) return undefined;
    const hasDropped = this.estimateBps < this.#rembBps * REMB_DROP_PART;
    return (this.#rembUs + (hasDropped ? MIN_REMB_INTERVAL_US : REMB_INTERVAL_US)) / 1000;
  }

  /** The bitrate of the REMB that is due, bits a second; `undefined` when none is. */
  takeRemb(nowMs: number): number | undefined {
    const nowUs = Math.round(nowMs * 1000);
    const dueMs = this.nextTimeoutMs();
    if (dueMs === undefined || nowUs < Math.round(dueMs * 1000)) return undefined;
    if (nowUs - this.#lastArrivalUs! > SILENCE_US) {
      this.#rembUs = undefined;
      return undefined;
    }
    this.#rembUs = nowUs;
    this.#rembBps = this.estimateBps;
    return this.#rembBps;
  }

  #unwrap(absSendTime: number): number {
    const wrappedUs = (absSendTime & (2 ** SEND_TIME_BITS - 1)) * SEND_TIME_UNIT_US;
    const reference = this.#sentUs;
    const aheadUs = reference === undefined ? 0 : wrappedUs - reference;
    const sentUs =
      reference === undefined
        ? wrappedUs
        : reference + aheadUs - Math.round(aheadUs / SEND_TIME_WRAP_US) * SEND_TIME_WRAP_US;
    this.#sentUs = sentUs;
    return sentUs;
  }
}
