import { unwrap16 } from '../../wire/sequence-number.ts';
import type { TransportArrivals } from './packet-result.ts';

/** Packets one feedback tells of at most; those beyond follow in the next. */
export const MAX_RECORDED_PACKETS = 2048;
/** Feedback is sent at least this often while packets come. */
export const DEFAULT_FEEDBACK_INTERVAL_MS = 50;
/** … and as soon as so many have come. */
export const DEFAULT_FEEDBACK_PACKETS = 100;
/** Deltas in feedback have 16 bits of 250 µs: packets further apart go into feedback of their own. */
const MAX_DELTA_US = 0x7ff0 * 250;
/** Feedback that is due is given out in at most so many packets at once. */
const MAX_FEEDBACKS = 8;

/** One feedback to be written (`writeTransportWideFeedback`). */
export interface RecordedFeedback extends TransportArrivals {
  /** 8 bits, by one more each time. */
  readonly feedbackCount: number;
}

/** When feedback is due. */
export interface ArrivalRecorderOptions {
  /** Default 50 ms. */
  readonly intervalMs?: number;
  /** Packets after which feedback is due at once, default 100. */
  readonly maxPackets?: number;
}

/**
 * The receive side of transport-wide congestion control (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3): notes
 * when packets arrive and says when feedback is due and what it tells. A packet that comes after feedback that called it
 * lost is told of again, while it is near enough.
 */
export class ArrivalRecorder {
  readonly #intervalUs: number;
  readonly #maxPackets: number;
  /** Arrival of the packet with each number without an end, from `#base` on; a ring. */
  readonly #arrivalsUs = new Float64Array(MAX_RECORDED_PACKETS).fill(-1);
  /** First number of the next feedback. */
  #base: number | undefined;
  /** The number after the highest that came. */
  #end = 0;
  /** What was told of stays from here on, for those that come late. */
  #oldest = 0;
  #count = 0;
  #newPackets = 0;
  #dueUs: number | undefined;

  constructor(options: ArrivalRecorderOptions = {}) {
    this.#intervalUs = (options.intervalMs ?? DEFAULT_FEEDBACK_INTERVAL_MS) * 1000;
    this.#maxPackets = Math.min(options.maxPackets ?? DEFAULT_FEEDBACK_PACKETS, MAX_RECORDED_PACKETS / 2);
  }

  /** A packet with this transport-wide number (16 bits) arrived. A doubled one keeps its first time. */
  onPacket(sequenceNumber: number, arrivalUs: number): void {
    if (this.#base === undefined) {
      this.#base = sequenceNumber;
      this.#end = sequenceNumber;
      this.#oldest = sequenceNumber;
    }
    const number = unwrap16(sequenceNumber, this.#end - 1);
    if (number < this.#oldest) {
      // Before the first packet that came, or too late to tell.
      if (number < this.#end - MAX_RECORDED_PACKETS || this.#end - this.#oldest >= MAX_RECORDED_PACKETS) return;
      this.#oldest = number;
    }
    if (number >= this.#end) this.#advance(number);
    const slot = number & (MAX_RECORDED_PACKETS - 1);
    if (this.#arrivalsUs[slot]! >= 0) return;
    this.#arrivalsUs[slot] = Math.max(0, arrivalUs);
    if (number < this.#base) this.#base = number;
    this.#newPackets++;
    this.#dueUs ??= arrivalUs + this.#intervalUs;
    if (this.#newPackets >= this.#maxPackets) this.#dueUs = Math.min(this.#dueUs, arrivalUs);
  }

  /** When `takeFeedback` is to be called, milliseconds; `undefined` while there is nothing to tell. */
  nextTimeoutMs(): number | undefined {
    return this.#dueUs === undefined ? undefined : this.#dueUs / 1000;
  }

  /** The feedback that is due, none before its time. Usually one. */
  takeFeedback(nowMs: number): RecordedFeedback[] {
    const feedbacks: RecordedFeedback[] = [];
    if (this.#dueUs === undefined || Math.round(nowMs * 1000) < this.#dueUs) return feedbacks;
    while (this.#base! < this.#end && feedbacks.length < MAX_FEEDBACKS) feedbacks.push(this.#takeOne());
    this.#newPackets = 0;
    this.#dueUs = undefined;
    return feedbacks;
  }

  /** Begins where the last one ended, so that what was lost between the two is told of. */
  #takeOne(): RecordedFeedback {
    const baseSequenceNumber = this.#base! & 0xffff;
    const arrivalsUs: (number | undefined)[] = [];
    let number = this.#base!;
    let lastUs: number | undefined;
    for (; number < this.#end; number++) {
      const arrivalUs = this.#at(number);
      if (arrivalUs !== undefined && Math.abs(arrivalUs - (lastUs ?? arrivalUs)) > MAX_DELTA_US) break;
      arrivalsUs.push(arrivalUs);
      lastUs = arrivalUs ?? lastUs;
    }
    this.#base = number;
    const feedbackCount = this.#count;
    this.#count = (this.#count + 1) & 0xff;
    return { baseSequenceNumber, feedbackCount, arrivalsUs };
  }

  #at(number: number): number | undefined {
    const arrivalUs = this.#arrivalsUs[number & (MAX_RECORDED_PACKETS - 1)]!;
    return arrivalUs < 0 ? undefined : arrivalUs;
  }

  /** Makes `number` the highest; what falls out of the ring is forgotten. */
  #advance(number: number): void {
    const emptied = Math.min(number + 1 - this.#end, MAX_RECORDED_PACKETS);
    for (let i = 0; i < emptied; i++) this.#arrivalsUs[(number - i) & (MAX_RECORDED_PACKETS - 1)] = -1;
    this.#end = number + 1;
    this.#oldest = Math.max(this.#oldest, this.#end - MAX_RECORDED_PACKETS);
    this.#base = Math.max(this.#base!, this.#oldest);
  }
}
