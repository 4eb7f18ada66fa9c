import type { PacketQueue } from '../sfu/ports/packet-port.ts';
import { StateError } from '../wire/errors.ts';
import type { DatagramErrorCode, DatagramTarget } from './datagram-socket.ts';

/**
 * Packets a queue holds; the next one sends those in front of it. So many lie in the processor's second cache still when
 * the kernel reads them, and more in one call would save nothing.
 */
export const MAX_QUEUED_PACKETS = 256;
/** Their bytes: 1,280 for each when all are as long as such packets are. */
export const QUEUE_BYTES: number = MAX_QUEUED_PACKETS * 1280;
/** Longest packet of UDP, bytes. */
const MAX_PACKET_BYTES = 65_507;

/** What waits in a queue, for whoever sends it. */
export class QueuedPackets {
  /** Whoever sends it may keep this memory, and puts other of `QUEUE_BYTES` in its place. */
  bytes: Uint8Array;
  count = 0;
  /** Of each packet: where it begins in `bytes`, its length, and its target. */
  readonly offsets: Int32Array = new Int32Array(MAX_QUEUED_PACKETS);
  readonly sizes: Int32Array = new Int32Array(MAX_QUEUED_PACKETS);
  readonly targets: (DatagramTarget | undefined)[] = Array.from({ length: MAX_QUEUED_PACKETS }, () => undefined);

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** The packets of one socket that wait to leave together. */
export class DatagramQueue implements PacketQueue {
  readonly joinsEqualSizes: boolean;
  readonly #packets: QueuedPackets;
  readonly #send: (packets: QueuedPackets) => void;
  #end = 0;
  #reserved = 0;
  #turnEnd: NodeJS.Immediate | undefined;
  #isClosed = false;
  readonly #onTurnEnd = (): void => {
    this.#turnEnd = undefined;
    this.flush();
  };

  /**
   * @param bytes of `QUEUE_BYTES`
   * @param send is done with the packets when it returns, or has taken their memory away and put other there
   * @param joinsEqualSizes as it tells of itself; false
   */
  constructor(bytes: Uint8Array, send: (packets: QueuedPackets) => void, joinsEqualSizes = false) {
    this.joinsEqualSizes = joinsEqualSizes;
    this.#packets = new QueuedPackets(bytes);
    this.#send = send;
  }

  get bytes(): Uint8Array {
    return this.#packets.bytes;
  }

  get waiting(): number {
    return this.#packets.count;
  }

  reserve(sizeBytes: number): number {
    this.#reserved = 0;
    // Said so that NaN is refused too: the kernel would read what lies behind this memory.
    if (this.#isClosed || !(sizeBytes <= MAX_PACKET_BYTES)) return -1;
    if (this.#end + sizeBytes > QUEUE_BYTES || this.#packets.count === MAX_QUEUED_PACKETS) this.flush();
    this.#reserved = sizeBytes;
    return this.#end;
  }

  put(sizeBytes: number, to: DatagramTarget): void {
    if (!(sizeBytes >= 1 && sizeBytes <= this.#reserved)) {
      throw new StateError(
        'datagram/not-reserved' satisfies DatagramErrorCode,
        `${sizeBytes} bytes put where ${this.#reserved} were reserved`,
      );
    }
    const packets = this.#packets;
    const { count } = packets;
    packets.offsets[count] = this.#end;
    packets.sizes[count] = sizeBytes;
    packets.targets[count] = to;
    packets.count = count + 1;
    // Packets begin at whole words: copying them is faster so.
    this.#end += (sizeBytes + 7) & ~7;
    this.#reserved = 0;
    this.#turnEnd ??= setImmediate(this.#onTurnEnd);
  }

  flush(): void {
    this.#reserved = 0;
    this.#end = 0;
    const packets = this.#packets;
    if (packets.count === 0) return;
    this.#send(packets);
    this.#forget();
  }

  /** Forgets what waits and takes nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#reserved = 0;
    this.#forget();
    if (this.#turnEnd !== undefined) clearImmediate(this.#turnEnd);
  }

  #forget(): void {
    const packets = this.#packets;
    // Targets belong to others, who may be gone by the next packet. The array keeps its length, and so its memory.
    packets.targets.fill(undefined, 0, packets.count);
    packets.count = 0;
  }
}
