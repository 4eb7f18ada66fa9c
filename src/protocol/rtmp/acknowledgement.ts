/** Counting starts again from zero past this, as other servers do, because some peers compare sequence numbers signed. */
export const ACKNOWLEDGEMENT_RESTART = 0xf000_0000;

/**
 * Both directions of window acknowledgement (RTMP 1.0 §5.4.3, §5.4.4): when to tell the peer what arrived, and how much
 * of what we sent the peer has not yet acknowledged. The latter is only counted: a peer that forgets to acknowledge is
 * common and TCP already limits it.
 */
export class AcknowledgementWindow {
  #receivedBytes = 0;
  #acknowledgedBytes = 0;
  #windowBytes: number;
  #sentBytes = 0;
  #sentAcknowledged = 0;

  /** `windowBytes` is our own choice of window; 0 leaves it to the peer. */
  constructor(windowBytes = 0) {
    this.#windowBytes = windowBytes;
    this.#isOwn = windowBytes > 0;
  }

  readonly #isOwn: boolean;

  /** The peer's Window Acknowledgement Size; 0 means that it wants no acknowledgements. */
  setPeerWindow(sizeBytes: number): void {
    if (!this.#isOwn) this.#windowBytes = sizeBytes;
  }

  /** Counts input; gives the sequence number to acknowledge when half a window has come since the last one. */
  onReceived(sizeBytes: number): number | undefined {
    this.#receivedBytes += sizeBytes;
    if (this.#windowBytes === 0 || this.#receivedBytes - this.#acknowledgedBytes < this.#windowBytes / 2) {
      return undefined;
    }
    const sequenceNumber = this.#receivedBytes % 0x1_0000_0000;
    this.#acknowledgedBytes = this.#receivedBytes;
    if (this.#receivedBytes >= ACKNOWLEDGEMENT_RESTART) {
      this.#receivedBytes = 0;
      this.#acknowledgedBytes = 0;
    }
    return sequenceNumber;
  }

  onSent(sizeBytes: number): void {
    this.#sentBytes += sizeBytes;
  }

  /** The peer's Acknowledgement. Sequence numbers wrap at 2^32. */
  onAcknowledged(sequenceNumber: number): void {
    this.#sentAcknowledged += (sequenceNumber - this.#sentAcknowledged) >>> 0;
    if (this.#sentAcknowledged > this.#sentBytes) this.#sentAcknowledged = this.#sentBytes;
  }

  /** Bytes sent that the peer has not acknowledged; everything sent, for a peer that never does. */
  get unacknowledgedBytes(): number {
    return this.#sentBytes - this.#sentAcknowledged;
  }
}
