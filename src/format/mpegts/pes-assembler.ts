import { type PesHeader, parsePesHeader } from './pes-packet.ts';
import type { TsMalformedReason } from './ts-demux-event.ts';

/** Receives the PES packets of one PID. */
export interface PesSink {
  /** A whole PES packet; `payload` is a view of a buffer given away with it. */
  onPes(header: PesHeader, payload: Uint8Array): void;
  onBadPes(reason: TsMalformedReason): void;
}

/** Bytes that hold any PES header: nine and 255 of header data. */
const MAX_HEADER_BYTES = 264;
/** First size of the buffer of a packet that gives no size for itself. */
const INITIAL_SIZE_BYTES = 4096;
/** Where PES_packet_length ends, from where on it counts. */
const LENGTH_END = 6;

/** Puts PES packets together from packet payloads (ISO/IEC 13818-1 §2.4.3.6). */
export class PesAssembler {
  readonly #maxSizeBytes: number;
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;
  #isOpen = false;
  /** Size the packet gives for itself; 0 while unknown or when it gives none. */
  #declaredSize = 0;

  constructor(maxSizeBytes: number) {
    this.#maxSizeBytes = maxSizeBytes;
  }

  /** Drops what has come of a PES packet. Returns whether there was something to drop. */
  reset(): boolean {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    this.#length = 0;
    return wasOpen;
  }

  /** Takes the payload of one transport packet. */
  push(payload: Uint8Array, isUnitStart: boolean, sink: PesSink): void {
    if (isUnitStart) {
      this.end(sink);
      this.#isOpen = true;
      this.#declaredSize = 0;
      // A 16-bit length is small enough to be believed.
      const length = payload.length < LENGTH_END ? 0 : (payload[4]! << 8) | payload[5]!;
      this.#buffer = new Uint8Array(length > 0 ? length + LENGTH_END : INITIAL_SIZE_BYTES);
    } else if (!this.#isOpen) {
      return;
    }
    if (this.#length + payload.length > this.#maxSizeBytes) {
      this.reset();
      sink.onBadPes('pes-too-large');
      return;
    }
    this.#append(payload);
    if (this.#declaredSize === 0 && this.#length >= LENGTH_END) {
      const length = (this.#buffer[4]! << 8) | this.#buffer[5]!;
      if (length > 0) this.#declaredSize = length + LENGTH_END;
    }
    if (this.#declaredSize > 0 && this.#length >= this.#declaredSize) this.#finish(this.#declaredSize, sink);
  }

  /** The next unit begins or the stream is over: what has come is the whole packet, if it gives no size itself. */
  end(sink: PesSink): void {
    if (!this.#isOpen) return;
    if (this.#declaredSize > this.#length) {
      this.reset();
      sink.onBadPes('pes-cut-short');
      return;
    }
    this.#finish(this.#length, sink);
  }

  #append(payload: Uint8Array): void {
    const needed = this.#length + payload.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(payload, this.#length);
    this.#length = needed;
  }

  #finish(size: number, sink: PesSink): void {
    const bytes = this.#buffer.subarray(0, size);
    this.#buffer = new Uint8Array(0);
    this.reset();
    const header = parsePesHeader(bytes.subarray(0, MAX_HEADER_BYTES));
    if (header === undefined) sink.onBadPes('bad-pes-header');
    else sink.onPes(header, bytes.subarray(header.payloadOffset));
  }
}
