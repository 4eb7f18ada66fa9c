import { IndexedRing } from '../../wire/indexed-ring.ts';

/** One packet that waits. */
export interface QueuedPacket<P> {
  readonly packet: P;
  readonly sizeBytes: number;
  readonly queuedUs: number;
}

/** Retransmissions and video that wait for the pacer, each in order, bounded in bytes. */
export class PacerQueue<P> {
  readonly #retransmissions = new IndexedRing<QueuedPacket<P>>();
  readonly #video = new IndexedRing<QueuedPacket<P>>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#retransmissions.length === 0 && this.#video.length === 0;
  }

  /** When the one that waits longest was queued; `undefined` when none waits. */
  get oldestUs(): number | undefined {
    const retransmissionUs = this.#retransmissions.at(this.#retransmissions.first)?.queuedUs;
    const videoUs = this.#video.at(this.#video.first)?.queuedUs;
    if (retransmissionUs === undefined || videoUs === undefined) return retransmissionUs ?? videoUs;
    return Math.min(retransmissionUs, videoUs);
  }

  /** @returns false when there is no room */
  push(item: QueuedPacket<P>, priority: 'retransmission' | 'video'): boolean {
    if (this.#bytes + item.sizeBytes > this.#maxBytes) return false;
    this.#bytes += item.sizeBytes;
    (priority === 'retransmission' ? this.#retransmissions : this.#video).append(item);
    return true;
  }

  /** The next one, retransmissions first. */
  shift(): QueuedPacket<P> | undefined {
    return this.#take(this.#retransmissions) ?? this.#take(this.#video);
  }

  /** Drops what was queued before `beforeUs`. */
  dropBefore(beforeUs: number, port: { drop(packet: P): void }): void {
    for (const ring of [this.#retransmissions, this.#video]) {
      for (;;) {
        const oldest = ring.at(ring.first);
        if (oldest === undefined || oldest.queuedUs >= beforeUs) break;
        this.#take(ring);
        port.drop(oldest.packet);
      }
    }
  }

  #take(ring: IndexedRing<QueuedPacket<P>>): QueuedPacket<P> | undefined {
    const item = ring.at(ring.first);
    if (item === undefined) return undefined;
    ring.dropBefore(ring.first + 1);
    this.#bytes -= item.sizeBytes;
    return item;
  }
}
