import { MAX_CONGESTION_WINDOW_BYTES } from './sctp-limits.ts';

/** Packets in flight at the start: ten, as browsers do (RFC 6928 for TCP; RFC 9260 §7.2.1 would have about four). */
const INITIAL_PACKETS = 10;
/** Below this the window is cut only by a timeout. */
const MIN_PACKETS = 4;
/** A SACK may open the window in slow start by two packets, since most acknowledge two (RFC 3465). */
const SLOW_START_PACKETS = 2;

/** Congestion control of the one path (RFC 9260 §7.2): slow start, congestion avoidance, cuts. Sizes are bytes. */
export class CongestionWindow {
  readonly #packetBytes: number;
  #windowBytes: number;
  #thresholdBytes: number = Number.POSITIVE_INFINITY;
  #partialBytesAcked = 0;

  constructor(packetBytes: number) {
    this.#packetBytes = packetBytes;
    this.#windowBytes = INITIAL_PACKETS * packetBytes;
  }

  /** Bytes that may be in flight. */
  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** Slow start ends here. */
  get thresholdBytes(): number {
    return this.#thresholdBytes;
  }

  /** A SACK acknowledged `ackedBytes` in order while the window was full, outside of recovery. */
  open(ackedBytes: number): void {
    if (this.#windowBytes <= this.#thresholdBytes) {
      this.#windowBytes += Math.min(ackedBytes, SLOW_START_PACKETS * this.#packetBytes);
    } else {
      this.#partialBytesAcked += ackedBytes;
      if (this.#partialBytesAcked >= this.#windowBytes) {
        this.#partialBytesAcked -= this.#windowBytes;
        this.#windowBytes += this.#packetBytes;
      }
    }
    this.#windowBytes = Math.min(this.#windowBytes, MAX_CONGESTION_WINDOW_BYTES);
  }

  /** Loss was seen by later packets (§7.2.3); once for each window. */
  cut(): void {
    this.#thresholdBytes = this.#halved();
    this.#windowBytes = this.#thresholdBytes;
    this.#partialBytesAcked = 0;
  }

  /** The retransmission timer expired (§7.2.3). */
  collapse(): void {
    this.#thresholdBytes = this.#halved();
    this.#windowBytes = this.#packetBytes;
    this.#partialBytesAcked = 0;
  }

  /** Nothing was sent for so many timeouts: half of the window is forgotten for each (§7.2.1). */
  rest(timeouts: number): void {
    for (let i = 0; i < timeouts && this.#windowBytes > MIN_PACKETS * this.#packetBytes; i++) {
      this.#windowBytes = this.#halved();
    }
    this.#partialBytesAcked = 0;
  }

  #halved(): number {
    return Math.max(Math.floor(this.#windowBytes / 2), MIN_PACKETS * this.#packetBytes);
  }
}
