import { headSize, type MessageSink, OTHER_HEAD_SIZE } from './message-sink.ts';

const MESSAGE_HEADER_SIZES = [11, 7, 3, 0] as const;
const MAX_HEADER_SIZE = 18;
const EXTENDED = 0xffffff;

/** What is remembered of one chunk stream. */
class ChunkStream {
  timestampMs = 0;
  deltaMs = 0;
  extended = false;
  sizeBytes = 0;
  type = 0;
  /** Bytes of the current message still to come. */
  left = 0;
  headLength = 0;
  headWanted = 0;
  readonly head = new Uint8Array(OTHER_HEAD_SIZE);
}

/**
 * Walks an RTMP chunk stream (specification §5.3) without joining messages: it reads headers, keeps the first bytes of
 * each payload and skips the rest, so that one process can follow a thousand viewers. It follows Set Chunk Size itself.
 * It trusts the server: for load generation only.
 */
export class RtmpScanner {
  readonly #sink: MessageSink;
  readonly #header = new Uint8Array(MAX_HEADER_SIZE);
  #have = 0;
  #chunkSize = 128;
  #chunkLeft = 0;
  readonly #streams = new Map<number, ChunkStream>();
  #current = new ChunkStream();

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#chunkLeft > 0) {
        const count = Math.min(this.#chunkLeft, end - at);
        this.#take(bytes, at, count);
        at += count;
        continue;
      }
      this.#header[this.#have++] = bytes[at++]!;
      if (this.#have === this.#headerSize()) this.#startChunk();
    }
  }

  #take(bytes: Uint8Array, at: number, count: number): void {
    const stream = this.#current;
    if (stream.headLength < stream.headWanted) {
      const kept = Math.min(count, stream.headWanted - stream.headLength);
      for (let i = 0; i < kept; i++) stream.head[stream.headLength + i] = bytes[at + i]!;
      stream.headLength += kept;
    }
    this.#chunkLeft -= count;
    stream.left -= count;
    if (stream.left === 0) this.#emit(stream);
  }

  #emit(stream: ChunkStream): void {
    const head = stream.head;
    if (stream.type === 1) this.#chunkSize = ((head[0]! << 24) | (head[1]! << 16) | (head[2]! << 8) | head[3]!) >>> 0;
    this.#sink.message(stream.type, stream.timestampMs, stream.sizeBytes, head.subarray(0, stream.headLength));
  }

  #basicSize(): number {
    const low = this.#header[0]! & 0x3f;
    return low === 0 ? 2 : low === 1 ? 3 : 1;
  }

  #streamId(): number {
    const h = this.#header;
    const low = h[0]! & 0x3f;
    if (low === 0) return 64 + h[1]!;
    return low === 1 ? 64 + h[1]! + h[2]! * 256 : low;
  }

  /** Size of the header begun in `#header`, as far as its bytes so far tell. */
  #headerSize(): number {
    const h = this.#header;
    const basic = this.#basicSize();
    const format = h[0]! >> 6;
    const size = basic + MESSAGE_HEADER_SIZES[format as 0 | 1 | 2 | 3];
    if (this.#have < size) return size;
    if (format === 3) return this.#streams.get(this.#streamId())?.extended ? size + 4 : size;
    return ((h[basic]! << 16) | (h[basic + 1]! << 8) | h[basic + 2]!) === EXTENDED ? size + 4 : size;
  }

  #startChunk(): void {
    const h = this.#header;
    const id = this.#streamId();
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = new ChunkStream();
      this.#streams.set(id, stream);
    }
    this.#current = stream;
    const format = h[0]! >> 6;
    let at = this.#basicSize();
    if (format < 3) {
      let time = (h[at]! << 16) | (h[at + 1]! << 8) | h[at + 2]!;
      if (format < 2) {
        stream.sizeBytes = (h[at + 3]! << 16) | (h[at + 4]! << 8) | h[at + 5]!;
        stream.type = h[at + 6]!;
      }
      at += MESSAGE_HEADER_SIZES[format as 0 | 1 | 2];
      stream.extended = time === EXTENDED;
      if (stream.extended) time = ((h[at]! << 24) | (h[at + 1]! << 16) | (h[at + 2]! << 8) | h[at + 3]!) >>> 0;
      if (format === 0) {
        stream.timestampMs = time;
        stream.deltaMs = 0;
      } else {
        stream.deltaMs = time;
      }
    }
    if (stream.left === 0) {
      if (format !== 0) stream.timestampMs += stream.deltaMs;
      stream.left = stream.sizeBytes;
      stream.headLength = 0;
      stream.headWanted = headSize(stream.type, stream.sizeBytes);
      if (stream.left === 0) this.#emit(stream);
    }
    this.#chunkLeft = Math.min(this.#chunkSize, stream.left);
    this.#have = 0;
  }
}
