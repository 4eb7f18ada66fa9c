/**
 * Many UDP packets a system call on Linux: `sendmmsg(2)` through `node:ffi`, with segmentation by the kernel
 * (`UDP_SEGMENT`, udp(7)), which turns a run of packets of one size into one walk through the network stack.
 *
 * Every pointer of the datagram path is in this file and leads into one block of memory that is made once and never
 * resized or given away. Packets are copied into it, so memory that belongs to others is never pointed at.
 */
import { ResourceError } from '../../wire/errors.ts';
import type { InterleavedBatch } from '../datagram-batch.ts';
import type { DatagramErrorCode, DatagramTarget } from '../datagram-socket.ts';
import { withoutExperimentalWarning } from './experimental-warning.ts';

type Ffi = typeof import('node:ffi');

/** What this file calls outside of JavaScript. */
export interface SendingKernel {
  /** sendmmsg(2); −1 for an error. */
  sendmmsg(fileDescriptor: number, messages: bigint, count: number, flags: number): number;
  /** Number of the last call's error. */
  errno(): number;
  /** Where `bytes` are in memory. */
  addressOf(bytes: Uint8Array): bigint;
}

/** Packets that go into one slot of the block. */
const SLOT_PACKETS = 256;
/** Bytes that go into one slot, other channels' frames between the packets included. Longer than any one packet. */
const SLOT_DATA_BYTES = 131_072;
/** What several viewers are sent in turn is prepared once: so many pieces stay ready. */
const SLOT_COUNT = 16;
/** `UDP_MAX_SEGMENTS` of the kernels before 6.10. */
const MAX_SEGMENTS = 64;
/** Payload of one segmented message: 65,535 less the headers of IP and UDP, rounded down. */
const MAX_SEGMENTED_BYTES = 65_000;

/** Sizes of the kernel's structures on 64-bit machines, bytes. */
const MMSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;
const CONTROL_BYTES = 24;
const NAME_BYTES = 32;

/** `CMSG_LEN(sizeof (uint16_t))`, `SOL_UDP`, `UDP_SEGMENT`. */
const CONTROL_LENGTH = 18;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
/** `MSG_DONTWAIT | MSG_NOSIGNAL`. */
const SEND_FLAGS = 0x4040;

const EINTR = 4;
/** `EAGAIN`, `ENOMEM`, `ENOBUFS`. */
const NO_ROOM: ReadonlySet<number> = new Set([11, 12, 105]);
/** `EIO`, `EINVAL`, `EMSGSIZE`, `ENOPROTOOPT`, `EOPNOTSUPP`: a route or device that does not take segmented messages. */
const NO_SEGMENTATION: ReadonlySet<number> = new Set([5, 22, 90, 92, 95]);

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
  readonly #address: bigint;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #slots: readonly Slot[];
  #nextSlot = 0;

  /** `load` gives one with the real kernel. */
  constructor(kernel: SendingKernel) {
    this.#kernel = kernel;
    this.#bytes = new Uint8Array(NAME_BYTES + SLOT_COUNT * SLOT_BYTES);
    this.#words = new Uint32Array(this.#bytes.buffer);
    this.#address = kernel.addressOf(this.#bytes);
    this.#slots = Array.from({ length: SLOT_COUNT }, (_, i) => new Slot(NAME_BYTES + i * SLOT_BYTES));
    for (const slot of this.#slots) this.#writeConstants(slot);
  }

  /** @throws ResourceError `datagram/failed` when this system or Node has no such calls; the message says which */
  static load(): LinuxDatagramSender {
    const { platform, arch } = process;
    if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) throw unavailable(`not on ${platform} ${arch}`);
    const ffi = withoutExperimentalWarning(() => process.getBuiltinModule('node:ffi') as Ffi | undefined);
    if (ffi === undefined) throw unavailable(`Node ${process.version} has no node:ffi`);
    try {
      return new LinuxDatagramSender(kernelOf(ffi));
    } catch (cause) {
      throw unavailable((cause as Error).message, cause);
    }
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
    this.#bytes.set(to.socketAddress);
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
      const pointer = this.#address + BigInt(slot.messagesAt + message * MMSGHDR_BYTES);
      const taken = this.#kernel.sendmmsg(fileDescriptor, pointer, messageCount - message, SEND_FLAGS);
      if (taken > 0) {
        this.#countSent(slot, batch, message, message + taken);
        message += taken;
        continue;
      }
      const errno = this.#kernel.errno();
      if (errno === EINTR) continue;
      if (NO_ROOM.has(errno)) break;
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
      this.#writePointer(vectorAt, slot.dataAt + offset - start);
      this.#words[(vectorAt + 8) >>> 2] = sizeBytes;
      end = offset + sizeBytes;
      payloadBytes += sizeBytes;
      count++;
    }
    this.#bytes.set(bytes.subarray(start, end), slot.dataAt);
    slot.packetCount = count;
    slot.payloadBytes = payloadBytes;
  }

  #writeMessages(slot: Slot, batch: InterleavedBatch): void {
    const words = this.#words;
    let message = 0;
    let packet = 0;
    while (packet < slot.packetCount) {
      const run = slot.isSegmented ? runLength(batch, slot.firstPacket + packet, slot.packetCount - packet) : 1;
      const at = slot.messagesAt + message * MMSGHDR_BYTES;
      words[(at + 8) >>> 2] = slot.nameLength;
      this.#writePointer(at + 16, slot.vectorsAt + packet * IOVEC_BYTES);
      words[(at + 24) >>> 2] = run;
      if (run > 1) {
        const controlAt = slot.controlsAt + message * CONTROL_BYTES;
        words[(controlAt + 16) >>> 2] = batch.sizes[slot.firstPacket + packet]!;
        this.#writePointer(at + 32, controlAt);
        words[(at + 40) >>> 2] = CONTROL_BYTES;
      } else {
        words[(at + 32) >>> 2] = 0;
        words[(at + 36) >>> 2] = 0;
        words[(at + 40) >>> 2] = 0;
      }
      slot.messageStarts[message] = packet;
      packet += run;
      message++;
    }
    slot.messageStarts[message] = packet;
    slot.messageCount = message;
  }

  /** What never changes: where the name is, and the head of each control message. */
  #writeConstants(slot: Slot): void {
    const words = this.#words;
    for (let i = 0; i < SLOT_PACKETS; i++) {
      this.#writePointer(slot.messagesAt + i * MMSGHDR_BYTES, 0);
      const control = (slot.controlsAt + i * CONTROL_BYTES) >>> 2;
      words[control] = CONTROL_LENGTH;
      words[control + 2] = SOL_UDP;
      words[control + 3] = UDP_SEGMENT;
    }
  }

  /** Writes the address of the block's byte `of` at its byte `at`; low half first, as both machines have it. */
  #writePointer(at: number, of: number): void {
    const address = Number(this.#address) + of;
    this.#words[at >>> 2] = address % 0x1_0000_0000;
    this.#words[(at >>> 2) + 1] = Math.floor(address / 0x1_0000_0000);
  }
}

function kernelOf(ffi: Ffi): SendingKernel {
  // The symbols of the C library are those of the process: its file name differs between systems.
  const { functions } = ffi.dlopen(null, {
    sendmmsg: { arguments: ['int32', 'pointer', 'uint32', 'int32'], return: 'int32' },
    __errno_location: { arguments: [], return: 'pointer' },
  });
  return {
    sendmmsg: functions.sendmmsg,
    errno: () => ffi.getInt32(functions.__errno_location()),
    addressOf: (bytes) => ffi.getRawPointer(bytes),
  };
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

function unavailable(reason: string, cause?: unknown): ResourceError {
  return new ResourceError(
    'datagram/failed' satisfies DatagramErrorCode,
    `no sendmmsg: ${reason}`,
    cause === undefined ? {} : { cause },
  );
}
