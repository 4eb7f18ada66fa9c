import type { RtspMessageReader, RtspReadEvent } from '../../protocol/rtsp/rtsp-message-reader.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import type { MessageReader } from './message-reader.ts';

/** The reader is given so much at a time: what is in it at once are at most some hundred messages. */
const SLICE_BYTES = 8192;
const NO_EVENTS: readonly RtspReadEvent[] = [];

/** The messages of one RTSP connection, read as they are asked for. */
export class RtspInput implements MessageReader<RtspReadEvent> {
  readonly #reader: RtspMessageReader;
  #events: readonly RtspReadEvent[] = NO_EVENTS;
  #nextEvent = 0;
  #chunks: Uint8Array[] = [];
  #unreadBytes = 0;

  constructor(reader: RtspMessageReader) {
    this.#reader = reader;
  }

  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  get isInsideMessage(): boolean {
    return this.#reader.isInsideMessage;
  }

  /** Never: a body counts into the time of its head. Descriptions are small, and so are frames. */
  get isInsideBody(): boolean {
    return false;
  }

  receive(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#unreadBytes += bytes.length;
  }

  next(): RtspReadEvent | undefined {
    while (this.#nextEvent === this.#events.length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) {
        this.#events = NO_EVENTS;
        this.#nextEvent = 0;
        return undefined;
      }
      const slice = chunk.length <= SLICE_BYTES ? chunk : chunk.subarray(0, SLICE_BYTES);
      if (slice === chunk) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(SLICE_BYTES);
      this.#unreadBytes -= slice.length;
      this.#events = this.#reader.receive(slice);
      this.#nextEvent = 0;
    }
    return this.#events[this.#nextEvent++];
  }

  /**
   * Behind requests that change the protocol (see `RawBytes`) this is every byte; behind others, messages that came in
   * the same few kilobytes were read already and are not part of it.
   */
  takeRest(unused: RtspReadEvent | undefined): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const event of [unused, ...this.#events.slice(this.#nextEvent)]) {
      if (event?.type === 'raw') parts.push(event.bytes);
    }
    parts.push(...this.#chunks);
    this.#events = NO_EVENTS;
    this.#nextEvent = 0;
    this.#chunks = [];
    this.#unreadBytes = 0;
    return joinBytes(parts).slice();
  }
}
