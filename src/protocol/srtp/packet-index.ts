/** Packets a receiver remembers, behind the newest one (RFC 3711 §3.3.2 asks for 64 at least). */
export const REPLAY_WINDOW_PACKETS = 128;

const SEQUENCE_NUMBERS = 0x1_0000;
const HALF = 0x8000;
/** Indices an RTP stream has under one key: 32-bit rollover counter, 16-bit sequence number. */
const INDICES = 2 ** 48;

/**
 * The indices of one SSRC that were seen (RFC 3711 §3.3): the newest one, which holds rollover counter and highest
 * sequence number, and one bit for each of the 128 up to it.
 */
export class PacketIndex {
  /** Newest index; −1 before the first. */
  highest = -1;
  readonly #seen: Uint32Array = new Uint32Array(REPLAY_WINDOW_PACKETS / 32);

  /**
   * Index of the packet with this sequence number, nearest to the newest one (RFC 3711 §3.3.1); before the first packet
   * the rollover counter is `initialRolloverCounter`. Negative or beyond the last index when there is no such packet.
   */
  estimate(sequenceNumber: number, initialRolloverCounter: number): number {
    const { highest } = this;
    if (highest < 0) return initialRolloverCounter * SEQUENCE_NUMBERS + sequenceNumber;
    const highestSequenceNumber = highest % SEQUENCE_NUMBERS;
    const index = highest - highestSequenceNumber + sequenceNumber;
    if (highestSequenceNumber < HALF) {
      return sequenceNumber - highestSequenceNumber > HALF ? index - SEQUENCE_NUMBERS : index;
    }
    return highestSequenceNumber - HALF > sequenceNumber ? index + SEQUENCE_NUMBERS : index;
  }

  /** Whether `index` can be a packet not seen before. */
  isNew(index: number): boolean {
    if (index < 0 || index >= INDICES) return false;
    const age = this.highest - index;
    if (age < 0) return true;
    if (age >= REPLAY_WINDOW_PACKETS) return false;
    const bit = index % REPLAY_WINDOW_PACKETS;
    return (this.#seen[bit >>> 5]! & (1 << (bit & 31))) === 0;
  }

  /** Marks an index that `isNew` and whose packet is genuine. */
  accept(index: number): void {
    const step = index - this.highest;
    if (step >= REPLAY_WINDOW_PACKETS) {
      this.#seen.fill(0);
    } else {
      for (let skipped = this.highest + 1; skipped < index; skipped++) this.#mark(skipped, false);
    }
    this.#mark(index, true);
    if (step > 0) this.highest = index;
  }

  #mark(index: number, isSeen: boolean): void {
    const bit = index % REPLAY_WINDOW_PACKETS;
    const mask = 1 << (bit & 31);
    if (isSeen) this.#seen[bit >>> 5]! |= mask;
    else this.#seen[bit >>> 5]! &= ~mask;
  }
}

/** Rollover counter of an index. */
export function rolloverCounterOf(index: number): number {
  return Math.floor(index / SEQUENCE_NUMBERS);
}
