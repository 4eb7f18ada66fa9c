import { IndexedRing } from '../../wire/indexed-ring.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { type ScheduledStream, StreamScheduler } from './stream-scheduler.ts';

/** Weight of streams nobody gave a priority: "normal" of RFC 8831 §6.4. */
const DEFAULT_WEIGHT = 256;

/** Messages of one stream that are not all in chunks. */
class OutgoingStream implements ScheduledStream {
  readonly id: number;
  weight = DEFAULT_WEIGHT;
  startTime = 0;
  isScheduled = false;
  readonly messages = new IndexedRing<OutgoingMessage>();
  bufferedBytes = 0;
  lowThresholdBytes: number;
  nextOrdered = 0;
  nextUnordered = 0;
  /** Nothing more is cut until the peer has reset the stream. */
  isPaused = false;

  constructor(id: number, lowThresholdBytes: number) {
    this.id = id;
    this.lowThresholdBytes = lowThresholdBytes;
  }
}

/**
 * What waits to be cut into chunks, by stream, and whose turn it is. With I-DATA the turn changes with every chunk; with
 * DATA a message once begun is finished first, since its TSNs must follow each other.
 */
export class SendQueue {
  #isInterleaved = false;
  readonly #lowThresholdBytes: number;
  readonly #streams = new Map<number, OutgoingStream>();
  readonly #scheduler = new StreamScheduler<OutgoingStream>();
  #bufferedBytes = 0;
  #messageCount = 0;
  /** Its first message is begun and has to be finished first: only without interleaving. */
  #begun: OutgoingStream | undefined;
  /** Streams whose amount fell to their threshold; the owner empties it. */
  readonly lowStreams: number[] = [];

  constructor(lowThresholdBytes: number) {
    this.#lowThresholdBytes = lowThresholdBytes;
  }

  /** What both sides agreed on, before the first chunk is cut. */
  setInterleaved(isInterleaved: boolean): void {
    this.#isInterleaved = isInterleaved;
  }

  /** Bytes of payload that are in no chunk yet, of all streams. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Messages that are not all in chunks, of all streams. */
  get messageCount(): number {
    return this.#messageCount;
  }

  bufferedBytesOf(streamId: number): number {
    return this.#streams.get(streamId)?.bufferedBytes ?? 0;
  }

  /** Whether no message of the stream waits or is begun. */
  isEmpty(streamId: number): boolean {
    return (this.#streams.get(streamId)?.messages.length ?? 0) === 0;
  }

  setLowThreshold(streamId: number, sizeBytes: number): void {
    this.#stream(streamId).lowThresholdBytes = sizeBytes;
  }

  setWeight(streamId: number, weight: number): void {
    this.#stream(streamId).weight = weight;
  }

  add(message: OutgoingMessage): void {
    const stream = this.#stream(message.streamId);
    stream.messages.append(message);
    stream.bufferedBytes += message.bytes.length;
    this.#bufferedBytes += message.bytes.length;
    this.#messageCount++;
    if (!stream.isPaused) this.#scheduler.add(stream);
  }

  /** The message of which the next chunk is to be cut; those that expired are dropped. Undefined when there is none. */
  head(nowMs: number): OutgoingMessage | undefined {
    for (let stream = this.#next(); stream !== undefined; stream = this.#next()) {
      const message = stream.messages.at(stream.messages.first);
      // Paused between messages only: what is begun is finished.
      if (message === undefined || (stream.isPaused && message.cutBytes === 0)) {
        this.#scheduler.remove(0);
        continue;
      }
      // What is begun goes on to its end: it is given up only when some of it would have to be sent again.
      if (message.expiresAtMs > nowMs || message.cutBytes > 0) return message;
      this.#dropFirst(stream, message);
    }
    return undefined;
  }

  /** Cuts `sizeBytes` more off the message that `head` gave, which gets its sequence number with its first chunk. */
  cut(message: OutgoingMessage, sizeBytes: number): void {
    const stream = this.#next()!;
    const isFirst = message.cutBytes === 0;
    if (isFirst) this.#number(stream, message);
    message.cutBytes += sizeBytes;
    this.#shrink(stream, sizeBytes);
    const isWhole = message.cutBytes === message.bytes.length;
    if (isWhole) this.#removeFirst(stream);
    if (this.#isInterleaved) {
      if (stream.messages.length > 0) this.#scheduler.charge(sizeBytes);
      else this.#scheduler.remove(sizeBytes);
      return;
    }
    if (isFirst) {
      this.#scheduler.remove(message.bytes.length);
      this.#begun = stream;
    }
    if (isWhole) this.#endTurn(stream);
  }

  /** Drops what is left of a message that was given up after it was begun. */
  giveUp(message: OutgoingMessage): void {
    const stream = this.#stream(message.streamId);
    if (stream.messages.at(stream.messages.first) === message) this.#dropFirst(stream, message);
  }

  /** Nothing more of the stream is begun until `restart`. */
  pause(streamId: number): void {
    this.#stream(streamId).isPaused = true;
  }

  /** Ends a pause; with `isReset` the sequence numbers begin at 0 again. */
  restart(streamId: number, isReset: boolean): void {
    const stream = this.#stream(streamId);
    if (isReset) {
      stream.nextOrdered = 0;
      stream.nextUnordered = 0;
    }
    stream.isPaused = false;
    if (stream.messages.length > 0) this.#scheduler.add(stream);
  }

  /** Messages of the stream are dropped where nothing of them was sent. */
  discard(streamId: number): void {
    const stream = this.#stream(streamId);
    const { messages } = stream;
    const first = messages.at(messages.first);
    const kept = first !== undefined && first.cutBytes > 0 ? 1 : 0;
    if (messages.length <= kept) return;
    let sizeBytes = 0;
    for (let index = messages.first + kept; index < messages.end; index++) sizeBytes += messages.at(index)!.leftBytes;
    this.#messageCount -= messages.length - kept;
    messages.dropBefore(messages.end);
    if (kept === 1) messages.append(first!);
    this.#shrink(stream, sizeBytes);
  }

  /** The other side began anew: begun messages start over, all numbers too. */
  startOver(): void {
    this.#begun = undefined;
    for (const stream of this.#streams.values()) {
      const message = stream.messages.at(stream.messages.first);
      if (message !== undefined && message.cutBytes > 0) {
        stream.bufferedBytes += message.cutBytes;
        this.#bufferedBytes += message.cutBytes;
        message.cutBytes = 0;
        message.nextFsn = 0;
        message.sequence = -1;
        message.firstIndex = -1;
        message.lastIndex = -1;
      }
      this.restart(stream.id, true);
    }
  }

  #next(): OutgoingStream | undefined {
    return this.#begun ?? this.#scheduler.first;
  }

  #endTurn(stream: OutgoingStream): void {
    if (this.#begun !== stream) return;
    this.#begun = undefined;
    if (stream.messages.length > 0) this.#scheduler.add(stream);
  }

  #stream(id: number): OutgoingStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = new OutgoingStream(id, this.#lowThresholdBytes);
      this.#streams.set(id, stream);
    }
    return stream;
  }

  #number(stream: OutgoingStream, message: OutgoingMessage): void {
    if (this.#isInterleaved) {
      if (message.isOrdered) {
        message.sequence = stream.nextOrdered;
        stream.nextOrdered = (stream.nextOrdered + 1) >>> 0;
      } else {
        message.sequence = stream.nextUnordered;
        stream.nextUnordered = (stream.nextUnordered + 1) >>> 0;
      }
    } else {
      message.sequence = message.isOrdered ? stream.nextOrdered : 0;
      if (message.isOrdered) stream.nextOrdered = (stream.nextOrdered + 1) & 0xffff;
    }
  }

  #dropFirst(stream: OutgoingStream, message: OutgoingMessage): void {
    this.#removeFirst(stream);
    this.#shrink(stream, message.leftBytes);
    this.#endTurn(stream);
  }

  #removeFirst({ messages }: OutgoingStream): void {
    messages.dropBefore(messages.first + 1);
    this.#messageCount--;
  }

  #shrink(stream: OutgoingStream, sizeBytes: number): void {
    const isAbove = stream.bufferedBytes > stream.lowThresholdBytes;
    stream.bufferedBytes -= sizeBytes;
    this.#bufferedBytes -= sizeBytes;
    if (isAbove && stream.bufferedBytes <= stream.lowThresholdBytes) this.lowStreams.push(stream.id);
  }
}
