/** What the scheduler keeps with each stream. */
export interface ScheduledStream {
  /** Share of the link beside others; larger gets more. */
  weight: number;
  /** Virtual time at which its next chunk starts. */
  startTime: number;
  isScheduled: boolean;
}

/**
 * Start-time fair queueing over the streams that have something to send: bytes are shared by weight (RFC 8260 §3.6,
 * weighted fair queueing), whatever the sizes of messages. A heap, so that the choice among many streams is cheap.
 */
export class StreamScheduler<Stream extends ScheduledStream> {
  readonly #heap: Stream[] = [];
  #virtualTime = 0;

  /** The stream whose turn it is. */
  get first(): Stream | undefined {
    return this.#heap[0];
  }

  /** Lets a stream take part; nothing happens when it already does. */
  add(stream: Stream): void {
    if (stream.isScheduled) return;
    stream.isScheduled = true;
    stream.startTime = Math.max(stream.startTime, this.#virtualTime);
    const heap = this.#heap;
    let at = heap.length;
    heap.push(stream);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.startTime <= stream.startTime) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = stream;
  }

  /** The first stream has sent so many bytes and has more. */
  charge(sizeBytes: number): void {
    const stream = this.#heap[0]!;
    this.#virtualTime = stream.startTime;
    stream.startTime += sizeBytes / stream.weight;
    this.#sink(stream);
  }

  /** The first stream has nothing more to send, `sizeBytes` after its turn began. */
  remove(sizeBytes: number): void {
    const stream = this.#heap[0]!;
    this.#virtualTime = stream.startTime;
    stream.startTime += sizeBytes / stream.weight;
    stream.isScheduled = false;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
  }

  /** Puts `stream` in place of the first and moves it down to where it belongs. */
  #sink(stream: Stream): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.startTime < heap[child]!.startTime) child++;
      // Equals go first: whose turn it was waits.
      if (heap[child]!.startTime > stream.startTime) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = stream;
  }
}
