/**
 * Many UDP packets a system call on Linux: `sendmmsg(2)` through `node:ffi`, with segmentation by the kernel
 * (`UDP_SEGMENT`, udp(7)), which turns a run of packets of one size into one walk through the network stack.
 *
 * Every pointer leads into one block of memory that is made once and never resized or given away. Packets are copied into
 * it, so memory that belongs to others is never pointed at.
 */
import type { InterleavedBatch } from '../datagram-batch.ts';
import type { DatagramTarget } from '../datagram-socket.ts';
import type { LinuxSocketCalls } from './linux-socket-calls.ts';
import {
  CONTROL_BYTES,
  EAGAIN,
  EINTR,
  IOVEC_BYTES,
  MAX_SEGMENTED_BYTES,
  MAX_SEGMENTS,
  MESSAGE_FLAGS,
  MessageBlock,
  MMSGHDR_BYTES,
  NAME_BYTES,
  NO_MEMORY,
  NO_SEGMENTATION,
} from './message-block.ts';

/** What this file calls outside of JavaScript. */
export type SendingKernel = Pick<LinuxSocketCalls, 'sendmmsg' | 'errno' | 'addressOf'>;

/** The address of the target has the beginning of the block. */
const NAME_AT = 0;
/** Packets that go into one slot of the block. */
const SLOT_PACKETS = 256;
/** Bytes that go into one slot, other channels' frames between the packets included. Longer than any one packet. */
const SLOT_DATA_BYTES = 131_072;
/** What several viewers are sent in turn is prepared once: so many pieces stay ready. */
const SLOT_COUNT = 16;

/** A piece of a batch as it lies in the block, ready for the kernel. */
class Slot {
  readonly dataAt: number;
  readonly vectorsAt: number;
  readonly messagesAt: number;
  readonly controlsAt: number;
  /** What is in it: `InterleavedBatch.id`, its first packet, and how it was prepared. */
  batchId = -1;
  firstPacket = 0;
  isSegmented = false;
  nameLength = 0;

  packetCount = 0;
  messageCount = 0;
  payloadBytes = 0;
  /** Index in the slot of each message's first packet; one more at the end. */
  readonly messageStarts: Uint16Array = new Uint16Array(SLOT_PACKETS + 1);

  constructor(at: number) {
    this.messagesAt = at;
    this.vectorsAt = this.messagesAt + SLOT_PACKETS * MMSGHDR_BYTES;
    this.controlsAt = this.vectorsAt + SLOT_PACKETS * IOVEC_BYTES;
    this.dataAt = this.controlsAt + SLOT_PACKETS * CONTROL_BYTES;
  }
}

const SLOT_BYTES = SLOT_PACKETS * (MMSGHDR_BYTES + IOVEC_BYTES + CONTROL_BYTES) + SLOT_DATA_BYTES;

/** Sends batches on sockets that others own. One for the process; synchronous, so its block is never shared. */
export class LinuxDatagramSender {
  /** Of the last `send`. */
  sentPackets = 0;
  sentBytes = 0;
  failedPackets = 0;
  readonly #kernel: SendingKernel;
  readonly #block: MessageBlock;
  readonly #slots: readonly Slot[];
  #nextSlot = 0;

  constructor(kernel: SendingKernel) {
    this.#kernel = kernel;
    this.#block = new MessageBlock(NAME_BYTES + SLOT_COUNT * SLOT_BYTES, (bytes) => kernel.addressOf(bytes));
    this.#slots = Array.from({ length: SLOT_COUNT }, (_, i) => new Slot(NAME_BYTES + i * SLOT_BYTES));
  }

  /**
   * Sends the packets of `batch` from index `from` on. What the kernel refuses for good is counted in `failedPackets`.
   * A target behind a route that does not take segmented messages is marked and sent to without from then on.
   * @param fileDescriptor an open, non-blocking UDP socket
   * @returns index of the first packet the kernel had no room for, `batch.sizes.length` when it took all
   */
  send(fileDescriptor: number, batch: InterleavedBatch, from: number, to: DatagramTarget): number {
    this.sentPackets = 0;
    this.sentBytes = 0;
    this.failedPackets = 0;
    this.#block.bytes.set(to.socketAddress);
    const end = batch.sizes.length;
    let at = from;
    while (at < end) {
      const slot = this.#slotOf(batch, at, to);
      const done = this.#sendSlot(fileDescriptor, slot, batch, to);
      at += done;
      if (done === slot.packetCount) continue;
      // Either no room, or the rest has to be prepared again without segmentation.
      if (to.isSegmented === slot.isSegmented) break;
    }
    return at;
  }

  /** Returns how many packets of the slot are done with. */
  #sendSlot(fileDescriptor: number, slot: Slot, batch: InterleavedBatch, to: DatagramTarget): number {
    const { messageCount, messageStarts } = slot;
    let message = 0;
    while (message < messageCount) {
      const pointer = this.#block.pointer(slot.messagesAt + message * MMSGHDR_BYTES);
      const taken = this.#kernel.sendmmsg(fileDescriptor, pointer, messageCount - message, MESSAGE_FLAGS);
      if (taken > 0) {
        this.#countSent(slot, batch, message, message + taken);
        message += taken;
        continue;
      }
      const errno = this.#kernel.errno();
      if (errno === EINTR) continue;
      if (errno === EAGAIN || NO_MEMORY.has(errno)) break;
      const packets = messageStarts[message + 1]! - messageStarts[message]!;
      if (packets > 1 && NO_SEGMENTATION.has(errno)) {
        to.isSegmented = false;
        break;
      }
      this.failedPackets += packets;
      message++;
    }
    return messageStarts[message]!;
  }

  #countSent(slot: Slot, batch: InterleavedBatch, message: number, endMessage: number): void {
    const first = slot.messageStarts[message]!;
    const end = slot.messageStarts[endMessage]!;
    this.sentPackets += end - first;
    if (end - first === slot.packetCount) {
      this.sentBytes += slot.payloadBytes;
    } else {
      for (let i = first; i < end; i++) this.sentBytes += batch.sizes[slot.firstPacket + i]!;
    }
  }

  /** The slot with the packets from `firstPacket` on, prepared now if it is not there yet. */
  #slotOf(batch: InterleavedBatch, firstPacket: number, to: DatagramTarget): Slot {
    const nameLength = to.socketAddress.length;
    for (const slot of this.#slots) {
      if (
        slot.batchId === batch.id &&
        slot.firstPacket === firstPacket &&
        slot.isSegmented === to.isSegmented &&
        slot.nameLength === nameLength
      ) {
        return slot;
      }
    }
    const slot = this.#slots[this.#nextSlot]!;
    this.#nextSlot = (this.#nextSlot + 1) % SLOT_COUNT;
    slot.batchId = batch.id;
    slot.firstPacket = firstPacket;
    slot.isSegmented = to.isSegmented;
    slot.nameLength = nameLength;
    this.#copyPackets(slot, batch);
    this.#writeMessages(slot, batch);
    return slot;
  }

  #copyPackets(slot: Slot, batch: InterleavedBatch): void {
    const { bytes, offsets, sizes } = batch;
    const first = slot.firstPacket;
    const start = offsets[first]!;
    let end = start;
    let count = 0;
    let payloadBytes = 0;
    while (first + count < sizes.length && count < SLOT_PACKETS) {
      const offset = offsets[first + count]!;
      const sizeBytes = sizes[first + count]!;
      if (offset + sizeBytes - start > SLOT_DATA_BYTES) break;
      const vectorAt = slot.vectorsAt + count * IOVEC_BYTES;
      this.#block.writeVector(vectorAt, slot.dataAt + offset - start, sizeBytes);
      end = offset + sizeBytes;
      payloadBytes += sizeBytes;
      count++;
    }
    this.#block.bytes.set(bytes.subarray(start, end), slot.dataAt);
    slot.packetCount = count;
    slot.payloadBytes = payloadBytes;
  }

  #writeMessages(slot: Slot, batch: InterleavedBatch): void {
    let message = 0;
    let packet = 0;
    while (packet < slot.packetCount) {
      const run = slot.isSegmented ? runLength(batch, slot.firstPacket + packet, slot.packetCount - packet) : 1;
      const at = slot.messagesAt + message * MMSGHDR_BYTES;
      this.#block.writeMessage(at, NAME_AT, slot.nameLength, slot.vectorsAt + packet * IOVEC_BYTES, run);
      if (run > 1) {
        const controlAt = slot.controlsAt + message * CONTROL_BYTES;
        this.#block.writeSegmentation(at, controlAt, batch.sizes[slot.firstPacket + packet]!);
      }
      slot.messageStarts[message] = packet;
      packet += run;
      message++;
    }
    slot.messageStarts[message] = packet;
    slot.messageCount = message;
  }
}

/** How many packets from `first` on make one segmented message: all of one size, the last one perhaps shorter. */
function runLength(batch: InterleavedBatch, first: number, available: number): number {
  const { sizes } = batch;
  const segmentBytes = sizes[first]!;
  const most = Math.min(available, MAX_SEGMENTS);
  let count = 1;
  let sizeBytes = segmentBytes;
  while (count < most) {
    const next = sizes[first + count]!;
    sizeBytes += next;
    if (next > segmentBytes || sizeBytes > MAX_SEGMENTED_BYTES) break;
    count++;
    if (next < segmentBytes) break;
  }
  return count;
}
