import { StateError } from '../wire/errors.ts';

/** Code of the `StateError` for bytes that are no batch. */
export type DatagramBatchErrorCode = 'datagram/bad-batch';

/** First byte of an interleaved frame (RFC 2326 §10.12). */
const DOLLAR = 0x24;
const HEADER_BYTES = 4;
const CHANNELS = 256;

let nextId = 0;

/**
 * The packets of one channel inside `$`-framed bytes (RFC 2326 §10.12), found once and sent to any number of targets.
 * Neither the batch nor the bytes may be written into after it was made.
 */
export class InterleavedBatch {
  /** No other batch of this process has it: a name that keeps nothing in memory. */
  readonly id: number = nextId++;
  /** The framed bytes, with packets of every channel. */
  readonly bytes: Uint8Array;
  readonly channel: number;
  /** Where each packet of the channel starts in `bytes`, behind its frame header. */
  readonly offsets: readonly number[];
  /** Sizes of the packets, bytes; empty packets are left out. */
  readonly sizes: readonly number[];
  /** Sum of `sizes`. */
  readonly payloadBytes: number;

  /**
   * @param skippedBytes left out at the beginning of each packet: its RTP header, where it is sent without
   * @throws StateError `datagram/bad-batch` when `bytes` are not whole interleaved frames
   */
  constructor(bytes: Uint8Array, channel: number, skippedBytes = 0) {
    const offsets: number[] = [];
    const sizes: number[] = [];
    let payloadBytes = 0;
    let at = 0;
    while (at < bytes.length) {
      const isHeader = bytes[at] === DOLLAR && at + HEADER_BYTES <= bytes.length;
      const sizeBytes = isHeader ? (bytes[at + 2]! << 8) | bytes[at + 3]! : 0;
      const end = at + HEADER_BYTES + sizeBytes;
      if (!isHeader || end > bytes.length) {
        throw new StateError(
          'datagram/bad-batch' satisfies DatagramBatchErrorCode,
          `no whole interleaved frame at ${at}`,
        );
      }
      if (bytes[at + 1] === channel && sizeBytes > skippedBytes) {
        offsets.push(at + HEADER_BYTES + skippedBytes);
        sizes.push(sizeBytes - skippedBytes);
        payloadBytes += sizeBytes - skippedBytes;
      }
      at = end;
    }
    this.bytes = bytes;
    this.channel = channel;
    this.offsets = offsets;
    this.sizes = sizes;
    this.payloadBytes = payloadBytes;
  }
}

/**
 * Batches of the joined bytes that many viewers are sent one after the other: cuts them for the first viewer and gives
 * the others the same. Made once per stream; remembers only the last bytes.
 */
export class InterleavedBatches {
  #bytes: Uint8Array | undefined;
  #byChannel: (InterleavedBatch | undefined)[] = [];

  /**
   * @param skippedBytes as for `InterleavedBatch`
   * @throws StateError `datagram/bad-batch` when `bytes` are not whole interleaved frames
   */
  of(bytes: Uint8Array, channel: number, skippedBytes = 0): InterleavedBatch {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#byChannel = [];
    }
    const place = skippedBytes * CHANNELS + channel;
    this.#byChannel[place] ??= new InterleavedBatch(bytes, channel, skippedBytes);
    return this.#byChannel[place];
  }

  /** Lets go of the last bytes. */
  clear(): void {
    this.#bytes = undefined;
    this.#byChannel = [];
  }
}
