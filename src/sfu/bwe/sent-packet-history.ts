import { diff16 } from '../../wire/sequence-number.ts';

/** Packets remembered for feedback; a quarter of the sequence numbers, so that a number means one packet only. */
export const MAX_TRACKED_PACKETS = 16_384;
/** Feedback that comes later than this finds nothing. */
export const MAX_TRACKED_AGE_US = 10_000_000;

const INITIAL_PACKETS = 256;

const EMPTY = 0;
const OUTSTANDING = 1;
const LOST = 2;
const RECEIVED = 3;
/** Not told of, but packets sent later were: the feedback on it is lost or late. */
const PASSED_OVER = 4;

/**
 * Whether a report of this packet was news: `first`, `late` after packets behind it were told of, `recovered` after it
 * had been called lost, or `known`.
 */
export type ReportKind = 'first' | 'late' | 'recovered' | 'known';

/**
 * The packets sent with a transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2), until
 * feedback can tell nothing more about them. A ring of plain numbers that grows to `MAX_TRACKED_PACKETS` (about 400 KB).
 */
export class SentPacketHistory {
  #sentUs = new Float64Array(INITIAL_PACKETS);
  #sizeBytes = new Int32Array(INITIAL_PACKETS);
  #clusterIds = new Int32Array(INITIAL_PACKETS);
  #states = new Uint8Array(INITIAL_PACKETS);
  #first = 0;
  #end = 0;
  #isEmpty = true;
  #outstandingBytes = 0;
  /** The number after the highest that was told of. */
  #reportedEnd = 0;

  /** Bytes sent and not yet reported, received or lost. */
  get outstandingBytes(): number {
    return this.#outstandingBytes;
  }

  /** Packets held, those without an own record between them counted. */
  get length(): number {
    return this.#end - this.#first;
  }

  /**
   * Remembers a packet. Numbers go up; one that does not, or that is there already, is ignored. A gap of more than the
   * ring holds forgets everything.
   * @param sequenceNumber 16 bits
   */
  add(sequenceNumber: number, sizeBytes: number, nowUs: number, probeClusterId: number | undefined): void {
    if (this.#isEmpty) {
      this.#isEmpty = false;
      this.#first = sequenceNumber & 0xffff;
      this.#end = this.#first;
      this.#reportedEnd = this.#first;
    }
    const number = this.#end + diff16(sequenceNumber, this.#end);
    if (number < this.#end) return;
    if (number - this.#end >= MAX_TRACKED_PACKETS) this.#forgetAll(number);
    this.#dropOld(nowUs);
    while (this.#end < number) this.#append(0, 0, -1, EMPTY);
    this.#append(sizeBytes, nowUs, probeClusterId ?? -1, OUTSTANDING);
    this.#outstandingBytes += sizeBytes;
  }

  /** The number without an end of a held packet, or `undefined` when it is not or no more held. */
  find(sequenceNumber: number): number | undefined {
    if (this.#isEmpty) return undefined;
    const number = this.#end + diff16(sequenceNumber, this.#end);
    if (number < this.#first || number >= this.#end) return undefined;
    return this.#states[this.#slot(number)] === EMPTY ? undefined : number;
  }

  /** Notes what feedback said of a packet that `find` gave. */
  report(number: number, isReceived: boolean): ReportKind {
    const slot = this.#slot(number);
    const before = this.#states[slot]!;
    if (before === RECEIVED || (before === LOST && !isReceived)) return 'known';
    if (before === OUTSTANDING) this.#outstandingBytes -= this.#sizeBytes[slot]!;
    this.#states[slot] = isReceived ? RECEIVED : LOST;
    this.#reportedEnd = Math.max(this.#reportedEnd, number + 1);
    if (before === OUTSTANDING) return 'first';
    return before === LOST ? 'recovered' : 'late';
  }

  /**
   * Passes over what was sent before a packet that `find` gave and not told of when packets behind it were.
   * @returns its bytes
   */
  passOver(number: number): number {
    let bytes = 0;
    for (let passed = Math.max(this.#reportedEnd, this.#first); passed < number; passed++) {
      const slot = this.#slot(passed);
      if (this.#states[slot] !== OUTSTANDING) continue;
      this.#states[slot] = PASSED_OVER;
      bytes += this.#sizeBytes[slot]!;
    }
    this.#outstandingBytes -= bytes;
    return bytes;
  }

  /** For numbers that `find` gave. */
  sentUs(number: number): number {
    return this.#sentUs[this.#slot(number)]!;
  }

  /** For numbers that `find` gave. */
  sizeBytes(number: number): number {
    return this.#sizeBytes[this.#slot(number)]!;
  }

  /** For numbers that `find` gave. */
  probeClusterId(number: number): number | undefined {
    const id = this.#clusterIds[this.#slot(number)]!;
    return id < 0 ? undefined : id;
  }

  #slot(number: number): number {
    return number & (this.#states.length - 1);
  }

  #append(sizeBytes: number, sentUs: number, clusterId: number, state: number): void {
    if (this.length === this.#states.length) {
      if (this.#states.length < MAX_TRACKED_PACKETS) this.#grow();
      else this.#dropFirst();
    }
    const slot = this.#slot(this.#end++);
    this.#sentUs[slot] = sentUs;
    this.#sizeBytes[slot] = sizeBytes;
    this.#clusterIds[slot] = clusterId;
    this.#states[slot] = state;
  }

  #dropOld(nowUs: number): void {
    while (this.#first < this.#end) {
      const slot = this.#slot(this.#first);
      if (this.#states[slot] !== EMPTY && nowUs - this.#sentUs[slot]! <= MAX_TRACKED_AGE_US) return;
      this.#dropFirst();
    }
  }

  #dropFirst(): void {
    const slot = this.#slot(this.#first++);
    if (this.#states[slot] === OUTSTANDING) this.#outstandingBytes -= this.#sizeBytes[slot]!;
    this.#states[slot] = EMPTY;
  }

  #forgetAll(next: number): void {
    this.#states.fill(EMPTY);
    this.#first = next;
    this.#end = next;
    this.#outstandingBytes = 0;
  }

  #grow(): void {
    const length = this.#states.length * 2;
    const sentUs = new Float64Array(length);
    const sizeBytes = new Int32Array(length);
    const clusterIds = new Int32Array(length);
    const states = new Uint8Array(length);
    for (let number = this.#first; number < this.#end; number++) {
      const from = this.#slot(number);
      const to = number & (length - 1);
      sentUs[to] = this.#sentUs[from]!;
      sizeBytes[to] = this.#sizeBytes[from]!;
      clusterIds[to] = this.#clusterIds[from]!;
      states[to] = this.#states[from]!;
    }
    this.#sentUs = sentUs;
    this.#sizeBytes = sizeBytes;
    this.#clusterIds = clusterIds;
    this.#states = states;
  }
}
